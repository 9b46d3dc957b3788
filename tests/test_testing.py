"""The test doubles that we ship: they show what a product records, and leave nothing behind."""

import errno
import gzip
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import BIN, ROOT, World
from kitchen.cli import main as command
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from otel_bridge.auto.kitchen.cli import main

import otel_bridge
from otel_bridge import clock, instrument, record
from otel_bridge.errors import BridgeError, SchemaError, SettingsError
from otel_bridge.record import sample
from otel_bridge.testing import Captured, Event, FakeClock, OtlpSink, assert_declared, capture_events

OURS = {  # of an author who has chosen, in continuous integration
    "CI": "true",
    "DO_NOT_TRACK": "1",
    "OTEL_SDK_DISABLED": "true",
    "KITCHEN_TELEMETRY": "off",
    "KITCHEN_TELEMETRY_OPTOUT": "1",
    "OTEL_BRIDGE_RUN": "0" * 31 + "f-1",
}
PLUGIN = 'pytest_plugins = ["otel_bridge.testing"]\n'
PRODUCT = '[tool.otel-bridge]\nproduct = "kitchen"\npackage = "kitchen"\n'


@pytest.fixture(autouse=True)
def author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, temporary files and a working directory of this test alone."""
    own = tmp_path / "author"
    for name, variable in (("home", "HOME"), ("tmp", "TMPDIR"), ("work", "PWD")):
        (own / name).mkdir(parents=True)
        monkeypatch.setenv(variable, str(own / name))
    for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.chdir(own / "work")
    monkeypatch.setenv("PATH", str(BIN), prepend=os.pathsep)
    return own


def run(*words: str, code: int = 0) -> None:
    """Run kitchen by its entry point, in this process."""
    with pytest.raises(SystemExit) as left:
        main(list(words))
    assert left.value.code == code


HOOKS = (
    *((record, "record"), (record, "append"), (record, "new_uuid"), (sample, "drawn"), (otel_bridge, "current")),
    *((instrument, "_session"), (instrument, "now"), (clock, "now"), (clock, "elapsed"), (clock, "new_id")),
)


def holds() -> dict[str, Any]:
    """Everything that a double may change for a while."""
    program = "import os; print(sorted(os.environ.items()))"
    return {
        "hooks": [getattr(owner, name) for owner, name in HOOKS],
        "environment": dict(os.environ),
        "a child's": subprocess.run([sys.executable, "-c", program], capture_output=True).stdout,
        "files": [sorted(map(str, Path(os.environ[one]).rglob("*"))) for one in ("HOME", "TMPDIR")],
        "threads": threading.enumerate(),
    }


def posted(sink: OtlpSink, path: str, body: bytes, **headers: str) -> tuple[int, str, bytes]:
    """Post raw bytes; status, content type and body of the answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(sink.endpoint + path, body, named, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.headers["Content-Type"], answer.read()


def test_an_event_is_captured_as_it_would_be_recorded() -> None:
    """Outside of any entry point, reduced by its policies; it is a whole value."""
    with FakeClock(ids=True), capture_events("kitchen") as events:
        otel_bridge.event("kitchen.destroy", {"kitchen.platform": "my-own"})
        (event,) = events
    attributes = {
        "kitchen.platform": "__other__",
        "otel_bridge.sequence": 1,
        "session.id": event.attributes["session.id"],
        "log.record.uid": "00000000-0000-4000-8000-000000000001",
    }
    assert event == Event("kitchen.destroy", attributes, event.resource)
    assert (event.resource["service.name"], event.resource["service.version"]) == ("kitchen", "3.6.0")
    assert not {"otel_bridge.test", "otel_bridge.ci", "otel_bridge.agent"} & event.resource.keys()
    assert event.body == "kitchen.destroy"


def test_clicks_own_runner_works() -> None:
    """The events of a command that CliRunner invokes; there is no run, for no entry point was called."""
    with capture_events("kitchen") as events:
        result = CliRunner().invoke(command, ["test", "debian"])
    assert result.exit_code == 0, result.output
    names = ["kitchen.destroy", "kitchen.create", "kitchen.converge", "kitchen.verify", "kitchen.destroy"]
    assert [event.name for event in events] == names
    assert_declared(events)


def test_entry_points_and_children_are_captured_in_recording_order() -> None:
    """Runs in this process and in children, with and without `env`, and single events between them."""
    with capture_events("kitchen") as events:
        otel_bridge.event("kitchen.destroy")
        run("create", "debian")
        otel_bridge.event("kitchen.verify")
        for environment in (events.environment, None):
            subprocess.run(["kitchen", "list"], env=environment, check=True)
            subprocess.run(["kitchen", "converge"], env=environment, check=True)
        otel_bridge.event("kitchen.destroy")
        live = [event.name for event in events]
    child = ["cli.run", "kitchen.converge", "cli.run"]
    expected = ["kitchen.destroy", "kitchen.create", "cli.run", "kitchen.verify", *child, *child, "kitchen.destroy"]
    assert live == [event.name for event in events] == expected
    commands = [event.attributes["otel_bridge.command"] for event in events.named("cli.run")]
    assert commands == ["create", "list", "converge", "list", "converge"]
    assert len({event.resource["app.installation.id"] for event in events}) == 1
    assert len({event.attributes["session.id"] for event in events}) == 1
    assert (len(events), events[0].name, events[-1:]) == (11, "kitchen.destroy", [events[10]])
    assert events == list(events) and events != []


def test_every_thread_is_captured() -> None:
    """Whatever the order, nothing is read twice and nothing is missed."""
    with capture_events("kitchen") as events:
        threads = [threading.Thread(target=lambda: [otel_bridge.event("kitchen.create") for _ in range(20)]) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({event.attributes["log.record.uid"] for event in events}) == len(events) == 100


def test_a_fork_takes_nothing_away() -> None:
    """What a forked child records is captured once, though it shares the open files."""
    with capture_events("kitchen") as events:
        child = os.fork()
        if not child:
            otel_bridge.event("kitchen.create")
            os._exit(0)
        os.waitpid(child, 0)
        assert [event.name for event in events] == ["kitchen.create"]


def test_what_is_not_declared_has_its_name() -> None:
    """Events and attributes by name where they are offered in this process; `assert_declared` says one line each."""
    with capture_events("kitchen") as events:
        assert_declared(events)
        for _ in range(2):
            otel_bridge.event("kitchen.made", {"a": 1})
            otel_bridge.event("kitchen.create", {"kitchen.platform": "debian-12", "foo": 1, "bar": 2, "session.id": "x"})
        assert events.undeclared.events == ("kitchen.made",)
        assert events.undeclared.attributes == {"kitchen.create": ("bar", "foo", "session.id")}
        assert (events.undeclared.counted, bool(events.undeclared)) == ({}, True)
        assert events.lost == {"undeclared_attribute": 6, "undeclared_event": 2}
    with pytest.raises(AssertionError) as told:
        assert_declared(events)
    assert str(told.value).splitlines() == [
        "kitchen.made: the event is not declared in telemetry.yaml; declare it or do not send it",
        "kitchen.create: the attribute `bar` is not declared in telemetry.yaml; declare it or do not send it",
        "kitchen.create: the attribute `foo` is not declared in telemetry.yaml; declare it or do not send it",
        "kitchen.create: the attribute `session.id` is not declared in telemetry.yaml; declare it or do not send it",
    ]


WRONG = """
def main():
    import otel_bridge
    otel_bridge.event('probe.step', {'probe.step': 1, 'probe.home': '/root'})
    otel_bridge.event('probe.stop')
"""


def test_of_children_only_numbers_are_known(probe: Callable[[str], list[str]]) -> None:
    """What a child offers and does not declare is counted, and told apart from what is known by name."""
    words = probe(WRONG)
    sys.path.insert(0, re.findall("'([^']+)'", words[-1])[0])
    try:
        with capture_events("probe") as events:
            otel_bridge.event("probe.again")
            subprocess.run(words, env=events.environment, check=True)
    finally:
        del sys.path[0], sys.modules["probe"], sys.modules["probe._telemetry"]
    assert [event.name for event in events] == ["probe.step", "cli.run"]
    assert events.undeclared.counted == {"undeclared_attribute": 1, "undeclared_event": 1}
    with pytest.raises(AssertionError) as told:
        assert_declared(events)
    where = "1 lost in a child process, where no names are kept; run it in this process to see them"
    assert {*str(told.value).splitlines()} == {
        "probe.again: the event is not declared in telemetry.yaml; declare it or do not send it",
        f"undeclared_attribute: {where}",
        f"undeclared_event: {where}",
    }


def test_every_other_loss_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full, and offers that are no names or mappings: the reason and the number."""

    def full(*_: object) -> bool:
        raise OSError(errno.ENOSPC, "no space")

    with capture_events("kitchen") as events:
        monkeypatch.setattr(record, "_appended", full)
        otel_bridge.event("kitchen.create")
        otel_bridge.event(["no", "name"])  # type: ignore[arg-type]
        otel_bridge.event("kitchen.create", 7)  # type: ignore[arg-type]
    assert (list(events), events.lost) == ([], {"disk_full": 1, "record_failed": 2})
    with pytest.raises(AssertionError, match=r"\Adisk_full: 1 lost\nrecord_failed: 2 lost\Z"):
        assert_declared(events)


def test_no_event_is_left_out_by_its_sample_rate() -> None:
    """An event that is drawn once in a million is captured all the same, with its rate."""
    with capture_events("kitchen") as events:
        assert otel_bridge.current is not None
        declared = ModuleType("kitchen._telemetry")
        rate = ("otel_bridge.sample_rate", "double", "bucket", ((1e-6,),), 0)
        vars(declared).update(vars(otel_bridge.current.declared), EVENTS={"kitchen.create": (rate,)})
        otel_bridge.current.declared = declared
        otel_bridge.event("kitchen.create")
    assert [event.attributes["otel_bridge.sample_rate"] for event in events] == [1e-6]
    assert_declared(events)


@pytest.mark.parametrize("mine", [OURS, {}], ids=["set", "not set"])
@pytest.mark.parametrize("ending", ["ends", "raises"])
def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch, mine: dict[str, str], ending: str) -> None:
    """Environment, also that of children, folders, hooks, clock and threads are as before, after an exception too."""
    for name, value in mine.items():
        monkeypatch.setenv(name, value)
    before = holds()
    try:
        with FakeClock(ids=True) as standing, capture_events("kitchen") as events, OtlpSink() as sink, standing:
            run("create", "debian")
            assert not {"CI", "DO_NOT_TRACK", "OTEL_SDK_DISABLED", "PYTEST_CURRENT_TEST"} & os.environ.keys()
            assert events.environment == dict(os.environ)
            assert posted(sink, "/v1/logs", b"{}", content_type="application/json")[0] == 200
            assert not set(map(id, before["hooks"])) & set(map(id, holds()["hooks"]))
            if ending == "raises":
                raise KeyError("of the test itself")
    except KeyError:
        assert ending == "raises"
    assert [event.name for event in events] == ["kitchen.create", "cli.run"]
    assert holds() == before


def test_the_persons_own_state_is_not_touched(author: Path) -> None:
    """A choice for all products does not stop a capture, and is there afterwards; nothing is written beside it."""
    choice = author / "home/.config/otel-bridge/choice"
    choice.parent.mkdir(parents=True)
    choice.write_text("telemetry = off\n")
    with capture_events("kitchen") as events:
        run("list")
    assert len(events) == 1
    assert [path for path in (author / "home").rglob("*") if path.is_file()] == [choice]
    assert choice.read_text() == "telemetry = off\n"


def test_what_cannot_be_overridden_is_said(author: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An organisation's policy and a project that is off: who decided, and where it is written."""
    (author / ".otel-bridge").mkdir()
    (author / ".otel-bridge/off").touch()
    where = re.escape(f"{author}/.otel-bridge/off")
    with (
        pytest.raises(BridgeError, match=rf"\Akitchen cannot be captured here: this project is off \({where}\)\Z"),
        capture_events("kitchen"),
    ):
        pass
    policy = author / "policy"
    policy.write_text("telemetry = local\nproducts = knife\n")
    monkeypatch.setattr("otel_bridge.consent.ORGANISATION", str(policy))
    before = holds()
    with pytest.raises(BridgeError, match="kitchen cannot be captured here: the organisation's policy "), capture_events("kitchen"):
        pass
    assert holds() == before


def test_a_product_is_found_by_its_pyproject_its_name_or_its_package(author: Path) -> None:
    """Without a name it is that of the folder; what is not there is an error that says what to do."""
    with pytest.raises(SchemaError, match=r"no `\[tool\.otel-bridge\]` in a pyproject\.toml above it"), capture_events():
        pass
    (author / "work/pyproject.toml").write_text(PRODUCT)
    with capture_events() as events:
        run("list")
    assert len(events) == 1
    text = "no_such: there is no such product or package with a `_telemetry.py`; name one that is installed"
    with pytest.raises(SettingsError, match=text), capture_events("no-such"):
        pass


def whole_records() -> list[dict]:
    with FakeClock("2026-03-01T10:00:30", ids=True) as standing, capture_events("kitchen") as events:
        otel_bridge.event("kitchen.create", {"kitchen.platform": "debian-12"})
        main(["list"], standalone_mode=False)
        standing.advance(59.5)
        main(["telemetry", "lost"], standalone_mode=False)
        otel_bridge.event("kitchen.destroy")
    return [event.record for event in events]


def test_with_a_clock_that_stands_still_whole_records_are_equal() -> None:
    """Times at the declared resolution, ids that count: the same records every time."""
    first, second = whole_records(), whole_records()
    assert first == second
    minute = "1772359200000000000"
    assert [{key: value for key, value in one.items() if key != "attributes"} for one in first] == [
        {
            "timeUnixNano": minute,
            "observedTimeUnixNano": minute,
            "severityNumber": 9,
            "body": {"stringValue": "kitchen.create"},
            "traceId": f"{1:032x}",
            "spanId": f"{1:016x}",
            "eventName": "kitchen.create",
        },
        {
            "traceId": f"{2:032x}",
            "spanId": f"{2:016x}",
            "flags": 256,
            "name": "cli.run",
            "kind": 1,
            "startTimeUnixNano": minute,
            "endTimeUnixNano": minute,
            "status": {},
        },
        {
            "timeUnixNano": "1772359260000000000",
            "observedTimeUnixNano": "1772359260000000000",
            "severityNumber": 9,
            "body": {"stringValue": "kitchen.destroy"},
            "traceId": f"{1:032x}",
            "spanId": f"{1:016x}",
            "eventName": "kitchen.destroy",
        },
    ]
    assert [one["attributes"][-1]["value"]["stringValue"][-1] for one in (first[0], first[2])] == ["1", "2"]


def test_a_run_takes_as_long_as_the_clock_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Durations are the fake clock's, also in modules that were imported while it stood still."""
    monkeypatch.delitem(sys.modules, "otel_bridge.consent.choice", raising=False)
    monkeypatch.delattr("otel_bridge.consent.choice", raising=False)
    with FakeClock() as standing, capture_events("kitchen") as events:
        monkeypatch.setattr("kitchen.actions.create", lambda *given: standing.advance(12.3))
        run("create", "debian")
        choice = importlib.import_module("otel_bridge.consent.choice")
        assert choice.now() == standing.nanoseconds == clock.now()
    assert choice.now is clock.now is time.time_ns
    (span,) = [event.record for event in events]
    assert int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"]) == 12_000_000_000


def test_a_real_sender_delivers_to_the_sink_what_was_captured() -> None:
    """Over http/protobuf, event by event and run by run; what it had sent can still be seen."""
    drain = ["otel-bridge", "drain", "--product", "kitchen", "--json"]
    with capture_events("kitchen") as events, OtlpSink() as sink:
        environment = {**events.environment, "OTEL_BRIDGE_ENDPOINT": sink.endpoint}
        for words in (["kitchen", "create", "debian"], drain, ["kitchen", "destroy"], drain):
            subprocess.run(words, env=environment, check=True)
        named = [event.name for event in events]
        refused = subprocess.run(drain, env=events.environment, capture_output=True)  # where nobody listens
    assert named == ["kitchen.create", "cli.run", "kitchen.destroy", "cli.run"]
    assert [event for event in events if event.name != "cli.run"] == sink.records
    assert events.named("cli.run") == sink.spans
    assert [one.path for one in sink.requests] == ["/v1/logs", "/v1/traces"] * 2
    first = sink.requests[0]
    assert (first.signal, first.headers["content-type"]) == ("logs", "application/x-protobuf")
    assert (
        ExportLogsServiceRequest.FromString(first.body).resource_logs[0].scope_logs[0].log_records[0].event_name == "kitchen.create"
    )
    assert {key: sink.records[0].record[key] for key in ("traceId", "timeUnixNano")} == {
        key: events[0].record[key] for key in ("traceId", "timeUnixNano")
    }
    assert refused.returncode == 0, refused.stderr  # nothing waited


def test_the_sink_answers_as_it_is_told() -> None:
    """Once, twice, from now on; it keeps the records only of what it took."""
    with capture_events("kitchen") as events, OtlpSink() as sink:
        run("create", "debian")
        environment = {**events.environment, "OTEL_BRIDGE_ENDPOINT": sink.endpoint}
        drain = ["otel-bridge", "drain", "--product", "kitchen", "--json"]
        sink.answer(410, b"closed")
        result = json.loads(subprocess.run(drain, env=environment, capture_output=True).stdout)
        assert result == {"sent": 0, "kept": 2, "quarantined": 0, "lost": {}, "error": f"{sink.endpoint}: the server answered 410"}
        assert (len(sink.requests), sink.records, sink.spans) == (1, [], [])
        sink.answer(503, headers={"Content-Type": "text/plain"}, times=2)
        empty = {"Content_Type": "application/x-protobuf"}
        answers = [posted(sink, "/v1/logs", b"", **empty) for _ in range(3)]
    assert answers == [(503, "text/plain", b"")] * 2 + [(410, "application/x-protobuf", b"closed")]


LOG = {
    "resourceLogs": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "a"}}]},
            "scopeLogs": [
                {
                    "logRecords": [
                        {
                            "eventName": "a.b",
                            "body": {"stringValue": "text"},
                            "attributes": [
                                {"key": "i", "value": {"intValue": "7"}},
                                {"key": "d", "value": {"doubleValue": 1.5}},
                                {"key": "t", "value": {"boolValue": True}},
                                {"key": "l", "value": {"arrayValue": {"values": [{"intValue": 1}, {"stringValue": "x"}]}}},
                                {"key": "m", "value": {"kvlistValue": {"values": [{"key": "k", "value": {}}]}}},
                            ],
                        }
                    ]
                }
            ],
        }
    ]
}


