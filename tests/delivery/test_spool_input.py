"""A spool, and what stands beside it, that somebody or something has written nonsense into: the good records arrive, the rest counts."""

import copy
import json
import os
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
    found += [((*RECORD, key), value) for key in ("traceId", "spanId") for value in (MARKER, 7, "F" * 32, "0x" + "1" * 30)]
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


def test_a_progress_file_with_nonsense_stops_nothing_and_leaks_nothing(spooled: Spool) -> None:
    """Steps of no form settle nothing; their words count nowhere that leaves."""
    spooled.file.write_bytes(b"".join(spooled.document(good=True) + b"\n" for _ in range(4)))
    spooled.file.rename(spooled.file.with_name("logs.000001.0a0a0a0a.claimed"))
    steps = [MARKER, f";{MARKER}", ";²", ";1-²", f";{'9' * 5000}", ";0-99999999999999999999", ";٣", ";-1", ";3-1", ";,,,", "\0;\0"]
    steps += [f";99 {MARKER}={'9' * 5000}", f";99 torn=² {MARKER}=3 torn=-1 =4"]
    spooled.file.with_name("logs.000001.0a0a0a0a.progress").write_bytes("\n".join(steps).encode() + b"\n;\xff\xfe\n;99 torn=7\n")
    with OtlpSink() as sink:
        result = spooled.drain(sink)
        spooled.drain(sink)
    assert (result.error, arrived(sink), lost(spooled.folder)) == ("", sorted(spooled.uids), {"torn": 7})
    assert all(MARKER.encode() not in one.body for one in sink.requests)
    assert os.listdir(spooled.file.parent) == []


UID = "00000000-0000-4000-8000-00000000000a"
EDITED = {
    f"{MARKER} = 5 0 0 - 1700000000": {},  # no reason of ours: it stays on this machine
    f"torn = 5 0 5 {MARKER} 1700000000": {"torn": 5},  # no uid of ours: another is made
    "torn = 5 0 0 - 999999999999999": {"torn": 5},
    "torn = 5 0 999999999999999 - 1700000000": {"torn": 5},
    f"torn = 5 2 3 {UID} 1700000000": {"torn": 3},
    "torn = ٣ 0 0 - ²": {"torn": 3},
    "torn = ² 0 0 - 1": {},
    f"torn = {'9' * 5000} 0 0 - 1": {},
    "torn = 999999999999999 0 0 - 1700000000": {"torn": 1_000_000_000},
    f"torn = 5 {MARKER} {MARKER} {MARKER} {MARKER} {MARKER}": {"torn": 5},
    "torn = -5 0 0 - 1": {},
    f"settled = {MARKER} " * 2000: {},
    "\0" * 9000 + MARKER: {},
}


@pytest.mark.parametrize("line", EDITED, ids=range(len(EDITED)))
def test_an_edited_count_of_losses_says_nothing_private(spooled: Spool, line: str) -> None:
    """Unknown reasons, huge numbers, digits of other scripts, a text where the uid stands: only numbers of known reasons leave."""
    (spooled.folder / "lost").write_text(line + "\n")
    with OtlpSink() as sink:
        result = spooled.drain(sink)
    assert (result.error, result.sent, told(sink)) == ("", 2, EDITED[line])
    assert all(MARKER.encode() not in one.body for one in sink.requests)
    shown = spooled.world.run("otel-bridge", "lost", "--product", "probe") if line.startswith("torn = 5 0 0") else None
    assert shown is None or "Traceback" not in shown.stderr


