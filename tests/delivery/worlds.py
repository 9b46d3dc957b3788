"""One faulty world: a home, a server, and processes that come, go and are killed, and at the end a healthy day."""

import os
import random
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import lives
import real_collector
from dying import Fate, drawn
from faulty_server import HEALTHY, SHARES, FaultyServer
from verdict import Found, gathered, judged

from otel_bridge.export.otlp import PROTOCOLS
from otel_bridge.record.losses import table

DAYS = 12  # healthy ones, until nothing waits and everything is told
PATIENCE = 120.0  # seconds for the processes of a round to end by themselves


class World:
    """One round: a home, a server, and processes that come and go."""

    def __init__(self, root: Path, seed: int, number: int, harm: str, collector: bool) -> None:
        self.root, self.seed, self.harm, self.number = root, f"{seed}.{number}", harm, number
        self.chance = random.Random(self.seed)
        self.state = root / "state/otel-bridge" / lives.PRODUCT
        for name in ("notes", "dropped", "state", "config"):
            (root / name).mkdir(parents=True)
        self.odds = self.chance.choice((0.0, 0.3, 0.6, 0.9)), self.chance.choice(SHARES)  # of faults, and of bad records
        self.children: dict[int, str] = {}
        self.lives = self.started = self.killed = 0
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
            "OTEL_BRIDGE_COMPRESSION": self.chance.choice(("none", "gzip")),
            "OTEL_BRIDGE_SPOOL_BYTES": str(self.chance.choice((6_000, 30_000, 100_000, 100_000, 400_000, 8 << 20))),
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
        self.started += 1
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
        told = (self.bound, self.root, self.seed, name, self.harm, self.odds)
        self.server = self.start(name, lambda: FaultyServer(*told).serve_forever(0.05))

    def kill(self, process: int) -> None:
        """Kill a process that may be gone."""
        if process in self.children:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            self.killed += 1
            del self.children[process]

    def reap(self) -> None:
        """Forget the processes that have ended."""
        for process in list(self.children):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                self.killed += os.WIFSIGNALED(status)
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
            told = (how, drawn(chance, 600), self.seed, 0.3)
            name = f"sender-{one + 1}"
            plan.append((chance.random() * 0.35, name, lambda name=name, told=told: lives.send(self.root, name, *told)))
        for _ in range(chance.choice((0, 0, 1, 2))):
            plan.append((chance.random() * 0.4, "kill", lambda: None))
        for _ in range(chance.choice((0, 0, 1)) if not self.collector else 1):
            plan.append((chance.random() * 0.4, "serve", lambda: None))
        plan += [(chance.random() * 0.35, "age", lambda: None)] * chance.choice((0, 0, 0, 1))
        begun = time.monotonic()
        for at, name, live in sorted(plan, key=lambda one: one[0]):
            time.sleep(max(0.0, begun + at - time.monotonic()))
            self.happens(name, live)
        until = time.monotonic() + PATIENCE
        while self.others() and time.monotonic() < until:
            self.reap()
            time.sleep(0.01)

    def exact_day(self, who: str, number: int) -> bool:
        """A writer dies with half a line, another records 24 events, a sender sends; whether one of them lived past this call."""
        self.odds, deadly = (0.0, 0.15), Fate("+", number)
        self.serve()
        self.environment["OTEL_BRIDGE_SPOOL_BYTES"] = "40000"
        fates = {"writer": deadly if who == "writer" else Fate(), "sender": deadly if who == "sender" else Fate()}
        self.wait(self.start("writer-1", lambda: lives.write(self.root, "writer-1", 9, Fate(tear=5), self.seed, False)))
        status = self.wait(
            self.start("writer-2", lambda: lives.write(self.root, "writer-2", 24, fates["writer"], self.seed, False))
        )
        if who == "sender":
            told = ("library", fates["sender"], self.seed, 10.0)
            less = {"OTEL_BRIDGE_SPOOL_BYTES": "24000"}  # so that it drops some, too
            status = self.wait(self.start("sender-1", lambda: lives.send(self.root, "sender-1", *told), **less))
        return not os.WIFSIGNALED(status)

    def wait(self, process: int) -> int:
        """Wait for a process to end; how it did."""
        _, status = os.waitpid(process, 0)
        self.killed += os.WIFSIGNALED(status)
        del self.children[process]
        return status

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
