"""Play 500 faulty worlds of tests/delivery from one seed, let a writer and a sender die before each of their calls that changes
something, and try every harm and every wrong core that is kept there.

Totals, the seed, and how each wrong version was found go to benchmarks/results/chaos.json. `--seconds N` bounds
the worlds and, apart from them, each wrong version; how many were played is part of the result. Exits with 1 when the right
core was wrong.
"""

import argparse
import json
import platform
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks/results/chaos.json"
HARNESS = ROOT / "tests/delivery/faults.py"
SEED, PROGRAMS, COLLECTORS = 8, 3, 4  # COLLECTORS: worlds of each program with the real collector
HARMS = ("lies", "counts too much", "tears", "invents")
RARE = "it needs a moment that these worlds did not have"
REASONS = {"append without looking again": "a sender has to take the file between a writer's opening and locking it: microseconds"}


def begun(*words: object) -> "subprocess.Popen[str]":
    """The harness at work."""
    return subprocess.Popen([sys.executable, str(HARNESS), *map(str, words)], stdout=subprocess.PIPE, text=True)


def rounds(number: int, seconds: int) -> dict[str, object]:
    """So many worlds, in several programs side by side."""
    each, began = number // PROGRAMS, time.monotonic()
    sizes = [each + (one < number - each * PROGRAMS) for one in range(PROGRAMS)]
    programs = [
        begun(*("--seed", SEED, "--first", sum(sizes[:at]), "--rounds", size, "--collectors", COLLECTORS, "--seconds", seconds))
        for at, size in enumerate(sizes)
    ]
    totals: Counter[str] = Counter()
    wrong: dict[str, object] = {}
    for program in programs:
        told = json.loads(program.communicate()[0])
        wrong |= told.pop("wrong")
        totals += Counter({key: value for key, value in told.items() if key not in ("seed", "seconds")})
    return {"seed": SEED, **dict(sorted(totals.items())), "wrong": wrong, "seconds": round(time.monotonic() - began)}


def calls(who: str) -> dict[str, object]:
    """An exact world for each call of a writer or a sender that changes something: it dies before that call."""
    told = json.loads(begun("--seed", SEED, "--calls", who, "--first", 1, "--rounds", 1000).communicate()[0])
    return {key: told[key] for key in ("seed", "rounds", "killed", "acknowledged", "seen", "seconds", "wrong")}


def versions(seconds: int) -> list[dict[str, object]]:
    """How each harm and each wrong core was found: by chance in 50 worlds, or before which call of whom."""
    listed = subprocess.run([sys.executable, str(HARNESS), "--list"], capture_output=True, text=True, check=True)
    names = [("--harm", harm) for harm in HARMS] + [("--mutant", name) for name in listed.stdout.splitlines()]
    shares = [names[at::PROGRAMS] for at in range(PROGRAMS)]
    programs = [begun("--seed", SEED, "--seconds", seconds, *(word for pair in share for word in pair)) for share in shares]
    found = []
    for program in programs:
        for line in program.communicate()[0].splitlines():
            told = json.loads(line)
            how = (
                {"by": told["found by"], "rounds": told["rounds"]} if told["wrong"] else {"reason": REASONS.get(told["harm"], RARE)}
            )
            found.append({"version": told["harm"], "found": bool(told["wrong"]), **how})
    return sorted(found, key=lambda one: str(one["version"]))


def main() -> None:
    """Play, try, write the results, and say the totals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=540)
    parser.add_argument("--only", choices=("rounds", "versions"))
    asked = parser.parse_args()
    told = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    told["machine"] = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    if asked.only != "versions":
        told["worlds"] = rounds(asked.rounds, asked.seconds)
        told["each call"] = {who: calls(who) for who in ("writer", "sender")}
    if asked.only != "rounds":
        told["wrong versions"] = versions(asked.seconds)
    RESULTS.write_text(json.dumps(told, indent=2) + "\n")
    print(json.dumps(told, indent=2))
    right = [told["worlds"], *told["each call"].values()]
    sys.exit(1 if any(one["wrong"] for one in right) else 0)


if __name__ == "__main__":
    main()