def test_segments_with_strange_names_stop_neither_tool_nor_sender(spooled: Spool, probe: Callable[[str], list[str]]) -> None:
    """Numbers of other scripts, no token, bytes that are no text, folders and marks of no process: what is a record arrives."""
    spool, running = spooled.file.parent, spooled.folder / "running"
    for name in (
        "logs.².0a0a0a0a.sealed",
        "logs..sealed",
        "logs.1.2.3.4.sealed",
        "logs.000001.a b\nc.sealed",
        "logs.٣.0b0b0b0b.claimed",
    ):
        (spool / name).write_bytes(spooled.document(good=True) + b"\nrubbish\n")
    with open(os.fsencode(spool) + b"/logs.000001.\xff\xfe.sealed", "wb") as file:
        file.write(spooled.document(good=True) + b"\nrubbish\n")
    (spool / "logs.000002.0c0c0c0c.sealed").mkdir()
    (spool / f"logs.000003.{MARKER}.{MARKER}").write_text(MARKER)
    os.mkfifo(spool / "logs.000004.0d0d0d0d.spool_full")
    for name in ("²", "9" * 30, MARKER, "0", f"999999999.{MARKER}"):
        (running / name).touch()
    (spooled.folder / "drain").write_text("last = ²\nnot_before = 99999999999999999999999\nfailures = ²\n")
    words = probe(STEP)
    spooled.world.run(*words, OTEL_BRIDGE_SPOOL_BYTES="16000")  # a bound: the tool itself looks at every name
    with OtlpSink() as sink:
        result = spooled.drain(sink)
    assert (result.error, set(arrived(sink)) >= spooled.uids) == ("", True)
    assert lost(spooled.folder) == {"torn": 6, "unfinished": 2}
    assert all(MARKER.encode() not in one.body for one in sink.requests)
    assert spooled.world.json("otel-bridge", "status", "--product", "probe", "--json")["pending"] == {"logs": 0, "traces": 0}


ENTRIES = [
    {"time": "2027-01-01T00:00:00Z", "endpoint": "x", "status": 200, "sha256": "0", "version": 9, "resourceLogs": {"new": "form"}},
    {"time": 3, "endpoint": None, "status": [], "sha256": {}, "resourceLogs": [{"scopeLogs": 3}]},
    {"resourceLogs": [{"scopeLogs": [{"logRecords": [{}, 3, None, {"eventName": {"a": 1}}]}]}]},
    {"resourceSpans": [[]]},
    {"resourceSpans": None, "resourceLogs": "text"},
    {},
]


@pytest.mark.parametrize("verb", ["sent", "view", "export", "lost", "status"])
def test_a_ledger_from_a_newer_version_can_be_read(spooled: Spool, verb: str) -> None:
    """Entries of another shape, no entries at all, another encoding: each verb still tells what it understands."""
    with OtlpSink() as sink:
        assert spooled.drain(sink).error == ""
    lines = [*(json.dumps(one) for one in ENTRIES), "null", "[]", "rubbish", deep("[", "]"), "\0"]
    for name in ("sent/sent.jsonl", "sent/sent.1.jsonl", "quarantine/logs.jsonl"):
        (spooled.folder / name).parent.mkdir(exist_ok=True)
        with (spooled.folder / name).open("ab") as file:
            file.write("\n".join(lines).encode() + b"\n\xff\xfe\n")
    for at, value in malformed():
        lines.append(spooled.document(at, value).decode())
    spooled.file.write_text("\n".join(lines))
    for more in (["--text"], ["--json"]) if verb == "view" else ([],) if verb == "export" else ([], ["--json"]):
        done = spooled.world.run("otel-bridge", verb, "--product", "probe", *more, ok=None)
        assert (done.returncode, done.stderr) == (0, ""), more
        assert verb not in ("sent", "view") or "probe.step" in done.stdout


DRAIN = """
import json
from otel_bridge.export.drain import drain

result = drain("probe")
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(json.dumps([result.sent, result.error, peak]))
"""


def test_a_full_spool_is_sent_in_bounded_memory(spooled: Spool) -> None:
    """8 MiB wait, the default bound, with lines of 1 MB that are no records among them: the sender stays below 80 MB.

    VmHWM and not getrusage: that has what the parent of a child held before it began its program.
    """
    longest = b'{"a":"' + b"x" * ((1 << 20) - 10) + b'"}\n'
    size = 0
    for number in range(8):
        lines = [] if number != 3 else [longest]
        while sum(map(len, lines[-1:])) + size < (number + 1) << 20:
            lines.append(spooled.document(good=True) + b"\n")
            size += len(lines[-1])
        (spooled.file.parent / f"logs.{number + 1:06d}.{number:08x}.sealed").write_bytes(b"".join(lines))
    with OtlpSink() as sink:
        done = spooled.world.run("python", "-c", DRAIN, OTEL_BRIDGE_ENDPOINT=sink.endpoint, OTEL_BRIDGE_SPOOL_BYTES=str(16 << 20))
    sent, error, peak = json.loads(done.stdout)
    print(f"\n{sent} records, {peak / 1024:.0f} MB at most")
    assert (sent, error, lost(spooled.folder)) == (len(spooled.uids) + 2, "", {"torn": 1})
    assert peak < 80_000
