"""A disk that fills up, fails, goes away or lies about the time: the tool works as ever, and what is lost is counted."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import World, attributes, lines_of
from filesystem import Small, small

from otel_bridge.export import spool
from otel_bridge.record.losses import table
from otel_bridge.testing import OtlpSink

CREATE = ("kitchen", "create", "debian")
EACH = 2  # records of such a run: an event and a span


@pytest.fixture
def disk(world: World, request: pytest.FixtureRequest) -> Iterator[Small]:
    with small(world.root / "small", getattr(request, "param", "size=128k")) as made:
        yield made


def run(world: World, disk: Small, *words: str, ok: bool | None = True, **more: str) -> subprocess.CompletedProcess[str]:
    """Run an installed program with its state on the small file system."""
    return world.run(*disk.enter, *words, ok=ok, XDG_STATE_HOME=str(disk.folder), **more)


def said(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


def on(world: World, disk: Small) -> tuple[int, str, str]:
    """Turn the tool on; what it says without telemetry."""
    run(world, disk, "otel-bridge", "on", "--product", "kitchen")
    return said(run(world, disk, *CREATE, DO_NOT_TRACK="1"))


def waits(folder: Path) -> int:
    """Records that wait in a product's folder."""
    return sum(spool.count(folder).values())


def lost(folder: Path) -> dict[str, int]:
    return {reason: row.lost for reason, row in table(str(folder)).rows.items()}


def test_a_full_disk_changes_no_tool_and_every_loss_is_counted(world: World, disk: Small) -> None:
    """Full to the last byte: the same output, every record waits or is counted in place; with room again all arrives, unaided."""
    bare = on(world, disk)
    state = disk.seen / "otel-bridge/kitchen"
    assert said(run(world, disk, *CREATE)) == bare
    assert (waits(state), lost(state)) == (EACH, {})
    disk.fill()
    for _ in range(8):
        assert said(run(world, disk, *CREATE)) == bare
    waiting, missing = waits(state), lost(state)
    assert missing.keys() == {"disk_full"}
    assert waiting + missing["disk_full"] == EACH * 9
    disk.free()
    assert said(run(world, disk, *CREATE)) == bare
    assert (waits(state), lost(state)) == (waiting + EACH, missing)
    with OtlpSink() as sink:
        run(world, disk, "otel-bridge", "drain", "--product", "kitchen", OTEL_BRIDGE_ENDPOINT=sink.endpoint)
    dropped = [one for one in sink.records if one.name == "telemetry.dropped"]
    assert [one.attributes["otel_bridge.dropped.count"] for one in dropped] == [missing["disk_full"]]
    assert len(sink.records) + len(sink.spans) == waiting + EACH + 1
    assert waits(state) == 0


def test_a_disk_that_is_full_from_the_beginning_changes_no_tool(world: World, disk: Small) -> None:
    """Not even the page of losses can be made, so these runs cannot be counted; with room again the next run records."""
    run(world, disk, "otel-bridge", "on")
    bare = said(run(world, disk, *CREATE, DO_NOT_TRACK="1"))
    state = disk.seen / "otel-bridge/kitchen"
    disk.fill()
    for _ in range(2):
        assert said(run(world, disk, *CREATE)) == bare
    assert (waits(state), lost(state)) == (0, {})
    disk.free()
    assert said(run(world, disk, *CREATE)) == bare
    assert (waits(state), lost(state)) == (EACH, {})


@pytest.mark.parametrize("disk", ["size=1m,nr_inodes=64"], indirect=True)
def test_a_disk_without_room_for_another_name_changes_no_tool(world: World, disk: Small) -> None:
    """No inode is left, so no mark of a run can be made: the run is counted instead, and the next one records again."""
    bare = on(world, disk)
    state = disk.seen / "otel-bridge/kitchen"
    run(world, disk, *CREATE)
    disk.fill_inodes()
    for _ in range(2):
        assert said(run(world, disk, *CREATE)) == bare
    assert (waits(state), lost(state)) == (EACH, {"disk_full": 2})
    disk.free()
    assert said(run(world, disk, *CREATE)) == bare
    assert (waits(state), lost(state)) == (EACH * 2, {"disk_full": 2})


