"""The leak benchmark: its corpus is what it says, nothing of it leaks through us, and the check would see it if it did."""

import base64
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "benchmarks/privacy"))

import run
from corpus import EACH, MESSAGES, corpus, digest
from kinds import KINDS
from leak import leaked
from paths import PATHS, Bench, bench, plain

ENTRIES = corpus()
SOME = ENTRIES[::11]  # nine or ten of every class, for the paths that take milliseconds; `run.py` takes all
SAID = {path: [b"bench.failed", b"cli.run"] for path in PATHS} | {"policies": [b"bench.word"], "frames": [b"json.decoder"]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("bench")) as found:
        yield found


def test_the_corpus_is_large_and_always_the_same() -> None:
    """At least 34 classes of at least 100, 5,000 strings and 25 messages; no string twice, and another seed gives others."""
    kinds = Counter(entry.kind for entry in ENTRIES)
    assert len(kinds) >= 34 and min(kinds.values()) >= 100 and len(ENTRIES) >= 5000 and len(MESSAGES) >= 25
    assert set(kinds) == set(KINDS) and len(ENTRIES) == EACH * len(KINDS) == len(set(ENTRIES))
    assert corpus() == ENTRIES
    assert not set(corpus(seed=21)) & {entry for entry in ENTRIES if len(entry.secret) > 20}
    assert {entry.kind for entry in SOME} == set(KINDS)


def test_every_secret_is_in_its_text_and_nothing_of_it_is_around_it() -> None:
    """What is left of a text without its secret tells nothing of it, so that a tool that takes all of it out leaks nothing."""
    for entry in ENTRIES:
        assert entry.secret in entry.text
        assert not leaked(entry.secret, entry.text.replace(entry.secret, "").encode()), entry


def test_no_policy_lets_a_secret_through(made: Bench) -> None:
    """Every string in its message, under every declared key; of every third alone only what has the very form of its key."""
    told = [entry for entry in ENTRIES if leaked(entry.secret, PATHS["policies"](made, entry.text), made.known)]
    assert told == []
    alone = {entry.kind for entry in ENTRIES[::3] if leaked(entry.secret, PATHS["policies"](made, entry.secret), made.known)}
    assert alone <= {kind for kind, (_, paths) in run.FORMS.items() if "policies" in paths}


@pytest.mark.parametrize("path", [path for path in PATHS if path != "policies"])
def test_nothing_leaks_through_a_path(made: Bench, path: str) -> None:
    """Records and spans leave, and of every class no secret with them."""
    for entry in SOME:
        out = PATHS[path](made, entry.text)
        assert all(part in out for part in SAID[path]), "nothing came out at all"
        assert not leaked(entry.secret, out, made.known), entry


def test_the_check_can_fail(made: Bench) -> None:
    """A path that gives back what it is given leaks every string, and so does the SDK with nothing of ours in between."""
    assert all(leaked(entry.secret, entry.text.encode()) for entry in ENTRIES)
    assert all(leaked(entry.secret, plain(made, entry.text), made.known) for entry in ENTRIES[::100])
    tally = run.Tally()
    for path in PATHS:
        for column in (path, f"{path}, {run.ALONE}"):
            for entry in ENTRIES:
                tally.add(column, entry, entry.text.encode(), 0, made.known)
    wrong = run.unexpected(tally)
    assert {path: sum(wrong[path].values()) for path in PATHS} == dict.fromkeys(PATHS, len(ENTRIES))


@pytest.mark.parametrize(
    ("out", "found"),
    [
        ("Top/Secret=Value", True),
        ("x top/secret=value x", True),
        (quote("Top/Secret=Value", safe=""), True),
        (base64.b64encode(b"Top/Secret=Value").decode(), True),
        ("p/Secret=V", True),
        ("/Secret=V", False),
        ("Top-Secret-Value", False),
    ],
)
def test_what_counts_as_a_leak(out: str, found: bool) -> None:
    """The whole, its case-folded, quoted and base64 spellings, and any piece of ten characters."""
    assert leaked("Top/Secret=Value", f"<{out}>".encode()) is found
    assert leaked("日本\\", json.dumps("日本\\").encode())
    assert not leaked("p/Secret=V Top", b"p/Secret=V", known="all know p/Secret=V")
    assert not leaked("short", b"shor")


def test_the_results_are_those_of_this_corpus() -> None:
    """The committed figures name as many strings of every class, and none that leaked through a path of ours."""
    results = json.loads(Path(run.RESULTS).read_text())
    assert results["corpus"] == digest(ENTRIES)
    assert results["strings"] == Counter(entry.kind for entry in ENTRIES)
    tally = run.Tally()
    tally.leaked = {column: Counter(kinds) for column, kinds in results["leaked"].items()}
    assert run.unexpected(tally) == {}
    assert {path: tally.leaked[path].total() for path in PATHS} == dict.fromkeys(PATHS, 0)
    assert {"presidio", "scrubadub"} <= set(tally.leaked), "the scrubbers are missing; `python benchmarks/privacy/run.py`"
