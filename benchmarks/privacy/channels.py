"""A program on the OpenTelemetry SDK that says a text wherever a log record or a span can hold one."""

from itertools import cycle
from typing import Any
from urllib.parse import quote

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags, TraceState

NONE = NoOpMeterProvider()  # or the global one keeps something of every provider ever made
MOMENT = 1_795_327_999_123_456_789
EVENT, SPANS, SCOPE = "bench.failed", ("cli.run", "bench.work"), "bench.scope"  # as declared


class Sink(SpanProcessor):
    """Hands spans to an exporter, whether or not they are marked as sampled."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self.exporter = exporter

    def on_end(self, span: ReadableSpan) -> None:
        """Hand one on."""
        self.exporter.export((span,))


class Telling(IdGenerator):
    """Ids of a trace that are letters of a text."""

    def __init__(self, value: str) -> None:
        self.letters = value.encode()

    def generate_trace_id(self) -> int:
        """Its first sixteen."""
        return int.from_bytes(self.letters[:16].ljust(16, b"x"), "big")

    def generate_span_id(self) -> int:
        """Its first eight."""
        return int.from_bytes(self.letters[:8].ljust(8, b"x"), "big")


def say(value: str, problem: BaseException, keys: list[str], logs: LogRecordProcessor, spans: SpanProcessor) -> None:
    """Say a text in every channel, to one processor of each kind. `keys` are declared; the text is a key too, and a name."""
    given = {**dict.fromkeys(keys, value), value: value, "undeclared": value, "exception.message": value}
    resource = Resource(given, schema_url=value)
    logging = LoggerProvider(resource, shutdown_on_exit=False, meter_provider=NONE)
    logging.add_log_record_processor(logs)
    _log(value, problem, EVENT, given, logging)
    tracing = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False, id_generator=Telling(value), meter_provider=NONE)
    tracing.add_span_processor(spans)
    _span(value, problem, SPANS, given, tracing)


def encoded(logs: InMemoryLogRecordExporter, spans: InMemorySpanExporter) -> bytes:
    """The bytes that the stock encoders make of what has arrived."""
    return encode_logs(logs.get_finished_logs()).SerializeToString() + encode_spans(spans.get_finished_spans()).SerializeToString()


def _log(value: str, problem: BaseException, event: str, given: dict[str, str], provider: LoggerProvider) -> None:
    loggers = cycle((provider.get_logger(value, value, value, {value: value}), provider.get_logger(SCOPE)))
    shapes: tuple[tuple[Any, dict[str, Any], BaseException | None], ...] = (
        (value, dict(given), problem),
        ([value], {key: [value, "red"] for key in given}, None),
        ({value: {value: [value]}}, {key: {value: [value]} for key in given}, None),
    )
    for body, attributes, exception in shapes:
        for name in (event, value):
            next(loggers).emit(
                LogRecord(
                    timestamp=MOMENT,
                    severity_text=value,
                    severity_number=SeverityNumber.ERROR,
                    body=body,
                    attributes=attributes,
                    event_name=name,
                    exception=exception,
                )
            )


def _span(value: str, problem: BaseException, names: tuple[str, ...], given: dict[str, str], provider: TracerProvider) -> None:
    state = TraceState([("vendor", quote(value)[:256])])  # what W3C Trace Context allows in a value
    link = Link(SpanContext(1, 1, True, TraceFlags(1), state), {value: value, "undeclared": value})
    tracers = cycle((provider.get_tracer(value, value, schema_url=value, attributes={value: value}), provider.get_tracer(SCOPE)))
    for name in (*names, value):
        span = next(tracers).start_span(name, attributes=given, links=[link])
        span.set_attributes({key: [value, "red"] for key in list(given)[::2]})
        span.add_event(value, {value: value, "exception.message": value, "exception.stacktrace": value})
        if name != value:
            span.record_exception(problem)  # type: ignore[arg-type]
        span.set_status(Status(StatusCode.ERROR, value))
        span.end()
