"""The sink s3 with a genuine S3 server: objects by day and hour, and every record in them, whoever was away meanwhile."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import collectors
import numbered
import pytest
from collectors import Collector, base
from object_store import ObjectStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    made = ObjectStore(tmp_path / "s3")
    try:
        yield made
    finally:
        made.kill()


@pytest.fixture
def made() -> Iterator[Callable[..., Collector]]:
    with collectors.stopped_at_the_end() as make:
        yield make


def test_every_record_is_in_an_object_by_day_and_hour(store: ObjectStore, made: Callable[..., Collector], tmp_path: Path) -> None:
    """2,000 numbered records, each once, in gzipped OTLP/JSON objects below events/year=/month=/day=/hour=."""
    store.start()
    intake = made(tmp_path / "intake", base("sinks/s3.yaml"), store.variables).start()
    sent = Counter(numbered.Poster(intake.endpoint, each=100).send(2_000))
    assert collectors.eventually(store.numbers, set(sent)) == sent
    shape = r"events/year=\d{4}/month=\d\d/day=\d\d/hour=\d\d/logs_[0-9a-f-]{36}\.json\.gz"
    assert [name for name in store.objects() if not re.fullmatch(shape, name)] == []


def test_an_outage_of_the_server_and_a_killed_collector_lose_nothing(
    store: ObjectStore, made: Callable[..., Collector], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """1,000 before the server is killed, 1,000 while it is away, then the collector is killed (-9) with its backlog and started
    again, 1,000 more, and the server comes back after longer than the exporter's own 5 s: 3,000 of 3,000 in the bucket; what comes
    twice is counted.
    """
    store.start()
    intake = made(tmp_path / "intake", base("sinks/s3.yaml"), store.variables).start()
    poster = numbered.Poster(intake.endpoint, each=50)
    collectors.eventually(store.numbers, set(poster.send(1_000)))
    store.kill()
    poster.send(1_000)
    intake.kill()
    intake.start()
    poster.send(1_000)
    time.sleep(8)  # the outage
    store.start()
    sent = set(range(3_000))
    found = collectors.eventually(store.numbers, sent, 150)
    with capsys.disabled():
        print(f"\ns3: {len(sent)} sent, {len(found)} in {len(store.objects())} objects, {numbered.repeated(found)} twice")
    assert poster.acknowledged == set(found) == sent
