"""Our cost and our losses side by side with those of others, on the machine that this runs on; `make bench-peers` runs it.

Parts: a, a run of a command line; b, kill -9; c, a burst; d, draining into a genuine collector; e, growth of the spool. Raw
figures with the machine's description go to benchmarks/results; `make generate` writes docs/performance.md from them.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import burst
import drain_rate
import growth
import run_cost
import survival
from contenders import chosen, installed, versions
from counting import SINKS
from machine import describe
from measuring import HERE, keep

PARTS = {
    "a": ("run_cost", run_cost.measured),
    "b": ("survival", survival.measured),
    "c": ("burst", burst.measured),
    "d": ("drain", drain_rate.measured),
    "e": ("growth", growth.measured),
}


def words(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", default="abcde", help="which parts, as letters (abcde)")
    parser.add_argument("--only", default="", help="contenders, separated by commas (all)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of a, c and d (7)")
    parser.add_argument("--dead-rounds", type=int, default=3, help="at most, where the sink does not answer (3)")
    parser.add_argument("--states", default=",".join(SINKS), help="states of the sink in part a")
    parser.add_argument("--pairs", type=int, default=60, help="rounds of ours and the SDK alone in part a (60)")
    parser.add_argument("--no-instructions", action="store_true", help="part a without callgrind")
    parser.add_argument("--kills", type=int, default=20, help="killed runs in part b (20)")
    parser.add_argument("--events", type=int, default=100_000, help="events of part c")
    parser.add_argument("--drained", type=int, default=20_000, help="events of part d")
    parser.add_argument("--no-full", action="store_true", help="part d without a spool that is full by default")
    parser.add_argument("--sizes", type=lambda text: list(map(int, text.split(","))), default=[10, 1000, 10_000], help="of part e")
    parser.add_argument("--here", action="store_true", help="use this environment for all, instead of one for each contender")
    parser.add_argument("--out", type=Path, default=HERE / "results", help="folder for the raw figures")
    found = parser.parse_args(given)
    if unknown := set(found.part) - set(PARTS) or set(found.states.split(",")) - set(SINKS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; parts are {''.join(PARTS)}, states {','.join(SINKS)}")
    return found


def main() -> None:
    """Run the parts that are asked for."""
    options = words()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    contenders, failed = [], {}
    for one, problem in installed(chosen(options.only), options.here):
        if problem:
            failed[one.name] = problem
            print(f"{one.name}: cannot be installed: {problem}", file=sys.stderr)
        else:
            contenders.append(one)
    for letter in dict.fromkeys(options.part):
        name, measured = PARTS[letter]
        described = describe()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
            found = measured(contenders, options, Path(place))
        about = {"versions": versions(contenders), "not_installed": failed, "rounds": options.rounds}
        keep(options.out, name, {**about, **found}, described)


if __name__ == "__main__":
    main()
