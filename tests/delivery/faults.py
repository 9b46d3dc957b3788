"""Run faulty worlds from one seed: writers, senders and servers that die, and at the end a healthy day; print what was wrong.

`python tests/delivery/faults.py --rounds 50 --seed 1 [--collectors 2] [--harm NAME | --mutant NAME]` prints one JSON object. A round
follows from the seed and its number alone, as far as the scheduler lets it. One process that has everything imported forks all
others, for an interpreter that starts costs more than a whole round.
"""

import argparse
import json
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kitchen._telemetry  # noqa: F401  # before the first fork
import lives
import mutants
import real_collector
from dying import drawn
from faulty_server import HARMS, HEALTHY, FaultyServer
from verdict import Found, gathered, judged

from otel_bridge.commands import drain as _command  # noqa: F401  # before the first fork
from otel_bridge.export import build
from otel_bridge.export.otlp import PROTOCOLS
from otel_bridge.record.losses import table

DAYS = 12  # healthy ones, until nothing waits and everything is told
PATIENCE = 60.0  # seconds for the processes of a round to end by themselves


class World:
    """One round: a home, a server, and processes that come and go."""

    def __init__(self, root: Path, seed: int, number: int, harm: str, collector: bool) -> None:
        self.root, self.seed, self.harm, self.number = root, f"{seed}.{number}", harm, number
        self.chance = random.Random(self.seed)
        self.state = root / "state/otel-bridge" / lives.PRODUCT
        for name in ("notes", "dropped", "state", "config"):
            (root / name).mkdir(parents=True)
        self.faults = self.chance.choice((0.0, 0.3, 0.6, 0.9))
        self.children: dict[int, str] = {}
        self.lives = 0
        self.collector = real_collector.Collector(root / "collector") if collector else None
        self.bound = socket.create_server(("127.0.0.1", 0), backlog=64)
        endpoint = self.collector.endpoint if self.collector else f"http://127.0.0.1:{self.bound.getsockname()[1]}"
        self.environment = {
            "HOME": str(root),
            "XDG_STATE_HOME": str(root / "state"),
            "XDG_CONFIG_HOME": str(root / "config"),
            "KITCHEN_TELEMETRY": "on",
            "OTEL_BRIDGE_DETACH": "0",
            "OTEL_BRIDGE_ENDPOINT": endpoint,
            "OTEL_BRIDGE_PROTOCOL": self.chance.choice([one for one in PROTOCOLS if one != "grpc"]),
            "OTEL_BRIDGE_SPOOL_BYTES": str(self.chance.choice((6_000, 30_000, 100_000, 400_000, 8 << 20))),
        }
        self.server = 0

    def start(self, name: str, live: Callable[[], object], **more: str) -> int:
        """Start one process."""

        def alone() -> None:
            if not name.startswith("server"):
                self.bound.close()
            live()

        process = lives.fork(self.root, alone, {**self.environment, **more})
        self.children[process] = name
        return process

    def serve(self) -> None:
        """Start a server, and kill the one before it."""
        if self.collector:
            self.collector.restart()
            return
        if self.server:
            self.kill(self.server)
        self.lives += 1
        name = f"server-{self.lives}"
        told = (self.bound, self.root, self.seed, name, self.harm, self.faults)
        self.server = self.start(name, lambda: FaultyServer(*told).serve_forever(0.05))

    def kill(self, process: int) -> None:
        """Kill a process that may be gone."""
        if process in self.children:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            del self.children[process]

    def reap(self) -> None:
        """Forget the processes that have ended."""
        for process in list(self.children):
            if os.waitpid(process, os.WNOHANG) != (0, 0):
                del self.children[process]

    def others(self) -> list[int]:
        """The processes that are no server."""
        return [one for one in self.children if one != self.server]

    def bad_day(self) -> None:
        """Writers and senders, some of which die, at a server that does what it likes."""
        chance, plan = self.chance, []
        for one in range(chance.randrange(2, 5)):
            old = chance.random() < 0.1
            told = (chance.randrange(10, 60), drawn(chance, 400), self.seed, old, self.harm)
            name = f"{'old' if old else 'writer'}-{one + 1}"
            plan.append((chance.random() * 0.15, name, lambda name=name, told=told: lives.write(self.root, name, *told)))
        for one in range(chance.randrange(2, 6)):
            how = chance.choice(("library", "library", "detached", "command"))
            told = (how, drawn(chance, 600), self.seed, 0.4)
            name = f"sender-{one + 1}"
            plan.append((chance.random() * 0.5, name, lambda name=name, told=told: lives.send(self.root, name, *told)))
        for _ in range(chance.choice((0, 0, 1, 2))):
            plan.append((chance.random() * 0.6, "kill", lambda: None))
        for _ in range(chance.choice((0, 0, 1)) if not self.collector else 1):
            plan.append((chance.random() * 0.6, "serve", lambda: None))
        plan += [(chance.random() * 0.5, "age", lambda: None)] * chance.choice((0, 0, 0, 1))
        begun = time.monotonic()
        for at, name, live in sorted(plan, key=lambda one: one[0]):
            time.sleep(max(0.0, begun + at - time.monotonic()))
            self.happens(name, live)
        until = time.monotonic() + PATIENCE
        while self.others() and time.monotonic() < until:
            self.reap()
            time.sleep(0.01)

    def happens(self, name: str, live: Callable[[], object]) -> None:
        """One event of a bad day."""
        self.reap()
        if name == "serve":
            self.serve()
        elif name == "kill":
            if others := self.others():
                self.kill(self.chance.choice(others))
        elif name == "age":
            for file in (self.state / "spool").glob("*.sealed"):
                try:
                    os.utime(file, (1, 1))
                except FileNotFoundError:
                    continue
        else:
            lost = name.startswith("sender") and self.chance.random() < 0.05
            self.start(name, live, **({"OTEL_BRIDGE_ENDPOINT": "http://127.0.0.1:9"} if lost else {}))

    def healthy_days(self) -> bool:
        """Whether everything is sent and told in the end."""
        (self.root / HEALTHY).touch()
        for day in range(DAYS):
            process = self.start(f"healthy-{day}", lambda day=day: lives.close(self.root, self.seed, day))
            os.waitpid(process, 0)
            del self.children[process]
            rows = table(str(self.state)).rows.values()
            if not any((self.state / "spool").iterdir()) and all(row.lost == row.told and not row.uid for row in rows):
                return True
        return False

    def judge(self) -> tuple[Found, list[str]]:
        """What is found at the end, and what is wrong with it."""
        found = gathered(self.root, self.state, self.collector.seen() if self.collector else None)
        if self.collector:
            self.collector.hear(found)
        return found, judged(found)

    def end(self) -> None:
        """Leave no process behind."""
        for process in list(self.children):
            self.kill(process)
        self.bound.close()
        if self.collector:
            self.collector.stop()


