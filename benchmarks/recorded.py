"""Homes with recorded events in them, and one of those events as the SDK is given it."""

import json
import shutil
from pathlib import Path

import counting
from measuring import HERE, OURS, Measured, measure
from run_cost import drain

from otel_bridge.testing import OtlpSink

BOUND = {"OTEL_BRIDGE_SPOOL_BYTES": str(1 << 30)}  # where the events shall not be bounded
STATE = ".local/state/otel-bridge/kitchen"


def record(home: Path, number: int, **more: str) -> Measured:
    """One run that records so many events; it prints the seconds that the calls took."""
    home.mkdir(parents=True, exist_ok=True)
    words = [counting.PYTHON, str(HERE / "peers/ours_burst.py"), "create", str(number)]
    told = measure(words, home, counting.environment(home, KITCHEN_TELEMETRY="on", **more))
    assert told.code == 0, (home / ".errors").read_text()
    return told


def waiting(home: Path) -> int:
    """Events on disk that no sender has taken yet."""
    return sum(file.read_bytes().count(OURS.encode()) for file in (home / STATE / "spool").rglob("*") if file.is_file())


def example(home: Path, file: Path) -> Path:
    """Write what an event of the spool carries when it leaves, for peers/sdk_batches.py."""
    copy = shutil.copytree(home, file.with_suffix(".home"), dirs_exist_ok=True)
    with OtlpSink() as taken:
        drain(copy, taken.endpoint)
        event = taken.records[0]
    told = {"resource": dict(event.resource), "attributes": dict(event.attributes)}
    file.write_text(json.dumps(told))
    return file
