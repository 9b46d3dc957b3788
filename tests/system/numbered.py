"""Numbered records: a log record whose uid is its number, posted as OTLP/JSON, and read back from whatever a sink wrote."""

import gzip
import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from otel_bridge.export import spool

UID = "00000000-0000-4000-8000-%012x"


def request(first: int, count: int) -> bytes:
    """The body of one request: records `first` to `first + count - 1`, as kitchen would send them."""
    now = str(time.time_ns())
    records = [
        {
            "timeUnixNano": now,
            "eventName": "canary",
            "body": {"stringValue": "canary"},
            "attributes": [{"key": "log.record.uid", "value": {"stringValue": UID % number}}],
        }
        for number in range(first, first + count)
    ]
    told = [
        {"key": key, "value": {"stringValue": value}} for key, value in (("service.name", "kitchen"), ("service.version", "1.2.3"))
    ]
    group = {"resource": {"attributes": told}, "scopeLogs": [{"scope": {"name": "otel_bridge"}, "logRecords": records}]}
    return json.dumps({"resourceLogs": [group]}, separators=(",", ":")).encode()


def number(uid: str) -> int:
    return int(uid[-12:], 16)


@dataclass
class Poster:
    """Sends numbered records to an intake, each request until it is acknowledged; numbers go on from one call to the next."""

    endpoint: str
    each: int = 50
    patience: float = 60.0  # seconds for one request
    next: int = 0
    refused: int = 0
    acknowledged: set[int] = field(default_factory=set)

    def send(self, count: int) -> range:
        """Send `count` new records; returns their numbers. A request that nobody acknowledges in time is an AssertionError."""
        first, self.next = self.next, self.next + count
        for start in range(first, self.next, self.each):
            numbers = range(start, min(start + self.each, self.next))
            self._until_acknowledged(request(numbers.start, len(numbers)), numbers)
        return range(first, self.next)

    def _until_acknowledged(self, body: bytes, numbers: range) -> None:
        until = time.monotonic() + self.patience
        while time.monotonic() < until:
            try:
                with post(self.endpoint, body):
                    self.acknowledged.update(numbers)
                    return
            except (OSError, EOFError):  # refused, reset, 503: the client's own rule is to come again
                self.refused += 1
                time.sleep(0.1)
        raise AssertionError(f"records {numbers} were not acknowledged within {self.patience:.0f} s")


def post(endpoint: str, body: bytes):
    """One request; an answer other than 2xx is a urllib.error.HTTPError."""
    headers = {"Content-Type": "application/json"}
    return urllib.request.urlopen(urllib.request.Request(f"{endpoint}/v1/logs", body, headers), timeout=20)


def status(endpoint: str, body: bytes) -> int:
    """The status with which an intake answers one request."""
    try:
        with post(endpoint, body) as answer:
            return answer.status
    except urllib.error.HTTPError as answer:
        return answer.code


def in_files(files: Iterable[Path]) -> Counter[int]:
    """How often each number stands in files of OTLP/JSON lines, of which a line may hold several."""
    items = (item for file in files for item in spool.read(file, "logs")[0])
    return Counter(one for item in items for one in _numbers(item.body))


def in_gzip(body: bytes) -> Counter[int]:
    """How often each number stands in one gzipped OTLP/JSON document."""
    return Counter(_in_document(json.loads(gzip.decompress(body))))


def _in_document(document: dict) -> Iterator[int]:
    for group in document["resourceLogs"]:
        for scope in group["scopeLogs"]:
            for record in scope["logRecords"]:
                yield from _numbers(record)


def _numbers(record: dict) -> Iterator[int]:
    return (number(one["value"]["stringValue"]) for one in record["attributes"] if one["key"] == "log.record.uid")


def repeated(found: Counter[int]) -> int:
    """How many records came more than once, each further copy counted."""
    return sum(found.values()) - len(found)