def test_the_sink_reads_json_and_gzip_and_answers_in_kind() -> None:
    """Plain and compressed; what no OTLP server takes is refused with the status that such a server has for it."""
    plain, kind = json.dumps(LOG).encode(), "application/json"
    with OtlpSink() as sink:
        assert posted(sink, "/v1/logs", plain, Content_Type=f"{kind}; charset=utf-8") == (200, kind, b"{}")
        assert posted(sink, "/v1/logs", gzip.compress(plain), Content_Type=kind, Content_Encoding="gzip") == (200, kind, b"{}")
        attributes = {"i": 7, "d": 1.5, "t": True, "l": [1, "x"], "m": {"k": None}}
        assert sink.records == [Event("a.b", attributes, {"service.name": "a"})] * 2
        assert sink.records[0].body == "text"
        assert gzip.decompress(sink.requests[1].body) == plain
        protobuf = "application/x-protobuf"
        assert posted(sink, "/v1/traces", b"", Content_Type=protobuf) == (200, protobuf, b"")
        wrong = [
            ("/v1/metrics", b"{}", kind, "", 404),
            ("/v1/logs", b"{}", "text/plain", "", 415),
            ("/v1/logs", b"[", kind, "", 400),
            ("/v1/logs", b"[]", kind, "", 400),
            ("/v1/logs", b"\xff\xff", protobuf, "", 400),
            ("/v1/logs", plain, kind, "gzip", 400),
        ]
        for path, body, media, encoding, status in wrong:
            assert posted(sink, path, body, Content_Type=media, Content_Encoding=encoding)[0] == status
        assert (len(sink.records), len(sink.requests), sink.requests[3].signal) == (2, 9, "")


