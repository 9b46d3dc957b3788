"""A collector that is down for a day, and for forty: senders ask seldom, the disk stays small, and what is young enough arrives."""

import json
import math
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conftest import World

from otel_bridge.export.backoff import FIRST, MOST
from otel_bridge.record.losses import table
from otel_bridge.testing import OtlpSink

DAY = 86_400  # seconds
DRIVER = """
import json, os, random, resource, sys, time
import otel_bridge.clock as clock

source, runs, every, offset = sys.argv[1], *map(int, sys.argv[2:])
sys.path.insert(0, source)
begun, passed = time.time_ns(), 0
clock.now = lambda: begun + (offset + passed) * 1_000_000_000
clock.chance = random.Random(7).random

import otel_bridge
from otel_bridge import instrument
from otel_bridge.consent import decide
from otel_bridge.export.drain import drain
from otel_bridge.paths import state_dir
from probe import _telemetry

told = {"attempts": 0, "sent": 0, "lost": {}, "errors": 0, "most": 0}
folder = state_dir("probe")

def ship(run):
    if instrument.due(run.folder, run.declared.DIGEST):
        result = drain("probe", patience=0)
        told["attempts"] += 1
        told["sent"] += result.sent
        told["errors"] += "no answer (" in result.error
        for reason, number in result.lost.items():
            told["lost"][reason] = told["lost"].get(reason, 0) + number

def main():
    otel_bridge.event("probe.step", {"probe.step": 1})

def size():
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)

instrument.ship = ship
sys.argv = ["probe"]
for number in range(runs):
    passed = number * every
    instrument.run(_telemetry, decide("probe"), main, (), {})
    for name in os.listdir(folder + "/spool"):  # files have the real time
        if name.endswith(".jsonl"):
            os.utime(f"{folder}/spool/{name}", (clock.now() / 1e9, clock.now() / 1e9))
    told["most"] = max(told["most"], size())
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({**told, "cpu": usage.ru_utime + usage.ru_stime}))
"""


def drive(world: World, words: list[str], runs: int, every: int, offset: int, endpoint: str, **more: str) -> dict[str, Any]:
    """Let the tool run so often, `every` seconds, from `offset` seconds in the future on; what its senders did."""
    source = words[2].split("'")[1]
    driver = ("python", "-c", DRIVER, source, str(runs), str(every), str(offset))
    at = {"OTEL_BRIDGE_ENDPOINT": endpoint, "OTEL_BRIDGE_DETACH": "1", "OTEL_BRIDGE_PROTOCOL": "http/json", **more}
    told: dict[str, Any] = json.loads(world.run(*driver, **at).stdout)
    return told


def nowhere() -> str:
    """An endpoint that refuses every connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def attempts(jitter: float, runs: int, every: int) -> int:
    """How often a sender starts when all fail, with the same jitter, from 0 to 1, each time."""
    seconds, found = 0, 0
    while seconds < runs * every:
        found += 1
        pause = min(FIRST * 2 ** (found - 1), MOST) * (0.5 + jitter)
        seconds = max(math.ceil((seconds + int(pause)) / every), seconds // every + 1) * every
    return found


def lost(folder: Path) -> dict[str, int]:
    return {reason: row.lost for reason, row in table(str(folder)).rows.items()}


def test_a_day_without_a_collector(world: World, probe: Callable[[str], list[str]]) -> None:
    """144 runs, each of which may start a sender: the back-off alone bounds their number; then all arrives, once."""
    words, runs, every = probe(""), 144, 600
    world.run("otel-bridge", "on", "--product", "probe")
    down = drive(world, words, runs, every, 60, nowhere(), OTEL_BRIDGE_DRAIN_EVERY="0")
    least, most = attempts(1.0, runs, every), attempts(0.0, runs, every)
    print(f"\na day: {down['attempts']} attempts ({least} to {most}), {down['most']} bytes at most, {down['cpu']:.1f} s CPU in all")
    assert least <= down["attempts"] == down["errors"] <= most < runs
    assert (down["sent"], down["lost"], lost(world.state / "probe")) == (0, {}, {})
    assert down["most"] < 1 << 20
    with OtlpSink() as sink:
        up = drive(world, words, 1, every, 60 + DAY + 2 * MOST, sink.endpoint, OTEL_BRIDGE_DRAIN_EVERY="0")
    uids = {one.attributes["log.record.uid"] for one in sink.records}
    assert (up["attempts"], up["sent"], up["lost"], up["errors"]) == (1, 2 * (runs + 1), {}, 0)
    assert (len(uids), len(sink.records), len(sink.spans), world.waiting("probe")) == (runs + 1, runs + 1, runs + 1, [])


def test_forty_days_without_a_collector(world: World, probe: Callable[[str], list[str]]) -> None:
    """A run every six hours: what has waited for more than 30 days is counted as too old and told, the rest arrives."""
    words, runs, every = probe(""), 160, 21_600
    world.run("otel-bridge", "on", "--product", "probe")
    down = drive(world, words, runs, every, 60, nowhere())
    print(f"\n40 days: {down['attempts']} attempts, {down['most']} bytes at most, {down['cpu']:.1f} s CPU in all")
    assert (down["attempts"], down["sent"]) == (down["errors"], 0)
    assert down["most"] < 8 << 20
    with OtlpSink() as sink:
        up = [drive(world, words, 1, every, 60 + 40 * DAY + more, sink.endpoint) for more in (0, every)]
    young = 30 * DAY // every
    arrived = [one for one in sink.records if one.name == "probe.step"]
    dropped = [one.attributes for one in sink.records if one.name == "telemetry.dropped"]
    assert [one["errors"] for one in up] == [0, 0]
    assert young - 1 <= len(arrived) - 2 <= young + 1  # by the minute, and a run or two of the time after
    assert len(arrived) + len(sink.spans) + lost(world.state / "probe")["too_old"] == 2 * (runs + 2)
    assert lost(world.state / "probe").keys() == {"too_old"}
    assert {one["otel_bridge.dropped.reason"] for one in dropped} == {"too_old"}
    assert sum(one["otel_bridge.dropped.count"] for one in dropped) == lost(world.state / "probe")["too_old"]
    assert world.waiting("probe") == []
