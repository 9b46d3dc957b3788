"""Let only declared events and spans of a program on the OTel SDK reach the processor behind: drop, do not mask.

Each is a decorator and the only registered processor of its provider: a processor beside it would see what this one drops.
"""

from typing import Generic, TypeVar

from opentelemetry.context import Context
from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from ..errors import swallow
from . import logs, spans
from .policy import Policy

__all__ = ["Policy", "PrivacyLogRecordProcessor", "PrivacySpanProcessor"]


Behind = TypeVar("Behind", LogRecordProcessor, SpanProcessor)


class _Before(Generic[Behind]):
    """A processor with another one behind it, and a policy between them."""

    def __init__(self, policy: Policy, downstream: Behind) -> None:
        self.policy = policy
        self.downstream: Behind = downstream

    def shutdown(self) -> None:
        """Shut the processor behind down."""
        self.downstream.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flush the processor behind, within this many milliseconds."""
        return bool(self.downstream.force_flush(timeout_millis))


class PrivacyLogRecordProcessor(_Before[LogRecordProcessor], LogRecordProcessor):
    """Passes declared events to `downstream`, made anew by `policy`; everything else ends here. Never raises.

    Source: https://opentelemetry.io/docs/specs/otel/logs/sdk/#logrecordprocessor
    """

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Pass on what may leave of a record."""
        ready = self.policy.record(log_record)
        if ready is not None:
            try:
                made = logs.to_otel(ready)
                told, made.log_record.attributes = made.log_record.attributes, {}
                record = ReadWriteLogRecord(made.log_record, made.resource, made.instrumentation_scope)
                record.log_record.attributes = told  # the program's own OTEL_*_LIMIT would cut them to what nobody declared
                self.downstream.on_emit(record)
            except Exception as problem:
                swallow(problem)


class PrivacySpanProcessor(_Before[SpanProcessor], SpanProcessor):
    """Passes declared spans to `downstream` when they end, made anew by `policy`; everything else ends here. Never raises.

    The processor behind is not told when a span starts, for then nobody knows yet what the span will be.
    Source: https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-processor
    """

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Pass nothing on."""

    def on_end(self, span: ReadableSpan) -> None:
        """Pass on what may leave of a span."""
        ready = self.policy.span(span)
        if ready is not None:
            try:
                self.downstream.on_end(spans.to_otel(ready))
            except Exception as problem:
                swallow(problem)
