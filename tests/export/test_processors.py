"""What our processors and exporters for programs on the OTel SDK let through, and what they never do."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import PROBE, ROOT
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    LogRecordExporter,
    LogRecordExportResult,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from otel_bridge.commands.compile import outputs
from otel_bridge.export import policy as policies
from otel_bridge.export.exporters import PrivacyLogExporter, PrivacySpanExporter
from otel_bridge.export.processors import Policy, PrivacyLogRecordProcessor, PrivacySpanProcessor
from otel_bridge.schema import load
from otel_bridge.schema.compile import read
from otel_bridge.testing import FakeClock

SHOP = ROOT / "examples/shop/shop/_telemetry.py"
MOMENT = 1_700_000_123_456_789_000  # 22:15:23 UTC


class Wired:
    """A provider of each signal behind our processors, and what came through."""

    def __init__(self, policy: Policy, resource: Mapping[str, Any] | None = None) -> None:
        self.policy = policy
        self.logs, self.spans = InMemoryLogRecordExporter(), InMemorySpanExporter()
        about = Resource(resource or {"service.name": "anything", "service.version": "1.4.0", "host.name": "ada"})
        self.loggers = LoggerProvider(about, shutdown_on_exit=False)
        self.loggers.add_log_record_processor(PrivacyLogRecordProcessor(policy, SimpleLogRecordProcessor(self.logs)))
        self.tracers = TracerProvider(resource=about, shutdown_on_exit=False)
        self.tracers.add_span_processor(PrivacySpanProcessor(policy, SimpleSpanProcessor(self.spans)))

    def emit(self, name: str = "shop.order", scope: Mapping[str, Any] | None = None, **attributes: Any) -> None:
        self.loggers.get_logger("any", attributes=scope).emit(
            timestamp=MOMENT, event_name=name, attributes={key.replace("__", "."): value for key, value in attributes.items()}
        )

    def told(self) -> list[tuple[str | None, dict[str, Any]]]:
        """(event name, its own attributes) of what came through."""
        ours = ("log.record.uid", "otel_bridge.sequence")
        return [
            (one.log_record.event_name, {k: v for k, v in (one.log_record.attributes or {}).items() if k not in ours})
            for one in self.logs.get_finished_logs()
        ]


@pytest.fixture(autouse=True)
def agreed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Both products are on, in a home of their own."""
    for name in ("DO_NOT_TRACK", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("SHOP_TELEMETRY", "on")
    monkeypatch.setenv("PROBE_TELEMETRY", "on")
    return tmp_path


@pytest.fixture
def wired() -> Wired:
    return Wired(Policy(read(SHOP)))


def probe(folder: Path, changed: tuple[str, str], toml: str = "") -> Policy:
    """The policy of a small product whose declaration is changed in one place."""
    (folder / "pyproject.toml").write_text(f'[tool.otel-bridge]\nproduct = "probe"\npackage = "probe"\n{toml}')
    assert changed[0] in PROBE
    (folder / "telemetry.yaml").write_text(PROBE.replace(*changed))
    (folder / "probe").mkdir()
    for path, content in outputs(load(folder / "telemetry.yaml")).items():
        path.write_bytes(content)
    return Policy(read(folder / "probe/_telemetry.py"))


def test_an_event_is_made_anew(wired: Wired) -> None:
    """Body, severity, times, scope, resource and ids of a record are ours; of its attributes the declared ones are left."""
    logger = wired.loggers.get_logger("theirs", "9", schema_url="https://ada", attributes={"ada": 1})
    logger.emit(
        timestamp=MOMENT,
        severity_text="ada",
        body={"ada": 1},
        event_name="shop.order",
        attributes={"shop.items": 2, "ada": "ada"},
        exception=ValueError("ada"),
    )
    (one,) = wired.logs.get_finished_logs()
    record = one.log_record
    assert dict(one.resource.attributes) == {"service.name": "shop", "service.version": "1.4.0"}
    assert (one.resource.schema_url, one.instrumentation_scope.name, one.instrumentation_scope.schema_url) == (
        "",
        "otel_bridge",
        "",
    )
    assert (record.body, record.severity_text, record.severity_number.value) == ("shop.order", None, 9)
    assert record.timestamp == record.observed_timestamp == MOMENT - MOMENT % 60_000_000_000
    attributes = dict(record.attributes)
    assert re.fullmatch("[0-9a-f-]{36}", attributes.pop("log.record.uid"))
    assert attributes == {"shop.items": 3, "otel_bridge.sequence": 1}


def test_a_span_is_made_anew(wired: Wired) -> None:
    """Name and kind are declared, start and length rounded, no description, event, link or state; ids are not theirs."""
    tracer = wired.tracers.get_tracer("opentelemetry.instrumentation.fastapi")
    with tracer.start_as_current_span(
        "GET /ada", kind=SpanKind.SERVER, attributes={"http.request.method": "GET", "url.path": "/ada"}
    ) as above:
        with tracer.start_as_current_span("shop.price") as below:
            below.set_status(StatusCode.ERROR, "ada")
            below.add_event("ada")
        theirs = above.get_span_context()
    below, above = wired.spans.get_finished_spans()
    assert (above.name, above.kind, dict(above.attributes)) == ("shop.request", SpanKind.SERVER, {"http.request.method": "GET"})
    assert (below.name, below.kind, dict(below.attributes)) == ("shop.price", SpanKind.INTERNAL, {})
    assert (below.status.status_code, below.status.description) == (StatusCode.ERROR, None)
    assert not (*below.events, *below.links, *below.context.trace_state)
    assert below.context.trace_id == above.context.trace_id != theirs.trace_id
    assert below.parent.span_id == above.context.span_id != theirs.span_id
    assert above.start_time % 60_000_000_000 == 0
    assert len(str(above.end_time - above.start_time).rstrip("0")) <= 2


def test_what_is_not_declared_does_not_come_through(wired: Wired) -> None:
    """Another event, a record without a name, spans of another name, kind or scope: dropped, not masked."""
    wired.emit("shop.other")
    wired.loggers.get_logger("any").emit(timestamp=MOMENT, body="a line of a log")
    tracer = wired.tracers.get_tracer("opentelemetry.instrumentation.fastapi")
    for name, kind in (("GET /ada", SpanKind.CLIENT), ("ada", SpanKind.INTERNAL)):
        tracer.start_span(name, kind=kind).end()
    wired.tracers.get_tracer("other").start_span("GET /ada", kind=SpanKind.SERVER).end()
    assert wired.told() == []
    assert wired.spans.get_finished_spans() == ()


@pytest.mark.parametrize("value", [True, False, "", "no", 0, [], ["x"]])
def test_an_opt_out_with_any_value_drops(value: Any) -> None:
    """On the record or span, on its scope or on the resource."""
    policy = Policy(read(SHOP))
    of_resource = Wired(policy, {"otel_bridge.opt_out": value})
    of_resource.emit()
    of_resource.tracers.get_tracer("any").start_span("shop.price").end()
    other = Wired(policy)
    other.emit(otel_bridge__opt_out=value)
    other.emit(scope={"otel_bridge.opt_out": value})
    other.tracers.get_tracer("any").start_span("shop.price", attributes={"otel_bridge.opt_out": value}).end()
    other.tracers.get_tracer("any", attributes={"otel_bridge.opt_out": value}).start_span("shop.price").end()
    for wired in (of_resource, other):
        assert (wired.told(), wired.spans.get_finished_spans()) == ([], ())
    other.emit(shop__items=1)
    assert len(other.told()) == 1


def test_consent_is_asked_again_after_five_seconds(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within five seconds an answer holds; after them no record passes, also none that one of our processors has made."""
    with FakeClock() as clock:
        wired.emit(shop__items=1)
        monkeypatch.setenv("DO_NOT_TRACK", "1")
        clock.advance(4)
        wired.emit(shop__items=3)
        made = wired.logs.get_finished_logs()
        clock.advance(2)
        wired.emit(shop__items=10)
        sent = InMemoryLogRecordExporter()
        assert PrivacyLogExporter(wired.policy, sent).export(made) == LogRecordExportResult.SUCCESS
    assert [attributes["shop.items"] for _, attributes in wired.told()] == [1, 3]
    assert sent.get_finished_logs() == ()


def test_what_the_person_refuses_does_not_come_through(wired: Wired, agreed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`off --event` and `off --category` hold here as well."""
    from otel_bridge.consent.choice import choose

    monkeypatch.delenv("SHOP_TELEMETRY")
    choose("shop", "on", ["category:reliability", "event:shop.order"])
    wired.emit(shop__items=1)
    tracer = wired.tracers.get_tracer("opentelemetry.instrumentation.fastapi")
    tracer.start_span("x", kind=SpanKind.SERVER, attributes={"http.request.method": "GET", "http.response.status_code": 200}).end()
    tracer.start_span("shop.price").end()
    assert wired.told() == []
    assert [(one.name, dict(one.attributes)) for one in wired.spans.get_finished_spans()] == [
        ("shop.request", {"http.request.method": "GET"})
    ]


def test_nothing_is_reduced_twice(tmp_path: Path) -> None:
    """What one of our processors has made goes through one of our exporters as it is: a pseudonym of a pseudonym is another one."""
    policy = probe(tmp_path, ("{policy: enum, values: [red, blue],", "{policy: pseudonym,"))
    wired, sent = Wired(policy), InMemoryLogRecordExporter()
    wired.emit("probe.step", probe__step=1, probe__word="ada")
    PrivacyLogExporter(policy, sent).export(wired.logs.get_finished_logs())
    ((_, first),) = wired.told()
    assert [dict(one.log_record.attributes)["probe.word"] for one in sent.get_finished_logs()] == [first["probe.word"]]
    assert re.fullmatch("[0-9a-f]{16}", first["probe.word"])


def test_what_was_refused_while_it_waited_does_not_leave(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the program's own queue is asked for once more when it is exported, by the policy of its own product."""
    from otel_bridge.consent.choice import choose

    monkeypatch.delenv("SHOP_TELEMETRY")
    with FakeClock("2026-11-22T12:00:00Z") as clock:
        choose("shop", "on")
        wired.loggers.get_logger("any").emit(timestamp=clock.nanoseconds, event_name="shop.order", attributes={"shop.items": 1})
        tracer = wired.tracers.get_tracer("opentelemetry.instrumentation.fastapi")
        for name, kind in (("shop.price", SpanKind.INTERNAL), ("x", SpanKind.SERVER)):
            tracer.start_span(name, kind=kind, start_time=clock.nanoseconds).end(clock.nanoseconds + 1)
        waiting, spans = wired.logs.get_finished_logs(), wired.spans.get_finished_spans()
        assert (len(waiting), len(spans)) == (1, 2)

        def exported() -> list[str | None]:
            log, span = InMemoryLogRecordExporter(), InMemorySpanExporter()
            PrivacyLogExporter(wired.policy, log).export(waiting)
            PrivacySpanExporter(wired.policy, span).export(spans)
            return [one.log_record.event_name for one in log.get_finished_logs()] + [one.name for one in span.get_finished_spans()]

        assert exported() == ["shop.order", "shop.price", "shop.request"]
        choose("shop", "on", ["event:shop.order", "event:shop.price"])
        clock.advance(6)
        assert exported() == ["shop.request"]
        choose("shop", "on", [])
        clock.advance(120)
        assert len(exported()) == 3
        choose("shop", "off")
        choose("shop", "on")
        clock.advance(6)
        assert exported() == []  # from before the person agreed
    assert not any(map(Policy(read(ROOT / "examples/kitchen/kitchen/_telemetry.py")).still, (*waiting, *spans)))


def test_the_limits_of_the_program_do_not_cut_what_we_made(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT=3 would make `__o` of `__other__`, which nobody declared."""
    monkeypatch.setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3")
    monkeypatch.setenv("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "1")
    other = Wired(wired.policy)
    other.emit(shop__payment="cheque")
    assert other.told() == [("shop.order", {"shop.payment": "__other__"})]


def test_the_version_of_something_else_is_not_told_as_ours(wired: Wired) -> None:
    """`service.version` of a resource counts when its `service.name` is the product."""
    versions = []
    for name in ("acme-internal", "shop"):
        other = Wired(wired.policy, {"service.name": name, "service.version": "20241.10523.999"})
        other.emit(shop__items=1)
        versions.append(other.logs.get_finished_logs()[0].resource.attributes["service.version"])
    assert versions == ["1.4.0", "20241.10523.999"]


@pytest.mark.parametrize("broken", ["raise RuntimeError", "NAMES = 7\n"])
def test_a_package_that_fails_when_it_is_looked_for_is_no_product(
    agreed: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """`Policy.of` never raises, whatever a package does."""
    package = agreed / "brokenpkg"
    (package / "sub").mkdir(parents=True)
    (package / "__init__.py").write_text("" if "NAMES" in broken else broken)
    for folder in (package, package / "sub"):
        (folder / "_telemetry.py").write_text(broken)
    (package / "sub/__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(agreed))
    for name in ("brokenpkg", "brokenpkg.sub", 7):
        assert Policy.of(name).declared is None


def test_a_default_is_not_told_for_nobody_knows_who_set_it(tmp_path: Path) -> None:
    """The SDK has no provenance: `default_only` gives its placeholder."""
    wired = Wired(probe(tmp_path, ("policy: enum, values: [red, blue]", "policy: default_only, values: [red, blue]")))
    wired.emit("probe.step", probe__word="red")
    assert wired.told() == [("probe.step", {"probe.word": "__custom__"})]


def test_no_id_of_a_stranger_passes_as_ours(wired: Wired) -> None:
    """A UUID that the program calls `session.id` or `app.installation.id` has the form of ours, and is dropped."""
    theirs = "2f5ba7a2-66a5-4b6c-9d6b-1d1f6c3e9a11"
    other = Wired(wired.policy, {"app.installation.id": theirs, "service.version": "1.4.0"})
    other.emit(session__id=theirs, shop__items=1, log__record__uid=theirs)
    (one,) = other.logs.get_finished_logs()
    assert theirs not in str((dict(one.log_record.attributes), dict(one.resource.attributes)))


def test_a_rare_event_is_told_for_some_traces_whole(tmp_path: Path) -> None:
    """`sample_rate` draws by trace and event, all of a trace or none, and the rate is told."""
    policy = probe(
        tmp_path,
        ("    brief: A step was done.\n", "    brief: A step was done.\n    annotations: {privacy: {sample_rate: 0.25}}\n"),
    )
    wired = Wired(policy)
    for _ in range(200):
        with wired.tracers.get_tracer("any").start_as_current_span("any"):
            for _ in range(2):
                wired.emit("probe.step", probe__step=1)
    found = [one.log_record for one in wired.logs.get_finished_logs()]
    assert 20 < len(found) / 2 < 90
    assert {dict(one.attributes)["otel_bridge.sample_rate"] for one in found} == {0.25}
    assert all([one.trace_id for one in found].count(one.trace_id) == 2 for one in found)


class Bad(LogRecordProcessor, SpanProcessor, LogRecordExporter, SpanExporter):
    """Whatever is asked of it, it raises."""

    def _no(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("broken")

    on_emit = on_end = export = shutdown = force_flush = _no  # type: ignore[assignment]


class Hostile(dict):
    def _no(self, *args: Any) -> Any:
        raise RuntimeError("touched")

    __contains__ = __getitem__ = __iter__ = keys = items = get = _no  # type: ignore[assignment]


def test_nothing_raises_into_the_host(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken processor or exporter behind, a hostile mapping, impossible times, a broken `decide`: nothing comes out, nothing else."""
    policy = wired.policy
    broken = LoggerProvider(shutdown_on_exit=False)
    broken.add_log_record_processor(PrivacyLogRecordProcessor(policy, Bad()))
    broken.get_logger("any").emit(timestamp=MOMENT, event_name="shop.order")
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(PrivacySpanProcessor(policy, Bad()))
    tracers.get_tracer("any").start_span("shop.price").end()

    wired.emit(shop__items=1)
    (made,) = wired.logs.get_finished_logs()
    assert PrivacyLogExporter(policy, Bad()).export([made]) == LogRecordExportResult.FAILURE
    made.log_record.attributes = Hostile({"shop.items": 1})
    raw = ReadableLogRecord(made.log_record, made.resource, None)
    assert policy.record(raw) is None
    for moment in (-1, 1 << 63, 1.5, "now"):
        made.log_record.attributes, made.log_record.timestamp = {}, moment
        assert policy.record(raw) is None
    for odd in (None, 7, "x", ReadableSpan("shop.price")):
        assert policy.span(odd) is None
        assert policy.record(odd) is None
    assert PrivacySpanExporter(policy, Bad()).export([ReadableSpan("shop.price")]) == SpanExportResult.SUCCESS  # nothing was left
    monkeypatch.setattr(policies, "decide", Bad._no)
    with FakeClock():
        other = Wired(Policy(read(SHOP)))
        other.emit(shop__items=1)
        assert other.told() == []
    assert PrivacyLogExporter(other.policy, Bad()).export([made]) == LogRecordExportResult.SUCCESS


def test_without_a_product_nothing_is_told(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """No name, one that nobody has installed, one with a broken declaration: said once to the program's log."""
    monkeypatch.delenv("OTEL_BRIDGE_PRODUCT", raising=False)
    for exporter in (PrivacyLogExporter(), PrivacySpanExporter(product="no.such"), PrivacyLogExporter(product="json")):
        assert exporter.policy.declared is None
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        f"nothing will be told of {name}" for name in ("a product without a name", "no.such", "json")
    ]


def test_flush_and_shutdown_reach_the_processor_behind() -> None:
    """With their deadline and their answer."""

    class Behind(LogRecordProcessor, SpanProcessor):
        asked: list[object]

        def on_emit(self, log_record: ReadWriteLogRecord) -> None: ...

        def shutdown(self) -> None:
            self.asked.append("shutdown")

        def force_flush(self, timeout_millis: int = 0) -> bool:
            self.asked.append(timeout_millis)
            return False

    for kind in (PrivacyLogRecordProcessor, PrivacySpanProcessor):
        behind = Behind()
        behind.asked = []
        ours = kind(Policy(None), behind)
        assert ours.force_flush(77) is False
        ours.shutdown()
        assert behind.asked == [77, "shutdown"]
