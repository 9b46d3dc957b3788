"""The sink otlp with a second genuine collector behind it, which is away at first, and killed in between."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import collectors
import numbered
import pytest
from collectors import Collector, base


@pytest.fixture
def made() -> Iterator[Callable[..., Collector]]:
    with collectors.stopped_at_the_end() as make:
        yield make


def test_a_second_collector_that_is_down_first_gets_everything(
    made: Callable[..., Collector], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """2,000 records while the peer is down, of which the first collector is killed (-9) in between; then the peer comes, is killed
    and comes again under 4,000 more: 6,000 of 6,000 in the peer's archive; what comes twice is counted.
    """
    peer = made(tmp_path / "peer", base("sinks/file.yaml"), {})
    first = made(tmp_path / "first", base("sinks/otlp.yaml"), {"OTEL_BRIDGE_OTLP_URL": peer.endpoint}).start()
    poster = numbered.Poster(first.endpoint)
    poster.send(1_000)
    first.kill()
    first.start()
    poster.send(1_000)
    peer.start()
    poster.send(2_000)
    peer.kill()
    poster.send(2_000)
    peer.start()
    sent = set(range(6_000))

    def archived() -> Counter[int]:
        return numbered.in_files((peer.folder / "out").glob("logs*.jsonl"))

    found = collectors.eventually(archived, sent, 150)
    with capsys.disabled():
        print(f"\notlp: {len(sent)} sent, {len(found)} at the second collector, {numbered.repeated(found)} twice")
    assert poster.acknowledged == set(found) == sent