def pytests(world: World, *files: tuple[str, str], ok: bool = True) -> str:
    """What pytest prints of an author's own files."""
    for name, text in files:
        (world.work / name).write_text(text)
    return world.run(str(BIN / "python"), "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", ok=ok, CI="true").stdout


AUTHORS = """
import os
import otel_bridge
from otel_bridge.auto.kitchen.cli import main
from otel_bridge.testing import assert_declared

def test_declared(captured_events, fake_clock):
    otel_bridge.event("kitchen.create", {"kitchen.platform": "debian-12"})
    main(["list"], standalone_mode=False)
    event, run = captured_events
    assert event.record["traceId"] == "0" * 31 + "1"
    assert event.resource == run.resource and not {"otel_bridge.test", "otel_bridge.ci"} & run.resource.keys()
    assert_declared(captured_events)

def test_undeclared(captured_events):
    otel_bridge.event("kitchen.create", {"foo": 1})
    otel_bridge.event("kitchen.made")
    assert_declared(captured_events)

def test_sink(otlp_sink):
    assert otlp_sink.endpoint.startswith("http://127.0.0.1:")

def test_afterwards():
    assert os.environ["PYTEST_CURRENT_TEST"] and os.environ["CI"] == "true" and otel_bridge.current is None
"""


def test_an_authors_own_tests_use_the_fixtures(world: World) -> None:
    """In a pytest of their own: the product of the folder's pyproject.toml, and a failure that says what to declare."""
    told = pytests(world, ("pyproject.toml", PRODUCT), ("conftest.py", PLUGIN), ("test_own.py", AUTHORS), ok=False)
    assert "1 failed, 3 passed" in told
    assert [line[1:].strip() for line in told.splitlines() if line.startswith("E  ")] == [
        "AssertionError: kitchen.made: the event is not declared in telemetry.yaml; declare it or do not send it",
        "kitchen.create: the attribute `foo` is not declared in telemetry.yaml; declare it or do not send it",
    ]


