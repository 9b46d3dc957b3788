"""Part d: recorded events go to a genuine collector, beside the SDK sending as many of the same events to the same one.

Each is a whole process, its start included: wall clock, CPU, memory at its peak, and the events that then stand in the file of
the collector, all its privacy steps passed. Ours reads, checks, sends and acknowledges what a run has recorded before; the SDK
makes its events on the spot, and waits for each batch so that none is lost. The bytes of the bodies are counted at a sink
of ours. Then a spool that is full by default is drained once more, for its memory.
"""

import json
import os
import random
import shutil
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import counting
from contenders import Contender
from measuring import HERE, OURS, Measured, measure, plain, sink
from recorded import BOUND, STATE, example, record, waiting
from run_cost import drain

from otel_bridge.collector.process import free_port, running

PROTOCOLS = ("http/protobuf", "http/json", "grpc")
PROBE, SIZED = 10, 1000


class Ways:
    """How events get to a sink: by one protocol of ours, or by the SDK."""

    def __init__(self, spool: Path, place: Path, python: str, endpoints: dict[str, str]) -> None:
        self.spool, self.place, self.python, self.endpoints = spool, place, python, endpoints

    def send(self, way: str, number: int) -> Measured:
        """One process that sends everything of a copy of the recorded home, or so many events of the SDK's."""
        if way == "otel-http":
            words = [self.python, str(HERE / "peers/sdk_batches.py"), self.endpoints["http"], str(number), "flush"]
            words.append(str(self.place / "example.json"))
            return measure(words, self.place, counting.environment(self.place))
        home = self.place / "home"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(self.spool, home)
        endpoint = self.endpoints["grpc" if way == "grpc" else "http"]
        return drain(home, endpoint, OTEL_BRIDGE_PROTOCOL=way, **BOUND)


def measured(contenders: Sequence[Contender], options: Namespace, place: Path) -> dict[str, object]:
    """All ways in random order, several rounds, against one collector; ways that cannot be used are said to be so."""
    sdk = next((one for one in contenders if one.name == "otel-http"), None)
    python = sdk.python(options.here) if sdk else ""
    ways = [*PROTOCOLS, *(["otel-http"] if sdk else [])]
    for name, number in (("few", PROBE), ("some", SIZED), ("many", options.drained)):
        record(place / name, number, **BOUND)
    example(place / "few", place / "example.json")
    found: dict[str, object] = {"events": waiting(place / "many"), "wanted": options.drained}
    print(f"d: {found['events']:,} events recorded of {options.drained:,} told", flush=True)
    found["bytes"] = sizes(ways, place, python)
    grpc = f"127.0.0.1:{free_port()}"
    with running(place / "collector", {"OTEL_BRIDGE_LOG_LEVEL": "error", "OTEL_BRIDGE_GRPC_ENDPOINT": grpc}) as collector:
        endpoints, log = {"http": collector.endpoint, "grpc": f"http://{grpc}"}, Arrivals(collector.files)
        refused = {}
        for way in list(ways):
            told = Ways(place / "few", place, python, endpoints).send(way, PROBE)
            if log.more(PROBE) != PROBE:
                ways.remove(way)
                refused[way] = _why(told, place)
                print(f"d: {way}: not measured: {refused[way]}", flush=True)
        found["refused"] = refused
        found["contenders"] = rounds(ways, Ways(place / "many", place, python, endpoints), log, found["events"], options.rounds)
        if not options.no_full:
            found["full"] = full(place, collector.endpoint, log)
    return found


def sizes(ways: list[str], place: Path, python: str) -> dict[str, object]:
    """Bytes of request bodies for each event, by way, as a sink of ours counts them; nothing where nothing came."""
    found: dict[str, object] = {}
    with sink("up", place) as where:
        for way in ways:
            where.forget()
            Ways(place / "some", place, python, {"http": where.http, "grpc": where.grpc}).send(way, SIZED)
            below = "/opentelemetry.proto.collector.logs" if way == "grpc" else "/v1/logs"
            came = where.count(OURS, below)
            if came["count"]:
                found[way] = {**came, "each": round(came["bytes"] / came["count"], 1)}
    return found


def rounds(ways: list[str], by: Ways, log: "Arrivals", number: int, times: int) -> dict[str, list[object]]:
    """Raw figures of every round and way."""
    shuffle = random.Random(7)
    found: dict[str, list[object]] = {way: [] for way in ways}
    for turn in range(times):
        for way in shuffle.sample(ways, len(ways)):
            told = by.send(way, number)
            arrived = log.more(number)
            found[way].append({**plain(told), "arrived": arrived})
            rate = f"{arrived / told.seconds:,.0f}/s, {told.cpu:.1f} s CPU, {told.peak / 1e6:.0f} MB"
            print(f"d: round {turn + 1} of {times}: {way:14}{arrived:,} of {number:,} arrived, {rate}", flush=True)
    return found


def full(place: Path, endpoint: str, log: "Arrivals") -> dict[str, object]:
    """A spool that holds as much as it may by default, drained: events, bytes on disk, memory at the peak."""
    home, held = place / "full", 0
    for _ in range(20):
        before = held
        record(home, 10_000)
        held = waiting(home)
        if held - before < 10_000:  # no more fit
            break
    size = sum(file.stat().st_size for file in (home / STATE / "spool").rglob("*") if file.is_file())
    told = drain(home, endpoint)
    arrived = log.more(held)
    print(f"d: a full spool: {held:,} events, {told.peak / 1e6:.0f} MB", flush=True)
    return {"events": held, "bytes": size, "arrived": arrived, **plain(told)}


class Arrivals:
    """The files of logs that the collector writes, each read on from where it was read to; it renames the one that is full."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.read: dict[int, int] = {}  # by inode, which a new name does not change

    def more(self, number: int) -> int:
        """Events that have come since, waiting up to ten seconds for so many."""
        came, until = 0, time.monotonic() + 10
        while True:
            for path in self.folder.glob("logs*"):
                with path.open("rb") as file:
                    inode = os.fstat(file.fileno()).st_ino
                    file.seek(self.read.get(inode, 0))
                    text = file.read()
                whole = text.rfind(b"\n") + 1
                came += text.count(OURS.encode(), 0, whole)
                self.read[inode] = self.read.get(inode, 0) + whole
            if came >= number or time.monotonic() > until:
                return came
            time.sleep(0.1)


def _why(told: Measured, place: Path) -> str:
    """What a sender said when nothing of it arrived."""
    try:
        return str(json.loads(told.output)["error"]) or "nothing arrived"
    except (ValueError, KeyError):
        errors = [file.read_text(errors="replace").strip() for file in (place / "home/.errors", place / ".errors") if file.exists()]
        return next((text.splitlines()[-1] for text in errors if text), "nothing arrived")
