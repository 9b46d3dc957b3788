"""What is counted as lost, and told: each loss once, nothing that the person refused, and nothing after off."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import BIN, World
from test_otlp import answering

from otel_bridge import instrument
from otel_bridge.export import drain, spool
from otel_bridge.export.segment import Segment
from otel_bridge.record import losses, segments

LOG = '{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{"eventName":"e%d"}]}]}]}\n'
DRAIN = ("otel-bridge", "drain", "--product", "kitchen", "--json")
HOLD = "import os, sys, time; fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT); os.lockf(fd, os.F_LOCK, 0); print(flush=True); time.sleep(60)"


@contextmanager
def held(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process holds the lock of a file, and does nothing else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen([BIN / "python", "-c", HOLD, path], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def lost(folder: Path) -> dict[str, int]:
    return {reason: row.lost for reason, row in losses.table(str(folder)).rows.items()}


def waiting(folder: Path, lines: int) -> Path:
    """A spool with so many events in one sealed segment."""
    (folder / "spool").mkdir(parents=True)
    path = folder / "spool/logs.000001.0a0a0a0a.sealed"
    path.write_text("".join(LOG % number for number in range(lines)))
    return path


def taken(folder: Path) -> Segment:
    segment = spool.take(folder, "logs", set())
    assert segment is not None
    return segment


@pytest.mark.parametrize("part", [("--category", "reliability"), ("--event", "kitchen.converge"), ("--category", "interaction")])
def test_what_the_person_refused_is_not_counted(world: World, part: tuple[str, str]) -> None:
    """The product goes on offering it, and nobody learns from a number how often."""
    world.on()
    world.run("otel-bridge", "off", "--product", "kitchen", *part)
    world.run("kitchen", "converge", "debian")
    assert world.json("otel-bridge", "lost", "--product", "kitchen", "--json")["reasons"] == {}


def test_a_run_that_is_refused_leaves_no_mark(world: World, probe: Callable[[str], list[str]]) -> None:
    """Killed on the spot: a person who refused runs is not counted among those who had one."""
    words = probe("import os, signal\ndef main():\n    os.kill(os.getpid(), signal.SIGKILL)\n")
    for refusing, counted in (((), {"unfinished": 1}), (("--event", "cli.run"), {})):
        world.run("otel-bridge", "on", "--product", "probe")
        if refusing:
            world.run("otel-bridge", "off", "--product", "probe", *refusing)
        assert world.run(*words, ok=None, PROBE_TELEMETRY="on").returncode == -signal.SIGKILL
        told = world.json("otel-bridge", "lost", "--product", "probe", "--json")["reasons"]
        assert {reason: row["lost"] for reason, row in told.items()} == counted
        (world.state / "probe/lost").unlink(missing_ok=True)


def test_a_sender_that_waited_while_the_person_said_off_sends_nothing(world: World) -> None:
    """It had decided before it waited for another one; the choice is asked for again, and what was lost is not told."""
    world.on()
    world.run("kitchen", "create", "debian")
    losses.lose(str(world.state / "kitchen"), "busy", 3)
    with answering(200, {}, b"") as server, held(world.state / "kitchen/sender.lock") as other:
        words = [str(BIN / one) if one == "otel-bridge" else one for one in DRAIN]
        environment = world.environment(OTEL_BRIDGE_ENDPOINT=server.endpoint)
        with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as sender:
            time.sleep(1)
            world.run("otel-bridge", "off", "--product", "kitchen")
            told = sender.communicate(timeout=60)[0]
        assert other.wait() == -signal.SIGKILL
    assert "is off" in told
    assert server.requests == []


def test_a_choice_that_changed_makes_the_next_sender_wait_for_nothing(world: World) -> None:
    """Something more is refused while a sender is at work: it ends, and the next one is due at once."""
    world.on()
    world.run("kitchen", "create", "debian")
    refuse = ("otel-bridge", "off", "--product", "kitchen", "--event", "kitchen.create")
    with answering(200, {}, b"", before=lambda: world.run(*refuse)) as server:
        result = world.json(*DRAIN, ok=False, OTEL_BRIDGE_ENDPOINT=server.endpoint)
    assert "has changed" in result["error"]
    assert (len(server.requests), result["sent"]) == (1, 1)
    assert not (world.state / "kitchen/drain").exists()


def test_a_renamed_build_counts_what_had_not_left(tmp_path: Path) -> None:
    """A sender had come half through a segment: only the rest is lost, and nothing is left of it."""
    waiting(tmp_path, 5)
    segment = taken(tmp_path)
    numbers = segment.items()
    segment.settle([next(numbers)[0] for _ in range(3)], {"rejected": 1})
    result = drain.Result()
    drain._drop(tmp_path, result)
    assert (lost(tmp_path), result.lost) == ({"rejected": 1, "renamed_build": 2}, {"renamed_build": 2})
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_step_that_could_not_be_noted_moves_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full at a sender's first step and not at its second; it dies, and the next one counts nothing twice."""
    waiting(tmp_path, 4)
    segment = taken(tmp_path)
    numbers = [number for number, _ in segment.items()]

    def full(self: Segment, step: bytes) -> None:
        raise OSError(28, "full")

    with monkeypatch.context() as patch:
        patch.setattr(Segment, "_note", full)
        segment.settle(numbers[:1], {"torn": 1})
    segment.settle(numbers[1:2], {"refused": 1})
    again = taken(tmp_path)
    assert [number for number, _ in again.items()] == [0, 2, 3]
    again.settle([0], {"torn": 1})
    again.settle([2, 3], {})
    assert lost(tmp_path) == {"torn": 1, "refused": 1}


def test_what_cannot_be_counted_is_not_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody holds the file of losses: a segment that was dropped stays under its reason until it can be counted."""
    monkeypatch.setattr(losses, "PATIENCE", 3)
    path = waiting(tmp_path, 4)
    os.utime(path, (1, 1))
    with held(tmp_path / "lost"):
        segments.bound(str(tmp_path))
        assert [one.suffix for one in (tmp_path / "spool").iterdir()] == [".too_old"]
        assert lost(tmp_path) == {}
    segments.bound(str(tmp_path))
    assert list((tmp_path / "spool").iterdir()) == []
    assert lost(tmp_path) == {"too_old": 4}


def test_a_fork_counts_nothing_of_its_parents(tmp_path: Path) -> None:
    """A change that a thread of the parent is at is the parent's alone."""
    losses._owed.append((str(tmp_path), lambda table: table.add({"busy": 1}), []))
    child = os.fork()
    if child == 0:
        os._exit(len(losses._owed))
    assert os.waitpid(child, 0)[1] == 0
    losses.lose(str(tmp_path), "torn")
    assert lost(tmp_path) == {"busy": 1, "torn": 1}


@pytest.mark.parametrize("text", ["last = soon\n", "last = 1\nnot_before = never\n", b"\xff\xfe", None])
def test_a_file_that_somebody_edited_stops_no_sender(tmp_path: Path, text: str | bytes | None) -> None:
    """Nonsense, no text, or a folder where it is kept when the next sender may start: one is due, and writes it anew."""
    path = tmp_path / "drain"
    if text is None:
        path.mkdir()
    else:
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    assert instrument.due(str(tmp_path), "any") is True
