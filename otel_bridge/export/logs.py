"""Rebuild an event as an OTel log record."""

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.trace import NonRecordingSpan, set_span_in_context

from .prepare import Ready
from .resource import context_of, resource_of, scope_of


def to_otel(ready: Ready) -> ReadableLogRecord:
    """The record that the stock exporter takes: its body is its event name, its severity INFO without text."""
    record = LogRecord(
        timestamp=ready.start,
        observed_timestamp=ready.end,
        context=set_span_in_context(NonRecordingSpan(context_of(ready))),
        severity_number=SeverityNumber.INFO,
        body=ready.name,
        attributes=ready.attributes,
        event_name=ready.name,
    )
    return ReadableLogRecord(record, resource_of(ready), scope_of(ready))