def test_a_conftest_may_name_the_product_and_import_the_doubles_first(world: World) -> None:
    """Pytest does not warn that the plugin was imported already, even where warnings are errors."""
    named = "import pytest\nfrom otel_bridge.testing import FakeClock\n@pytest.fixture\ndef otel_bridge_product():\n    return 'kitchen'\n"
    own = "def test_it(captured_events):\n    assert captured_events == []\n"
    assert "1 passed" in pytests(world, ("conftest.py", named + PLUGIN), ("test_own.py", own))


def test_the_guides_example_runs(world: World) -> None:
    """Every Python block of docs/testing.md, as the file that its first line names."""
    blocks = re.findall(r"```python\n# (\S+)\n(.*?)```", (ROOT / "docs/testing.md").read_text(), re.DOTALL)
    assert [name for name, _ in blocks] == ["conftest.py", "test_kitchen.py"]
    assert "2 passed" in pytests(world, ("pyproject.toml", PRODUCT), *blocks)


def test_importing_the_doubles_imports_nothing_heavy(world: World) -> None:
    """Neither OpenTelemetry nor requests, nor pytest; a capture does not either."""
    code = """
import sys
from otel_bridge.testing import *
with capture_events("kitchen") as events, OtlpSink():
    import otel_bridge
    otel_bridge.event("kitchen.create")
print(len(events), sorted({"opentelemetry", "requests", "google", "grpc", "pytest", "_pytest"} & sys.modules.keys()))
"""
    assert world.run(str(BIN / "python"), "-c", code).stdout == "1 []\n"


def test_a_capture_says_what_it_holds() -> None:
    """As a list does, for the message of an assertion."""
    with capture_events("kitchen") as events:
        otel_bridge.event("kitchen.destroy")
        assert isinstance(events, Captured)
        assert repr(events).startswith("[Event(name='kitchen.destroy', attributes={")
