"""Rebuild a run as an OTel span."""

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, Status, StatusCode, TraceFlags

from .prepare import Ready
from .resource import context_of, parent_of, resource_of, scope_of


def to_otel(ready: Ready) -> ReadableSpan:
    """The span that the stock exporter takes: no events, no links, no description of its status."""
    return ReadableSpan(
        name=ready.name,
        context=context_of(ready, TraceFlags.SAMPLED),  # the SDK's processors pass over spans that are not
        resource=resource_of(ready),
        attributes=ready.attributes,
        kind=SpanKind[ready.kind.upper()],
        parent=parent_of(ready),
        status=Status(StatusCode.ERROR if ready.failed else StatusCode.UNSET),
        start_time=ready.start,
        end_time=ready.end,
        instrumentation_scope=scope_of(ready),
    )