def test_a_session_that_cannot_be_begun_is_counted(world: World, disk: Small) -> None:
    """The session is over and the disk is full: the run is not recorded, and that is counted."""
    bare = on(world, disk)
    state = disk.seen / "otel-bridge/kitchen"
    run(world, disk, *CREATE)
    disk.fill()
    os.utime(disk.seen / "otel-bridge/.session", (0, 0))
    assert said(run(world, disk, *CREATE)) == bare
    assert (waits(state), lost(state)) == (EACH, {"disk_full": 1})


def test_a_disk_that_becomes_read_only_changes_no_tool(world: World, disk: Small) -> None:
    """Nothing can be written, so nothing can be counted; written to again, the next run records."""
    bare = on(world, disk)
    state = disk.seen / "otel-bridge/kitchen"
    run(world, disk, *CREATE)
    disk.remount("ro")
    assert said(run(world, disk, *CREATE)) == bare
    run(world, disk, "otel-bridge", "drain", "--product", "kitchen", ok=False, OTEL_BRIDGE_ENDPOINT="http://127.0.0.1:9")
    disk.remount("rw")
    assert said(run(world, disk, *CREATE)) == bare
    assert (waits(state), lost(state)) == (EACH * 2, {})


class Filling(OtlpSink):
    """A server that lets something happen while it takes its first request, and answers the third with 500."""

    happens: Callable[[], None]

    def _take(self, request):
        if not self.requests:
            self.happens()
        if len(self.requests) == 2:
            self.answer(500, times=1)
        return super()._take(request)


@pytest.mark.parametrize("disk", ["size=2m"], indirect=True)
def test_a_disk_that_fills_up_during_a_drain_loses_nothing(world: World, disk: Small) -> None:
    """How far the sender has come cannot be written, and a server fails: the next one sends some of it again, and all of it."""
    on(world, disk)
    state = disk.seen / "otel-bridge/kitchen"
    run(world, disk, *CREATE)
    file = state / "spool/logs.jsonl"
    file.write_text("".join(lines_of(file.read_text(), 800)))
    with Filling() as sink:
        sink.happens = disk.fill
        drain = ("otel-bridge", "drain", "--product", "kitchen", "--json")
        first = run(world, disk, *drain, ok=False, OTEL_BRIDGE_ENDPOINT=sink.endpoint)
        assert "the server answered 500" in json.loads(first.stdout)["error"]
        seen = {one.attributes["log.record.uid"] for one in sink.records}
        assert 0 < len(seen) < 800
        assert waits(state) == 801
        disk.free()
        run(world, disk, *drain, OTEL_BRIDGE_ENDPOINT=sink.endpoint)
    uids = {one.attributes["log.record.uid"] for one in sink.records if one.name == "kitchen.create"}
    assert (len(uids), len(sink.spans), waits(state)) == (800, 1, 0)
    assert lost(state).keys() == {"ledger"}  # it was sent, but the ledger had no room


SHORT = """
import os, resource
from otel_bridge import paths

resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for made, flag in ((paths.write, (os.O_APPEND,)), (paths.rewrite, ())):
    for text in ("a" * 600, "b" * 600 + "c" * 600 * (not flag)):
        try:
            made(os.getcwd() + "/" + made.__name__, *flag[:1], text)
        except OSError as problem:
            print(made.__name__, problem.errno)
print(sorted((name, os.stat(name).st_size) for name in os.listdir()))
"""


def test_half_a_write_leaves_nothing_behind(world: World) -> None:
    """A file ends where it ended before the write that did not fit, and no new file waits to replace it."""
    done = world.run("python", "-c", SHORT)
    assert done.stdout == "write 28\nrewrite 28\n[('rewrite', 600), ('write', 600)]\n"


