"""Run faulty worlds from one seed: writers, senders and servers that die, and at the end a healthy day; print what was wrong.

`python tests/delivery/faults.py --rounds 50 --seed 1 [--collectors 2] [--harm NAME | --mutant NAME]` prints one JSON object, or one
for each harm and mutant, whose rounds, and after them the exact ones, end when it is found. A round follows from the seed and its number alone, as far as the
scheduler lets it. With `--calls writer|sender` a round is an exact one, and that process dies before its call of this number.
One process that has everything imported forks all others, for an interpreter that starts costs more than a whole round.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import kitchen._telemetry  # noqa: F401  # before the first fork
import lives
import mutants
from faulty_server import HARMS
from worlds import World

from otel_bridge.commands import drain as _command  # noqa: F401  # before the first fork
from otel_bridge.export import build

MOST = 1000  # calls of a process that change something


def play(seed: int, number: int, harm: str, collector: bool, keep: str, who: str = "") -> "tuple[Counter[str], list[str]]":
    """One round: how much there was of everything, and what was wrong. With `who`, that one dies at call `number`."""
    root = Path(tempfile.mkdtemp(prefix=f"faults-{number}-", dir=keep or None))
    world = World(root, seed, number, harm, collector)
    try:
        lived = False
        if who:
            lived = world.exact_day(who, number)
        else:
            world.serve()
            world.bad_day()
        hung = [world.children[one] for one in world.others()]
        for one in world.others():
            world.kill(one)
        told = {"processes": world.started, "killed": world.killed, "collectors": int(collector), "lived": int(lived)}
        quiet = world.healthy_days()
        found, wrong = world.judge()
        wrong += [f"{name} hung" for name in hung] + ([] if quiet else ["it does not become quiet"])
        told |= {"recorded": len(found.tried), "acknowledged": len(found.acked), "seen": len(found.taken)}
        return Counter({**told, **{f"lost: {reason}": lost for reason, lost in found.counted.items()}}), wrong
    finally:
        world.end()
        if not keep:
            shutil.rmtree(root)


def played(asked: argparse.Namespace, harm: str = "", who: str = "") -> dict[str, Any]:
    """The rounds that the command line asks for; those with harm end when it is found, exact ones when nobody died."""
    begun, totals, wrong, rounds = time.monotonic(), Counter(), {}, 0  # type: float, Counter[str], dict[int, list[str]], int
    for number in range(asked.first, asked.first + asked.rounds * asked.step, asked.step):
        if asked.seconds and time.monotonic() - begun > asked.seconds:
            break
        collector = asked.collectors and number % max(asked.rounds // asked.collectors, 1) == 1
        numbers, faults = play(asked.seed, number, harm, bool(collector), asked.keep, who)
        rounds += 1
        totals += numbers
        if faults:
            wrong[number] = faults
            if asked.harm or asked.mutant:
                break
        if numbers["lived"]:  # past its last call
            break
    return {"seed": asked.seed, "rounds": rounds, "seconds": round(time.monotonic() - begun), **dict(totals), "wrong": wrong}


def tried(asked: argparse.Namespace, name: str) -> None:
    """Print what comes of one harm or mutant, in a process of its own."""
    process = os.fork()
    if not process:
        mutants.MUTANTS.get(name, lambda: None)()
        for who in ("", "sender", "writer"):
            found = played(asked, name if name in HARMS else "", who)
            if found["wrong"]:
                break
            asked.first, asked.rounds = 1, MOST
        told = {"harm": name, "found by": who or "chance", **{key: found[key] for key in ("rounds", "seconds", "wrong")}}
        print(json.dumps(told), flush=True)
        os._exit(0)
    os.waitpid(process, 0)


def main() -> None:
    """Do as the command line says."""
    parser = argparse.ArgumentParser()
    for name, usual in (("rounds", 50), ("seed", 1), ("first", 0), ("step", 1), ("collectors", 0), ("seconds", 0)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--harm", choices=HARMS, action="append", default=[])
    parser.add_argument("--mutant", choices=sorted(mutants.MUTANTS), action="append", default=[])
    parser.add_argument("--calls", choices=("writer", "sender"), default="")
    parser.add_argument("--keep", default="")
    parser.add_argument("--list", action="store_true")
    asked = parser.parse_args()
    if asked.list:
        print(*mutants.MUTANTS, sep="\n")
        return
    renamed = build.renamed(lives.compiled())
    build.renamed = lambda declared: renamed  # it reads the metadata of all that is installed, each time
    for name in (*asked.harm, *asked.mutant):
        tried(asked, name)
    if not asked.harm and not asked.mutant:
        found = played(asked, who=asked.calls)
        print(json.dumps(found))
        sys.exit(1 if found["wrong"] else 0)


if __name__ == "__main__":
    main()
