"""What the intake has acknowledged, every sink has in the end: counted by number, whatever dies in between."""

import os
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import BIN
from ledger import Ledger, Splunk, duplicates, in_files, splunk, until

from otel_bridge.collector.process import Peer, Running, free_port, hec_peer, running

FILE_AND_SPLUNK = {"OTEL_BRIDGE_SINK": "file", "OTEL_BRIDGE_SINK_2": "splunk"}


@pytest.fixture
def hec() -> Iterator[Splunk]:
    with splunk() as started:
        yield started


def down_at(port: int) -> dict[str, str]:
    """The variables of a Splunk at a port where nobody listens yet."""
    token = "00000000-0000-0000-0000-000000000001"
    return {"OTEL_BRIDGE_SPLUNK_URL": f"http://127.0.0.1:{port}/services/collector", "OTEL_BRIDGE_SPLUNK_TOKEN": token}


def killed_while(intake: Running, ledger: Ledger, requests: int, records: int) -> None:
    """Post from another thread until there is no answer, and kill the collector with SIGKILL after so many requests were taken."""
    enough = ledger.statuses[200] + requests

    def keep_posting() -> None:
        while ledger.send(intake, records) == 200:
            pass

    posting = threading.Thread(target=keep_posting)
    posting.start()
    until(lambda: ledger.statuses[200] >= enough)
    intake.process.kill()
    posting.join()
    intake.process.wait()


def of_peer(peer: Peer) -> Counter[str]:
    """The uids that a genuine HEC endpoint wrote."""
    return Counter(event["log.record.uid"] for event in peer.events())


def test_a_killed_collector_with_a_backlog_and_a_splunk_that_comes_up_late(tmp_path: Path, record_property) -> None:
    """Splunk down at the start, kill -9 twice with a backlog and amid requests, then up: 0 of the acknowledged lost, in both sinks."""
    ledger, port = Ledger(), free_port()
    for _ in range(2):
        with running(tmp_path / "intake", {**FILE_AND_SPLUNK, **down_at(port)}) as intake:
            killed_while(intake, ledger, 10, 25)
    with hec_peer(tmp_path / "peer", port) as peer, running(tmp_path / "intake", {**FILE_AND_SPLUNK, **peer.variables}) as intake:
        assert ledger.send(intake, 25) == 200
        until(lambda: not ledger.lost(of_peer(peer)))
        seen = of_peer(peer)
    assert 525 <= len(ledger.acknowledged) < ledger.sent
    assert (ledger.lost(seen), ledger.lost(in_files(tmp_path / "intake/out"))) == (set(), set())
    record_property("duplicates", (duplicates(seen), duplicates(in_files(tmp_path / "intake/out"))))


def test_a_killed_collector_and_another_otlp_endpoint_that_comes_up_late(tmp_path: Path, record_property) -> None:
    """The same with a second intake behind the otlp sink: it is a gateway's own limits that the requests keep to."""
    ledger, port = Ledger(), free_port()
    sink = {"OTEL_BRIDGE_SINK": "otlp", "OTEL_BRIDGE_OTLP_URL": f"http://127.0.0.1:{port}"}
    with running(tmp_path / "intake", sink) as intake:
        killed_while(intake, ledger, 10, 25)
    limits = {"OTEL_BRIDGE_HTTP_ENDPOINT": f"127.0.0.1:{port}", "OTEL_BRIDGE_MAX_BODY_BYTES": "65536"}
    with running(tmp_path / "peer", limits) as peer, running(tmp_path / "intake", sink) as intake:
        for _ in range(20):
            assert ledger.send(intake, 100) == 200
        until(lambda: not ledger.lost(in_files(peer.files)))
    seen = in_files(peer.files)
    assert len(ledger.acknowledged) >= 2250
    assert ledger.lost(seen) == set()
    record_property("duplicates", duplicates(seen))


def test_a_splunk_that_is_busy_is_asked_again(tmp_path: Path, hec: Splunk) -> None:
    """503 with Retry-After, then 429, then 200: everything arrives, once."""
    ledger = Ledger()
    hec.answer = (503, {"Retry-After": "1"})
    with running(tmp_path, {**FILE_AND_SPLUNK, **hec.variables}) as intake:
        for _ in range(4):
            assert ledger.send(intake, 100) == 200
        until(lambda: hec.refused >= 2)
        hec.answer, refused = (429, {"Retry-After": "1"}), hec.refused
        until(lambda: hec.refused > refused)
        hec.answer = (200, {})
        until(lambda: not ledger.lost(hec.seen()))
    assert hec.refused >= 3
    assert (ledger.lost(hec.seen()), duplicates(hec.seen())) == (set(), 0)
    assert (ledger.lost(in_files(intake.files)), duplicates(in_files(intake.files))) == (set(), 0)


