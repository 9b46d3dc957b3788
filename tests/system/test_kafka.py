"""Kafka for real: a gateway writes to a genuine broker, and one worker a sink takes the events on, whoever of them dies."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import broker
import collectors
import numbered
import pytest
from collectors import Collector, base

from otel_bridge.collector.process import Peer, hec_peer

RECORDS = 50_000
WORKER = ["scale/sink-worker.yaml"]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with broker.broker(tmp_path_factory.mktemp("broker") / "kafka") as address:
        yield address


@pytest.fixture
def made() -> Iterator[Callable[..., Collector]]:
    with collectors.stopped_at_the_end() as make:
        yield make


def archived(worker: Collector) -> Counter[int]:
    return numbered.in_files((worker.folder / "out").glob("logs*.jsonl"))


def at(peer: Peer) -> Counter[int]:
    return Counter(numbered.number(event["log.record.uid"]) for event in peer.events())


def test_50000_records_reach_both_sinks_although_a_worker_is_killed(
    kafka: str, made: Callable[..., Collector], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Gateway -> Kafka -> a worker for files and one for Splunk. The files' worker is killed (-9) in the middle and started again
    on its folder, the sender going on: 0 of at least 50,000 lost at either sink; what comes twice is counted, and comes twice at the killed one alone.
    """
    told = {"OTEL_BRIDGE_KAFKA_BROKER": kafka}
    with hec_peer(tmp_path / "peer") as peer:
        gateway = made(tmp_path / "gateway", base("sinks/kafka.yaml"), told).start()
        files = made(tmp_path / "files", [*WORKER, "sinks/file.yaml"], {**told, "OTEL_BRIDGE_SINK_GROUP": "files"}).start()
        splunk = {**told, "OTEL_BRIDGE_SINK_GROUP": "splunk", **peer.variables}
        made(tmp_path / "splunk", [*WORKER, "sinks/splunk.yaml"], splunk).start()
        poster = numbered.Poster(gateway.endpoint, each=500)
        killed = threading.Event()

        def sends_on() -> None:
            while poster.next < RECORDS or not killed.is_set():
                poster.send(poster.each)

        sender = threading.Thread(target=sends_on)
        sender.start()
        try:
            until = time.monotonic() + 120
            while (before := len(archived(files))) < RECORDS // 5 and time.monotonic() < until:
                time.sleep(0.1)
            sending = poster.next
            files.kill()
            while poster.next == sending and sender.is_alive():
                time.sleep(0.01)
        finally:
            killed.set()
        files.start()
        sender.join()
        sent = set(range(poster.next))
        assert before >= RECORDS // 5 and len(sent) > sending
        assert poster.acknowledged == sent and len(sent) >= RECORDS
        in_archive = collectors.eventually(lambda: archived(files), sent, 120)
        at_splunk = collectors.eventually(lambda: at(peer), sent, 120)
    twice = {"files": numbered.repeated(in_archive), "splunk": numbered.repeated(at_splunk)}
    with capsys.disabled():
        print(f"\nkafka: {len(sent)} sent, {len(in_archive)} in the files, {len(at_splunk)} at the HEC peer; twice: {twice}")
    assert set(in_archive) == set(at_splunk) == sent
    assert twice["splunk"] <= poster.refused * poster.each


def test_workers_of_one_sink_share_its_partitions_and_take_over_from_one_that_is_killed(
    kafka: str, made: Callable[..., Collector], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two workers of one group: both get records; one is killed (-9) for good, and the other gets the rest: 0 of 20,000 lost."""
    told = {"OTEL_BRIDGE_KAFKA_BROKER": kafka, "OTEL_BRIDGE_KAFKA_LOGS_TOPIC": "shared"}
    gateway = made(tmp_path / "gateway", base("sinks/kafka.yaml"), told).start()
    poster = numbered.Poster(gateway.endpoint, each=500)
    sent = set(poster.send(5_000))  # the topic exists before its readers ask for it
    group = {**told, "OTEL_BRIDGE_SINK_GROUP": "shared"}
    workers = [made(tmp_path / name, [*WORKER, "sinks/file.yaml"], group).start() for name in ("one", "two")]
    until = time.monotonic() + 120
    while not all(map(archived, workers)) and time.monotonic() < until:
        sent |= set(poster.send(500))
    workers[0].kill()
    sent |= set(poster.send(15_000))
    found = collectors.eventually(lambda: archived(workers[0]) + archived(workers[1]), sent, 120)
    shares = [len(archived(worker)) for worker in workers]
    with capsys.disabled():
        print(f"\nkafka: {len(sent)} sent, {shares} in the two workers' files, {numbered.repeated(found)} twice")
    assert all(shares)
    assert set(found) == sent
