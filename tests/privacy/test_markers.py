"""A marker planted in every field of everything that a program can hand over is in nothing that is written or leaves.

1,500 cases; `make prove` runs 10,000 (`--hypothesis-profile=prove`).
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from otel_bridge.consent import Decision
from otel_bridge.export.exporters import PrivacyLogExporter, PrivacySpanExporter
from otel_bridge.export.policy import Policy
from otel_bridge.export.processors import PrivacyLogRecordProcessor, PrivacySpanProcessor
from otel_bridge.record import Run, record, record_span
from otel_bridge.schema.compile import Compiled, read
from otel_bridge.testing import OtlpSink

CASES = 10_000 if settings.get_current_profile_name() == "prove" else 1_500
MARK = "mRk3rQ7x"  # 8 characters, so that it is a span id as well, and twice a trace id
RAW = MARK.encode()
FORMS = (RAW, RAW.hex().encode(), RAW[::-1], RAW.lower())
KITCHEN = read(ROOT / "examples/kitchen/kitchen/_telemetry.py")
SHOP = read(ROOT / "examples/shop/shop/_telemetry.py")
KEYS = sorted({spec[0] for specs in (*KITCHEN.events.values(), KITCHEN.span, KITCHEN.resource, KITCHEN.common) for spec in specs})
EVENTS = sorted(KITCHEN.events)


def marked(around: str) -> str:
    return around.replace("*", MARK)


TEXT = st.sampled_from(["*", "/home/*/x", "*@example.org", "https://*:y@host/", "1.2.*", "vagrant*", "*\nvagrant", " * "]).map(
    marked
)
PLAIN = st.sampled_from(["vagrant", "create", "debian-12", "1.14.2", "--driver", "OSError", True, 7, 2.5])
SCALAR = TEXT | PLAIN
VALUE = st.recursive(
    SCALAR | TEXT.map(str.encode) | TEXT.map(ValueError),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=2) | st.tuples(inner),
    max_leaves=4,
)
SDK_VALUE = SCALAR | st.lists(TEXT, max_size=3)
KEY = st.sampled_from(KEYS) | TEXT | st.sampled_from(["host.name", "enduser.id", "exception.message", "code.file.path"])
GIVEN = st.dictionaries(KEY, VALUE, max_size=6)
TOLD = st.dictionaries(KEY, SDK_VALUE, max_size=6)
NAME = st.sampled_from(EVENTS) | TEXT
CASE = st.fixed_dictionaries(
    {
        "name": NAME,
        "span": st.sampled_from(["cli.run", "shop.price"]) | TEXT,
        "kind": st.sampled_from(list(SpanKind)),
        "scope": st.sampled_from(["opentelemetry.instrumentation.fastapi"]) | TEXT,
        "given": GIVEN,
        "told": TOLD,
        "resource": TOLD,
        "text": TEXT,
        "value": SDK_VALUE,
        "fails": st.booleans(),
    }
)


@contextmanager
def allowed(folder: Path) -> Iterator[None]:
    """A world in which both products are on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        for name in ("KITCHEN_TELEMETRY", "SHOP_TELEMETRY"):
            patch.setenv(name, "on")
        for name in ("DO_NOT_TRACK", "OTEL_SDK_DISABLED"):
            patch.delenv(name, raising=False)
        yield


def leaked(content: bytes) -> list[bytes]:
    return [form for form in FORMS if form in content]


def error(case: dict[str, Any]) -> Exception:
    """An exception whose class, message and frames carry the marker."""
    try:
        exec(
            compile(
                f"def {MARK}():\n    raise type({MARK!r}, (OSError,), {{}})({case['text']!r})\n{MARK}()", f"/home/{MARK}.py", "exec"
            )
        )
    except OSError as raised:
        return raised
    raise AssertionError


def recorded(case: dict[str, Any], folder: Path) -> bytes:
    """What the recorder wrote for a case: all bytes below its folder."""
    state = folder / "state/otel-bridge/kitchen"
    shutil.rmtree(state, ignore_errors=True)
    module = SimpleNamespace(**{key.upper(): value for key, value in vars(KITCHEN).items()}, __file__=str(KITCHEN.file))
    known = {"installation": case["text"], "told": case["text"]}
    run = Run(module, Decision("on", "", "", "", "", ""), str(state), known)
    record(run, case["name"], case["given"], list(case["given"]))
    run.parsed = {
        **case["given"],
        "otel_bridge.command": case["text"],
        "error.type": case["text"],
        "kitchen.error.frames": error(case),
    }
    record_span(run, 1_700_000_000_000_000_000, 123_456_789, case["fails"])
    return b"".join(file.read_bytes() for file in state.rglob("*") if file.is_file())


