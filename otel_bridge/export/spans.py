"""Rebuild a run as an OTel span."""

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, Status, StatusCode

from .prepare import Ready
from .resource import context_of, resource_of, scope_of


def to_otel(ready: Ready) -> ReadableSpan:
    """The span that the stock exporter takes: kind INTERNAL, no events, no links, no description of its status."""
    return ReadableSpan(
        name=ready.name,
        context=context_of(ready),
        resource=resource_of(ready),
        attributes=ready.attributes,
        kind=SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR if ready.failed else StatusCode.UNSET),
        start_time=ready.start,
        end_time=ready.end,
        instrumentation_scope=scope_of(ready),
    )
