"""Name product and platform as an OTel Resource, directly: `Resource.create` would merge the user's OTEL_RESOURCE_ATTRIBUTES."""

from functools import lru_cache
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags

from .. import __version__
from .prepare import Ready

SCOPE = InstrumentationScope("otel_bridge", __version__)  # this very object marks what has been made here, in this process


class _Once(Resource):
    """A resource that is told from others by being another object: the SDK's own hash writes all of it as JSON each time."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def resource_of(ready: Ready) -> Resource:
    """The resource of one record; the same object for all that say the same."""
    return _made(ready.about)


@lru_cache(256)
def _made(about: tuple[tuple[str, Any], ...]) -> Resource:
    return _Once(dict(about))


def scope_of(ready: Ready) -> InstrumentationScope:
    """The instrumentation scope of everything that this library records."""
    return SCOPE if ready.version == __version__ else InstrumentationScope("otel_bridge", ready.version)


def parent_of(ready: Ready) -> SpanContext | None:
    """The trace context of the span above, where there is one."""
    return SpanContext(ready.trace_id, ready.parent_id, is_remote=False) if ready.parent_id else None


def context_of(ready: Ready, flags: int = TraceFlags.DEFAULT) -> SpanContext:
    """The trace context of the run; without trace state, which is free text."""
    return SpanContext(ready.trace_id, ready.span_id, is_remote=False, trace_flags=TraceFlags(flags))