def play(seed: int, number: int, harm: str, collector: bool, keep: str) -> tuple[Found, list[str]]:
    """One round."""
    root = Path(tempfile.mkdtemp(prefix=f"faults-{number}-", dir=keep or None))
    world = World(root, seed, number, harm, collector)
    try:
        world.serve()
        world.bad_day()
        hung = [world.children[one] for one in world.others()]
        for one in world.others():
            world.kill(one)
        quiet = world.healthy_days()
        found, wrong = world.judge()
        wrong += [f"{name} hung" for name in hung] + ([] if quiet else ["it does not become quiet"])
        return found, wrong
    finally:
        world.end()
        if not keep:
            shutil.rmtree(root)


def main() -> None:
    """Play the rounds that the command line asks for."""
    parser = argparse.ArgumentParser()
    for name, usual in (("rounds", 50), ("seed", 1), ("first", 0), ("collectors", 0), ("seconds", 0)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--harm", choices=HARMS, default="")
    parser.add_argument("--mutant", choices=sorted(mutants.MUTANTS), default="")
    parser.add_argument("--keep", default="")
    asked = parser.parse_args()
    renamed = build.renamed(lives.compiled())
    build.renamed = lambda declared: renamed  # it reads the metadata of all that is installed, each time
    mutants.MUTANTS.get(asked.mutant, lambda: None)()
    begun, totals, wrong, played = time.monotonic(), Counter(), {}, 0  # type: float, Counter[str], dict[int, list[str]], int
    for number in range(asked.first, asked.first + asked.rounds):
        if asked.seconds and time.monotonic() - begun > asked.seconds:
            break
        collector = asked.collectors and number % max(asked.rounds // asked.collectors, 1) == 1
        found, faults = play(asked.seed, number, asked.harm, bool(collector), asked.keep)
        played += 1
        totals += numbers(found)
        if faults:
            wrong[number] = faults
            if asked.harm or asked.mutant:
                break
    seconds = round(time.monotonic() - begun, 1)
    print(json.dumps({"seed": asked.seed, "rounds": played, "seconds": seconds, **dict(totals), "wrong": wrong}))
    sys.exit(1 if wrong else 0)


def numbers(found: Found) -> "Counter[str]":
    """How much there was of everything."""
    told: dict[str, Any] = {f"lost {reason}": number for reason, number in found.counted.items()}
    there = {"recorded": len(found.tried), "acknowledged": len(found.acked), "seen": len(found.taken), "told events": len(found.told)}
    return Counter({**there, **told})


if __name__ == "__main__":
    main()
