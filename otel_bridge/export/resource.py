"""Name product and platform as an OTel Resource, directly: `Resource.create` would merge the user's OTEL_RESOURCE_ATTRIBUTES."""

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags

from .prepare import Ready


def resource_of(ready: Ready) -> Resource:
    """The resource of one record."""
    return Resource(ready.resource)


def scope_of(ready: Ready) -> InstrumentationScope:
    """The instrumentation scope of everything that this library records."""
    return InstrumentationScope("otel_bridge", ready.version)


def context_of(ready: Ready) -> SpanContext:
    """The trace context of the run; without trace state, which is free text."""
    return SpanContext(ready.trace_id, ready.span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.DEFAULT))