def test_what_splunk_refuses_for_good_comes_back_from_the_archive(tmp_path: Path, hec: Splunk) -> None:
    """403 and 400 are no reason to ask again: lost at Splunk, whole in the archive; a replay of it brings all, what was there twice."""
    ledger = Ledger()
    with running(tmp_path / "intake", {**FILE_AND_SPLUNK, **hec.variables}) as intake:
        for status in (403, 400):
            hec.answer, refused = (status, {}), hec.refused
            assert ledger.send(intake, 100) == 200
            until(lambda refused=refused: hec.refused > refused)
        hec.answer, refused = (200, {}), set(ledger.acknowledged)
        assert ledger.send(intake, 100) == 200
        until(lambda: len(hec.seen()) == 100)
    assert ledger.lost(hec.seen()) == refused
    with (intake.files / "logs.jsonl").open("a") as archive:
        archive.write('{"resourceLogs":[{"resource":')  # as a killed collector leaves it
    subprocess.run([BIN / "otel-bridge", "replay", intake.files, "--to", tmp_path / "mended"], check=True, capture_output=True)
    told = {"OTEL_BRIDGE_SINK": "splunk", "OTEL_BRIDGE_OVERLAY": "replay", "OTEL_BRIDGE_REPLAY_DIR": str(tmp_path / "mended")}
    told |= {"OTEL_BRIDGE_REPLAY_QUEUE_DIR": str(tmp_path / "replay/queue"), **hec.variables}
    with running(tmp_path / "replay", told):
        until(lambda: not ledger.lost(hec.seen()))
    assert len(ledger.acknowledged) == 300
    assert (ledger.lost(hec.seen()), duplicates(hec.seen())) == (set(), 100)


@pytest.mark.parametrize("overlay", ["none", "isolate"])
def test_a_full_queue_refuses_and_loses_nothing_that_it_took(tmp_path: Path, overlay: str) -> None:
    """Splunk down and its queue full: 503 to the client. With `isolate` the client hears 200, for the file took the record."""
    ledger, queue = Ledger(), {"OTEL_BRIDGE_QUEUE_BYTES": "300000", "OTEL_BRIDGE_OVERLAY": overlay}
    port = free_port()
    with ExitStack() as stack:
        intake = stack.enter_context(running(tmp_path / "intake", {**FILE_AND_SPLUNK, **queue, **down_at(port)}))
        for _ in range(60):
            ledger.send(intake, 100)
        if overlay == "isolate":
            until(lambda: not ledger.lost(in_files(intake.files)))
            assert ledger.statuses == {200: 60}
        else:
            assert set(ledger.statuses) == {200, 503}
            peer = stack.enter_context(hec_peer(tmp_path / "peer", port))
            until(lambda: not ledger.lost(of_peer(peer)), 100)
            assert ledger.lost(of_peer(peer)) == set()
    assert ledger.lost(in_files(intake.files)) == set()


def test_rotated_files_keep_everything_for_their_owner_alone(tmp_path: Path) -> None:
    """A file of 1 MB is rotated: more than one file, nothing lost, mode 0600."""
    ledger = Ledger()
    with running(tmp_path, {"OTEL_BRIDGE_FILE_MEGABYTES": "1"}) as intake:
        for _ in range(20):
            assert ledger.send(intake, 400) == 200
    files = sorted(intake.files.glob("logs*.jsonl"))
    assert len(files) > 1
    assert {oct(file.stat().st_mode) for file in files} == {"0o100600"}
    assert (len(ledger.acknowledged), ledger.lost(in_files(intake.files)), duplicates(in_files(intake.files))) == (8000, set(), 0)


def small_disk(place: Path) -> list[str]:
    """Words that run a command with a disk of 1 MiB in the place of a folder, seen by it alone; 64 KiB of it are taken up."""
    place.mkdir(parents=True)
    script = f"mount -t tmpfs -o size=1m tmpfs {place} && head -c 65536 /dev/zero > {place}/ballast && "
    for unshare in (["unshare", "-m"], ["unshare", "-rm"]):
        if subprocess.run([*unshare, "sh", "-c", f"{script} true"], capture_output=True).returncode == 0:
            return [*unshare, "sh", "-c", f'{script} exec "$@"', "sh"]
    assert not os.environ.get("CI"), "no mount namespace may be made here"
    pytest.skip("no mount namespace may be made here")


@pytest.mark.parametrize("full", ["intake/out", "intake"], ids=["the archive's", "the queue's too"])
def test_a_full_disk_refuses_and_loses_nothing_that_was_taken(tmp_path: Path, hec: Splunk, full: str, record_property) -> None:
    """503 while there is no room; with room again it goes on, and the glued line that it leaves is read whole.

    The queue wants a disk of its own: where it shares the full one, v0.145 can drop what it takes out of the queue at that moment
    (3 of 9 runs), for it cannot write down that it did. The archive has it all even then, and a replay brings it to Splunk.
    """
    ledger, words, hec.answer = Ledger(), small_disk(tmp_path / full), (503, {})
    with running(tmp_path / "intake", {**FILE_AND_SPLUNK, **hec.variables}, words) as intake:
        inside = Path(f"/proc/{intake.process.pid}/root{tmp_path}")
        until(lambda: ledger.send(intake, 60) == 503)
        assert [ledger.send(intake, 60) for _ in range(3)] == [503] * 3
        (inside / full / "ballast").unlink()
        assert ledger.send(intake, 5) == 200
        hec.answer = (200, {})
        until(lambda: not ledger.lost(hec.seen()), 60 if full == "intake/out" else 5)
        files = in_files(inside / "intake/out")
    assert len(ledger.acknowledged) > 100
    assert ledger.lost(files) == set()
    if full == "intake/out":
        assert ledger.lost(hec.seen()) == set()
    record_property("lost at Splunk alone", len(ledger.lost(hec.seen())))
