"""`otel-bridge replay` that is stopped: nothing that it took is skipped, wherever the next one goes, and no collector stays behind."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import BIN, World
from test_replay import BINARY, CONFIG, arrived, logs, record, told, uid, uids

from otel_bridge.collector.process import free_port, hec_peer
from otel_bridge.testing import OtlpSink

WANTED = Counter(uid(number) for number in range(40))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A folder of the file sink: 40 records in 4 documents."""
    folder = tmp_path / "out"
    folder.mkdir()
    lines = (logs(*(record(number) for number in range(at, at + 10))) for at in range(0, 40, 10))
    (folder / "logs.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    assert holds()


def started(world: World, *words: str, **more: str) -> subprocess.Popen[str]:
    """A replay under way, in a process group of its own, as a shell gives it to a command."""
    told = {**world.environment(), "OTEL_BRIDGE_COLLECTOR_CONFIG": str(CONFIG), **BINARY, **more}
    words = (str(BIN / "otel-bridge"), "replay", *words)
    return subprocess.Popen(words, env=told, cwd=world.work, text=True, stderr=subprocess.PIPE, process_group=0)


def taken(queue: Path) -> int:
    """How many documents stand as taken in the progress of the only file that is replayed."""
    kept = [json.loads(file.read_text()) for file in queue.glob("*/done.json")]
    return sum(number for one in kept for key, number in one.items() if " " not in key)


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and that nobody has asked about does not."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return done.stdout.strip()[:1] not in ("", "Z")


def ended(pid: int) -> None:
    """End with SIGTERM the collector that a killed replay has left behind."""
    os.kill(pid, signal.SIGTERM)
    until(lambda: not alive(pid))


def splunk_at(port: int) -> dict[str, str]:
    token = "00000000-0000-0000-0000-000000000001"
    return {"OTEL_BRIDGE_SPLUNK_URL": f"http://127.0.0.1:{port}/services/collector", "OTEL_BRIDGE_SPLUNK_TOKEN": token}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_replay_that_is_told_to_end_knows_what_waits(world: World, archive: Path, tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C (to the whole group) or a signal while Splunk is down and all is in the queue: one line, the collector is gone; the
    same command later posts nothing again, and is not done before Splunk has everything."""
    port, queue = free_port(), tmp_path / "queue"
    words = (str(archive), "--sink", "splunk", "--queue", str(queue))
    replay = started(world, *words, **splunk_at(port))
    until(lambda: taken(queue) == 4)
    (pid,) = (int(file.read_text()) for file in queue.glob("*/collector.pid"))
    os.killpg(replay.pid, number)
    lines = [line for line in replay.communicate()[1].splitlines() if not line.startswith("replay: ")]  # how far it had come
    assert lines == ["stopped; what was taken is kept, the same command goes on"]
    assert (replay.returncode, alive(pid)) == (128 + number, False)
    (kept,) = (json.loads(file.read_text()) for file in queue.glob("*/done.json"))
    assert {key: value for key, value in kept.items() if " " in key} == {"logs splunk_hec": 40}
    with hec_peer(tmp_path / "hec", port) as peer:
        found = told(world, *words, **peer.variables)
        assert (found["before"], found["accepted"], found["sent"], found["waiting"]) == (40, 0, {"splunk_hec logs": 40}, {})
        assert arrived(lambda: uids(peer), WANTED) == WANTED


def test_after_kill_9_the_next_replay_names_what_holds_the_queue(world: World, archive: Path, tmp_path: Path) -> None:
    """Its collector lives on and has the queue: one line with its pid. When that is ended, the same command brings everything."""
    port, queue = free_port(), tmp_path / "queue"
    words = (str(archive), "--sink", "splunk", "--queue", str(queue))
    replay = started(world, *words, **splunk_at(port))
    until(lambda: taken(queue) == 4)
    (file,) = queue.glob("*/collector.pid")
    pid = int(file.read_text())
    replay.kill()
    replay.communicate()
    try:
        again = started(world, *words, **splunk_at(port))
        assert again.communicate()[1] == (
            f"{file.parent / 'queue'}: process {pid} has it, the collector of a replay that runs or was killed; "
            f"let it end, or `kill {pid}`, then the same command goes on\n"
        )
        assert again.returncode == 1
    finally:
        ended(pid)
    with hec_peer(tmp_path / "hec", port) as peer:
        found = told(world, *words, **peer.variables)
        assert (found["before"], found["accepted"], found["waiting"]) == (40, 0, {})
        assert arrived(lambda: uids(peer), WANTED) == WANTED


def test_what_was_sent_before_a_kill_is_doubted_and_sent_again_rather_than_skipped(
    world: World, archive: Path, tmp_path: Path
) -> None:
    """The collector of a killed replay gives Splunk everything and dies too: the next replay cannot know that, and owes it, exit 1;
    the one after it sends everything again."""
    port, queue = free_port(), tmp_path / "queue"
    words = (str(archive), "--sink", "splunk", "--queue", str(queue), "--timeout", "2")
    replay = started(world, *words, **splunk_at(port))
    until(lambda: taken(queue) == 4)
    replay.kill()
    replay.communicate()
    (pid,) = (int(file.read_text()) for file in queue.glob("*/collector.pid"))
    with hec_peer(tmp_path / "hec", port) as peer:
        until(lambda: uids(peer) == WANTED)
        ended(pid)
        found = told(world, *words, ok=False, **peer.variables)
        assert (found["before"], found["accepted"], found["waiting"]) == (40, 0, {"splunk_hec logs": 40})
        found = told(world, *words, **peer.variables)
        assert (found["before"], found["accepted"], found["waiting"]) == (0, 40, {})
        assert arrived(lambda: uids(peer), WANTED + WANTED) == WANTED + WANTED


def test_a_replay_that_is_killed_goes_on_behind_what_was_taken_and_another_intake_gets_everything(
    world: World, archive: Path, tmp_path: Path
) -> None:
    """kill -9 while the intake answers 503 after three requests: the same command posts the others, none twice. Another URL with
    the same queue folder begins at the beginning."""
    with OtlpSink() as sink, OtlpSink() as other:
        words = [str(archive), "--queue", str(tmp_path / "queue"), "--endpoint"]
        sink.answer(200, b"{}", times=3)
        sink.answer(503)
        replay = started(world, *words, sink.endpoint)
        until(lambda: len(sink.requests) >= 5)
        replay.kill()
        replay.communicate()
        found = told(world, *words, other.endpoint)
        assert (found["before"], found["accepted"]) == (0, 40)
        sink.answer(200, b"{}")
        found = told(world, *words, sink.endpoint)
        assert (found["before"], found["accepted"]) == (30, 10)
        for one in (sink, other):
            assert Counter(event.attributes["log.record.uid"] for event in one.records) == WANTED
