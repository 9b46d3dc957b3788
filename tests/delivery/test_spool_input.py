"""A spool, and what stands beside it, that somebody or something has written nonsense into: the good records arrive, the rest counts."""

import copy
import json
import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import World

from otel_bridge import paths
from otel_bridge.export.drain import Result, drain
from otel_bridge.record.losses import table
from otel_bridge.testing import OtlpSink

MARKER = "hunter2-marker"
STEP = """
import otel_bridge

def main():
    otel_bridge.event("probe.step", {"probe.step": 7, "probe.word": "red"})
"""
Path_ = tuple[str | int, ...]
RECORD: Path_ = ("resourceLogs", 0, "scopeLogs", 0, "logRecords", 0)


class Spool:
    """The spool of a product that has recorded one event, and what a drain of it does."""

    def __init__(self, world: World, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        world.run("otel-bridge", "on", "--product", "probe")
        world.run(*words)
        self.world, self.folder, self.patch = world, world.state / "probe", monkeypatch
        self.file = self.folder / "spool/logs.jsonl"
        self.good = json.loads(self.file.read_text())
        self.lines: list[bytes] = []
        self.uids: set[str] = set()
        for key, value in world.environment().items():
            monkeypatch.setenv(key, value)
            monkeypatch.setitem(paths.environ, key.encode(), value.encode())

    def uid(self) -> str:
        number = f"{len(self.uids):08x}-0000-4000-8000-000000000000"
        self.uids.add(number)
        return number

    def document(self, at: Path_ = (), value: Any = None, good: bool = False) -> bytes:
        """A good document with a uid of its own, and a value put somewhere in it."""
        made = copy.deepcopy(self.good)
        uid = self.uid() if good else "ffffffff-0000-4000-8000-000000000000"
        for one in inside(made, RECORD)["attributes"]:
            if one["key"] == "log.record.uid":
                one["value"]["stringValue"] = uid
        if at:
            inside(made, at[:-1])[at[-1]] = value
        return json.dumps(made, separators=(",", ":")).encode()

    def drain(self, sink: OtlpSink) -> Result:
        self.patch.setenv("OTEL_BRIDGE_ENDPOINT", sink.endpoint)
        return drain("probe", patience=0)


def inside(document: Any, at: Path_) -> Any:
    for step in at:
        document = document[step]
    return document


def arrived(sink: OtlpSink, name: str = "probe.step") -> list[str]:
    return sorted(one.attributes["log.record.uid"] for one in sink.records if one.name == name)


def told(sink: OtlpSink) -> dict[str, int]:
    """What the intake was told of losses."""
    found = (one.attributes for one in sink.records if one.name == "telemetry.dropped")
    return {one["otel_bridge.dropped.reason"]: one["otel_bridge.dropped.count"] for one in found}


def lost(folder: Path) -> dict[str, int]:
    return {reason: row.lost for reason, row in table(str(folder)).rows.items()}


@pytest.fixture
def spooled(world: World, probe: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch) -> Spool:
    return Spool(world, probe(STEP), monkeypatch)


def deep(text: str, ends: str, inside: str = "") -> str:
    return text * 20_000 + inside + ends * 20_000


def torn() -> list[bytes]:
    """Lines that are no document of ours."""
    no_otlp = [f'{{"a":"{MARKER}"}}', f'["{MARKER}"]', "null", "3", f'"{MARKER}"', MARKER, "{", '{"resourceLogs":3}']
    no_otlp += ['{"resourceLogs":[[]]}', '{"resourceLogs":[{"scopeLogs":[{"logRecords":["' + MARKER + '"]}]}]}', "\0" * 100]
    no_otlp += [deep("[", "]"), deep('{"a":', "}", "1"), '{"resourceLogs":' + deep("[", "]") + "}"]
    return [*(one.encode() for one in no_otlp), b"\xff\xfe\xfd" + MARKER.encode(), b'{"a":"' + MARKER.encode() * 700_000 + b'"}']


def malformed() -> list[tuple[Path_, Any]]:
    """Places in a document, and values that no record has there."""
    attributes, resource = (*RECORD, "attributes"), ("resourceLogs", 0, "resource")
    values: list[Any] = ["1e400", float("nan"), float("inf"), {"values": [{"values": 3}]}]
    found: list[tuple[Path_, Any]] = [((*attributes, 0, "value"), {"intValue": value}) for value in values]
    found += [((*attributes, 0, "value"), {"doubleValue": 10**400}), ((*attributes, 0, "value"), {"doubleValue": MARKER})]
    found += [((*attributes, 0, "value"), {"bytesValue": MARKER})]
    found += [((*attributes, 0, "key"), [MARKER]), (attributes, MARKER), (attributes, None), (attributes, {MARKER: MARKER})]
    found += [
        ((*RECORD, key), value) for key in ("traceId", "spanId") for value in (MARKER, 7, None, "F" * 32, "", "0x" + "1" * 30)
    ]
    found += [((*RECORD, "timeUnixNano"), value) for value in (MARKER, -1, 1e999, 10**30, "9" * 5000, None, [])]
    found += [((*RECORD, "parentSpanId"), MARKER), (resource, None), (resource, MARKER), ((*resource, "attributes"), MARKER)]
    return [
        *found,
        (("resourceLogs", 0, "scopeLogs", 0, "scope"), []),
        (("resourceLogs", 0, "scopeLogs", 0, "scope"), {"version": 3}),
    ]


def test_hostile_lines_are_counted_and_the_good_ones_arrive(spooled: Spool) -> None:
    """No JSON, no OTLP, 10 MB, 20,000 deep, numbers beyond any range, glued, without an end: counted one by one; no word leaves."""
    lines = []
    for one in torn():
        lines += [one + b"\n", spooled.document(good=True) + b"\n"]
    for at, value in malformed():
        lines += [spooled.document(at, value) + b"\n"]
    lines += [spooled.document((*RECORD, "eventName"), name) + b"\n" for name in (MARKER, 3, None, [MARKER])]
    lines += [spooled.document(good=True) + spooled.document(good=True) + b"\n", b"\n\n", spooled.document(good=True)[:50]]
    three = json.loads(spooled.document(good=True))
    inside(three, RECORD[:-1]).extend(inside(json.loads(spooled.document(good=True)), RECORD) for _ in range(2))
    lines += [json.dumps(three).encode() + b"\n", spooled.document(good=True)]
    spooled.file.write_bytes(b"".join(lines))
    spooled.uids -= {f"{len(torn()) + 2:08x}-0000-4000-8000-000000000000"}  # the one that was cut
    with OtlpSink() as sink:
        result = spooled.drain(sink)
        again = spooled.drain(sink)
    expected = {"torn": len(torn()) + 1, "malformed": len(malformed()), "undeclared_event": 4}
    assert (result.error, result.sent) == ("", len(spooled.uids) + 1)
    assert dict(result.lost) == lost(spooled.folder) == expected
    assert arrived(sink) == sorted(spooled.uids)
    assert (again.sent, again.error, told(sink)) == (0, "", expected)
    assert all(MARKER.encode() not in one.body for one in sink.requests)


def test_what_is_not_declared_stays_here_and_its_record_arrives(spooled: Spool) -> None:
    """Foreign words beside a good record's own: in its text, its severity, its resource, its scope, in attributes of any kind."""
    foreign = {"key": "a.key", "value": {"stringValue": MARKER}}
    named = {"key": MARKER, "value": {"intValue": "1"}}
    bad_text = {"key": "probe.word", "value": {"stringValue": MARKER}}
    scope: Path_ = ("resourceLogs", 0, "scopeLogs", 0, "scope")
    changes: list[tuple[Path_, Any]] = [
        ((*RECORD, key), MARKER) for key in ("severityText", "flags", "droppedAttributesCount", MARKER)
    ]
    changes += [((*RECORD, "body"), {"stringValue": MARKER}), ((*RECORD, "severityNumber"), MARKER)]
    changes += [((*scope, "name"), MARKER), ((*scope, "version"), MARKER), ((*scope, "attributes"), [foreign])]
    changes += [(("resourceLogs", 0, "schemaUrl"), MARKER), ((MARKER,), MARKER)]
    lines = [spooled.document(at, value, good=True) + b"\n" for at, value in changes]
    kept = inside(spooled.good, RECORD)["attributes"]
    uid = next(one for one in kept if one["key"] == "log.record.uid")
    huge = {"key": "probe.step", "value": {"intValue": 10**400}}
    for more in (foreign, named, bad_text, huge):
        uid["value"]["stringValue"] = spooled.uid()
        document = copy.deepcopy(spooled.good)
        inside(document, RECORD)["attributes"] = [
            one for one in inside(document, RECORD)["attributes"] if one["key"] != more["key"]
        ] + [more]
        lines.append(json.dumps(document).encode() + b"\n")
    spooled.file.write_bytes(b"".join(lines))
    with OtlpSink() as sink:
        result = spooled.drain(sink)
    assert (result.error, result.sent, dict(result.lost)) == ("", len(lines) + 1, {"undeclared_attribute": 4})
    assert arrived(sink) == sorted(spooled.uids)
    assert all(MARKER.encode() not in one.body for one in sink.requests)
    assert MARKER.encode() not in b"".join(one.read_bytes() for one in (spooled.folder / "sent").iterdir())
