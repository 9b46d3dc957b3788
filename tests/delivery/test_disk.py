"""A disk that fills up, fails, goes away or lies about the time: the tool works as ever, and what is lost is counted."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import World
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
    print(sorted(str(p) for p in state.rglob("*")))
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
    drained = run(world, disk, "otel-bridge", "drain", "--product", "kitchen", ok=False, OTEL_BRIDGE_ENDPOINT="http://127.0.0.1:9")
    print(said(drained))
    disk.remount("rw")
    assert said(run(world, disk, *CREATE)) == bare
    assert (waits(state), lost(state)) == (EACH * 2, {})