REMOVED = """
import os, shutil
import otel_bridge

def main():
    otel_bridge.event("probe.step", {"probe.step": 1})
    shutil.rmtree(os.environ["GONE"])
    otel_bridge.event("probe.step", {"probe.step": 2})
    print("done")
    return 3
"""


def test_a_state_folder_that_goes_away_during_a_run_is_made_again(world: World, probe: Callable[[str], list[str]]) -> None:
    """By the choice for all products: what was in the folder is gone, what is recorded afterwards waits."""
    world.run("otel-bridge", "on")
    words = probe(REMOVED)
    done = world.run(*words, ok=None, GONE=str(world.state / "probe"))
    assert said(done) == (3, "done\n", "")
    assert [item.body.get("eventName", "cli.run") for item in world.waiting("probe")] == ["probe.step", "cli.run"]
    assert [attributes(item)["probe.step"] for item in world.waiting("probe")[:1]] == [2]


def test_a_choice_that_goes_away_with_the_folder_holds_no_longer(world: World, probe: Callable[[str], list[str]]) -> None:
    """Who said on for this product alone has said nothing any more: nothing is recorded, and no folder comes back."""
    world.run("otel-bridge", "on", "--product", "probe")
    done = world.run(*probe(REMOVED), ok=None, GONE=str(world.state / "probe"))
    assert said(done) == (3, "done\n", "")
    assert not (world.state / "probe").exists()


FORKING = """
import os
import otel_bridge

def main():
    otel_bridge.event("probe.step", {"probe.step": 1})
    child = os.fork()
    for number in range(50):
        otel_bridge.event("probe.step", {"probe.step": number})
    if child:
        os.waitpid(child, 0)
    return 0
"""


def test_both_sides_of_a_fork_record(world: World, probe: Callable[[str], list[str]]) -> None:
    """Each event of parent and child stands once, whole, with a uid of its own; the run itself is told by the parent alone."""
    world.run("otel-bridge", "on", "--product", "probe")
    world.run(*probe(FORKING))
    items = world.waiting("probe")
    uids = {attributes(item)["log.record.uid"] for item in items if item.signal == "logs"}
    assert (len(uids), [item.signal for item in items].count("traces")) == (101, 1)
    assert lost(world.state / "probe") == {}


CLOCK = """
import os
import otel_bridge.clock as clock

real, days = clock.now, int(os.environ.get("DAYS", "0"))
clock.now = lambda: real() + days * 86_400_000_000_000
"""


def test_a_clock_that_jumps_changes_no_tool_and_stops_no_sender(world: World) -> None:
    """400 days ahead and back, then behind the day of consent: what is too early is counted, the rest arrives, senders stay due."""
    world.on()
    (world.root / "clock").mkdir()
    (world.root / "clock/sitecustomize.py").write_text(CLOCK)
    at = {"PYTHONPATH": str(world.root / "clock"), "OTEL_BRIDGE_DRAIN_EVERY": "3600"}
    bare = said(world.run(*CREATE, DO_NOT_TRACK="1"))
    with OtlpSink() as sink:
        for days in ("0", "400", "0", "-2", "0"):
            assert said(world.run(*CREATE, DAYS=days, **at)) == bare
        drain = ("otel-bridge", "drain", "--product", "kitchen", "--json")
        told = [world.json(*drain, DAYS=days, OTEL_BRIDGE_ENDPOINT=sink.endpoint, **at) for days in ("0", "400")]
        assert said(world.run(*CREATE, **at)) == bare
        clock = {**at, "OTEL_BRIDGE_DETACH": "1", "OTEL_BRIDGE_ENDPOINT": sink.endpoint}
        assert said(world.run(*CREATE, **clock)) == bare  # a sender has run 400 days ahead, and another is due
        assert until(lambda: len(sink.spans) == 6)
    assert [(one["sent"], one["lost"], one["error"]) for one in told] == [(8, {"before_consent": 2}, ""), (0, {}, "")]
    assert lost(world.state / "kitchen") == {"before_consent": 2}


def until(true: Callable[[], object], seconds: float = 60.0) -> bool:
    """Whether something becomes true in time; bounded, for a machine that others use."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return False