def emit(case: dict[str, Any], log_processor: Any, span_processor: Any) -> None:
    """Everything that an SDK lets a program say, with the marker in each field."""
    resource = Resource({**case["resource"], "service.name": case["text"], case["text"]: case["text"]}, schema_url=case["text"])
    logs, traces = LoggerProvider(resource, shutdown_on_exit=False), TracerProvider(resource=resource, shutdown_on_exit=False)
    logs.add_log_record_processor(log_processor)
    traces.add_span_processor(span_processor)
    scope = (case["scope"], case["text"])
    numbers = int.from_bytes(RAW * 2, "big"), int.from_bytes(RAW, "big")
    above = SpanContext(*numbers, is_remote=case["fails"], trace_flags=TraceFlags(1), trace_state=TraceState([("k", MARK)]))
    context = set_span_in_context(NonRecordingSpan(above))
    told = {**case["told"], "exception.message": case["text"]}
    raised = error(case)
    logs.get_logger(*scope, schema_url=case["text"], attributes={case["text"]: case["text"]}).emit(
        timestamp=1_700_000_000_000_000_000,
        context=context,
        severity_text=case["text"],
        body=case["value"],
        attributes=told,
        event_name=case["name"],
        exception=raised,
    )
    tracer = traces.get_tracer(*scope, schema_url=case["text"], attributes={case["text"]: case["text"]})
    link = Link(above, {case["text"]: case["text"]})
    span = tracer.start_span(case["span"], context, kind=case["kind"], attributes=told, links=[link])
    span.add_event(case["text"], {case["text"]: case["value"]})
    span.record_exception(raised, {case["text"]: case["text"]})
    if case["fails"]:
        span.set_status(Status(StatusCode.ERROR, case["text"]))
    span.end()
    logs.shutdown()
    traces.shutdown()


class Both(Compiled):
    """kitchen's declaration with shop's spans, so that spans of each kind are declared."""


DECLARED = Both(**{**vars(KITCHEN), "spans": SHOP.spans})


def through_processors(case: dict[str, Any], sink: OtlpSink) -> None:
    """Our processors before the stock exporters."""
    policy = Policy(DECLARED)
    emit(
        case,
        PrivacyLogRecordProcessor(policy, SimpleLogRecordProcessor(stock_logs(sink))),
        PrivacySpanProcessor(policy, SimpleSpanProcessor(stock_spans(sink))),
    )


def through_exporters(case: dict[str, Any], sink: OtlpSink) -> None:
    """The stock processors before our exporters."""
    policy = Policy(DECLARED)
    emit(
        case,
        SimpleLogRecordProcessor(PrivacyLogExporter(policy, endpoint=sink.endpoint)),
        SimpleSpanProcessor(PrivacySpanExporter(policy, endpoint=sink.endpoint)),
    )


def unguarded(case: dict[str, Any], sink: OtlpSink) -> None:
    """What happens without us."""
    emit(case, SimpleLogRecordProcessor(stock_logs(sink)), SimpleSpanProcessor(stock_spans(sink)))


def stock_logs(sink: OtlpSink) -> Any:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

    return OTLPLogExporter(endpoint=f"{sink.endpoint}/v1/logs")


def stock_spans(sink: OtlpSink) -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=f"{sink.endpoint}/v1/traces")


@pytest.fixture(scope="module")
def sink() -> Iterator[OtlpSink]:
    with OtlpSink() as started:
        yield started


@pytest.mark.filterwarnings("ignore")
def test_no_marker_is_written_or_leaves(tmp_path_factory: pytest.TempPathFactory, sink: OtlpSink) -> None:
    """Recorder, SDK processors and SDK exporters: 0 markers in the bytes of the spool and in those that a server got."""
    folder = tmp_path_factory.mktemp("markers")
    counted = Counter[str]()

    @settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(CASE)
    def each(case: dict[str, Any]) -> None:
        counted["cases"] += 1
        spool = recorded(case, folder)
        assert not leaked(spool)
        counted["recorder logs"] += spool.count(b"resourceLogs")
        counted["recorder traces"] += spool.count(b"resourceSpans")
        for way in ("processors", "exporters"):
            before = len(sink.requests)
            ways: dict[str, Callable[[dict[str, Any], OtlpSink], None]] = {
                "processors": through_processors,
                "exporters": through_exporters,
            }
            ways[way](case, sink)
            for request in sink.requests[before:]:
                assert not leaked(
                    request.path.encode() + b"".join(f"{k}{v}".encode() for k, v in request.headers.items()) + request.body
                )
                counted[f"{way} {request.signal}"] += 1

    with allowed(folder):
        each()
    print(counted)
    assert counted["cases"] >= CASES
    for way in ("recorder", "processors", "exporters"):
        for signal in ("logs", "traces"):
            assert counted[f"{way} {signal}"] > CASES // 4, counted  # records did get through: an empty wire proves nothing


@pytest.mark.filterwarnings("ignore")
def test_the_marker_would_be_seen(tmp_path: Path, sink: OtlpSink) -> None:
    """Without our processors the same case leaks: in each field that the wire has."""
    case = {
        "name": "kitchen.create",
        "span": "cli.run",
        "kind": SpanKind.SERVER,
        "scope": MARK,
        "given": {},
        "told": {"a": MARK},
        "resource": {"b": MARK},
        "text": MARK,
        "value": MARK,
        "fails": True,
    }
    before = len(sink.requests)
    unguarded(case, sink)
    logs, traces = sink.requests[before:]
    assert logs.body.count(RAW) >= 12
    assert traces.body.count(RAW) >= 20
