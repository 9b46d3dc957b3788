"""Count what leaks: the same private strings through every path of ours and through four scrubbers.

`--no-peers` leaves the scrubbers out. Prints one table, leaked of each class; writes benchmarks/privacy/results.json; ends with 1
when a message leaks anything through a path of ours, or a secret alone does where no declaration expects a value of its form. The
time of ours is that of a dozen records, each with every declared key, for each string; that of a scrubber is for one text or two.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import peers
from corpus import Entry, corpus, digest
from leak import leaked
from paths import PATHS, Bench, Path_, bench

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
ALONE = "alone"  # the secret itself as the value, with no message around it
# A secret given alone, to a key whose policy is made for values of just this form, is such a value: by class, the policy and the
# paths. Policies reduce what a program gives; on the wire are also records that somebody wrote into the spool, of whose values the
# sender can see the form and nothing else.
FORMS = {
    "date of birth": ("day", ["wire"]),
    "UUID": ("identifier", ["wire"]),
    "card number": ("pseudonym", ["wire"]),
}


class Tally:
    """Leaked strings by column and class, and the seconds that each column took."""

    def __init__(self) -> None:
        self.leaked: dict[str, Counter[str]] = {}
        self.seconds: Counter[str] = Counter()

    def add(self, column: str, entry: Entry, out: bytes, seconds: float, known: str) -> None:
        """Count one string by what came out of it."""
        self.leaked.setdefault(column, Counter())[entry.kind] += leaked(entry.secret, out, known)
        self.seconds[column] += seconds


def _progress(told: str, often_enough: bool) -> None:
    """One line that is written over on a terminal; else a plain line now and then."""
    if sys.stderr.isatty():
        print(f"\r{told}", end="", file=sys.stderr, flush=True)
    elif often_enough:
        print(told, file=sys.stderr, flush=True)


def timed(path: Path_, made: Bench, value: str) -> tuple[bytes, float]:
    """What comes out of a path, and the seconds that this takes."""
    started = time.perf_counter()
    return path(made, value), time.perf_counter() - started


def ours(entries: list[Entry], tally: Tally, made: Bench) -> None:
    """Every string through every path of ours, in its message and alone."""
    for number, entry in enumerate(entries):
        if number % 100 == 0:
            _progress(f"ours: {number:,} of {len(entries):,}", number % 1000 == 0)
        for column, path in PATHS.items():
            tally.add(column, entry, *timed(path, made, entry.text), made.known)
        for column, path in PATHS.items():
            tally.add(f"{column}, {ALONE}", entry, *timed(path, made, entry.secret), made.known)
    print(file=sys.stderr)


def theirs(entries: list[Entry], tally: Tally) -> dict[str, str]:
    """Every string through every scrubber; returns their versions."""
    versions = {}
    for peer in peers.PEERS:
        found, answers = peers.ask(peer, entries)
        versions.update(found)
        for entry, answer in zip(entries, answers, strict=True):
            for place, left in answer["left"].items():
                around = entry.text.replace(entry.secret, "") if place == "text" else ""
                column = f"{peer} {place}" if len(answer["left"]) > 1 else peer
                tally.add(column, entry, left.encode(), answer["seconds"] / len(answer["left"]), around)
    return versions


def table(entries: list[Entry], tally: Tally) -> str:
    """One line a class, then the totals and the time; of secrets alone the path that is worst for a class."""
    sizes = Counter(entry.kind for entry in entries)
    columns = {column: kinds for column, kinds in tally.leaked.items() if ALONE not in column}
    worst = {kind: max(tally.leaked[f"{path}, {ALONE}"][kind] for path in PATHS) for kind in sizes}
    shown = {**{path: columns.pop(path) for path in PATHS}, ALONE: Counter(worst), **columns}
    rows = [["", "", *(column.partition(" ")[0] for column in shown)]]
    rows.append(["leaked of", "strings", *(column.partition(" ")[2] for column in shown)])
    rows += [[kind, str(number), *(str(kinds[kind]) for kinds in shown.values())] for kind, number in sizes.items()]
    rows.append(["total", f"{len(entries):,}", *(f"{kinds.total():,}" for kinds in shown.values())])
    rows.append(["share", "", *(f"{kinds.total() / len(entries):.1%}" for kinds in shown.values())])
    times = [f"{tally.seconds[column] / len(entries) * 1e6:,.0f}" if column != ALONE else "" for column in shown]
    rows.append(["ms for 1,000 strings", "", *times])
    return "\n".join(f"{first:27}" + "".join(f"{cell:>11}" for cell in cells) for first, *cells in rows)


def unexpected(tally: Tally) -> dict[str, dict[str, int]]:
    """What must not have leaked, by column: anything of a message, and anything alone that has no declared form."""
    found: dict[str, dict[str, int]] = {}
    for path in PATHS:
        found[path] = {kind: number for kind, number in tally.leaked[path].items() if number}
        alone = tally.leaked[f"{path}, {ALONE}"]
        found[f"{path}, {ALONE}"] = {
            kind: number for kind, number in alone.items() if number and path not in FORMS.get(kind, ("", []))[1]
        }
    return {column: kinds for column, kinds in found.items() if kinds}


def main() -> int:
    """Count, print the table, keep the raw figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True)
    wanted = parser.parse_args()
    entries, tally = corpus(), Tally()
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder)) as made:
        ours(entries, tally, made)
    versions = {name: version(name) for name in ("otel-bridge", "opentelemetry-sdk")}
    if wanted.peers:
        versions |= theirs(entries, tally)
    print(table(entries, tally))
    for kind, (policy, paths) in FORMS.items():
        print(f"alone, to a key of the policy {policy}, by its form ({', '.join(paths)}): {kind}")
    raw = {
        "python": sys.version.split()[0],
        "versions": versions,
        "corpus": digest(entries),
        "strings": dict(Counter(entry.kind for entry in entries)),
        "leaked": {column: dict(kinds) for column, kinds in tally.leaked.items()},
        "milliseconds for 1,000 strings": {
            column: round(seconds / len(entries) * 1e6, 1) for column, seconds in tally.seconds.items()
        },
    }
    RESULTS.write_text(json.dumps(raw, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    wrong = unexpected(tally)
    for column, kinds in wrong.items():
        print(f"LEAKED through {column}: {dict(kinds)}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
