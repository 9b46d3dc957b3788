"""Write down a step of a run as a span below it: how long it took and how it ended."""

import os
from collections.abc import Mapping
from contextvars import ContextVar, Token
from types import TracebackType

import otel_bridge

from ..clock import elapsed, new_id, now
from ..kinds import SPAN_KINDS
from ..privacy import clean
from . import Run, append, lose, span_line

_open: ContextVar["tuple[Run, str] | None"] = ContextVar("otel_bridge.action", default=None)


class action:  # noqa: N801 - it is used as a word: `with otel_bridge.action("kitchen.converge") as step:`
    """A step of the run: a span of a declared name, below the step or the run that it is part of.

    `name` is a span declared in the product's `telemetry.yaml`, `attributes` maps declared attribute keys to values of any type;
    `set_attribute` adds what is known later, such as how often it was tried. Events recorded meanwhile, and runs of the same
    family that are started meanwhile, belong to it. An exception makes the span's status an error, its class `error.type`
    where that is declared, and goes on unchanged. Without a run nothing happens. Never raises and never prints.
    Source: OpenTelemetry traces, https://opentelemetry.io/docs/specs/otel/trace/api/#span
    """

    def __init__(self, name: str, attributes: Mapping[str, object] | None = None) -> None:
        """A step of this name; it begins where the `with` block begins."""
        self.name = name
        self.given: dict[str, object] = {**attributes} if isinstance(attributes, Mapping) else {}
        self._run: Run | None = None

    def set_attribute(self, key: str, value: object) -> None:
        """Add an attribute, or replace it."""
        self.given[key] = value

    def __enter__(self) -> "action":
        """Begin."""
        run = otel_bridge.current
        if run is not None:
            self._run, self._process, self._id, self._above = run, os.getpid(), new_id(8), _here(run)
            self._before: Token[tuple[Run, str] | None] = _open.set((run, self._id))
            run.here = lambda: _here(run)
            _hand_down(run)
            self._started, self._clock = now(), elapsed()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """End, and write it down; the exception goes on."""
        run = self._run
        if run is None:
            return
        duration = elapsed() - self._clock
        try:
            _open.reset(self._before)
            _hand_down(run)
            if os.getpid() == self._process:  # a fork that comes back through here is not another step
                self._record(run, duration, error)
        except Exception as problem:
            otel_bridge._swallow(problem)

    def _record(self, run: Run, duration: int, error: BaseException | None) -> None:
        found = run.declared.SPANS.get(self.name)
        if found is None:
            lose(run, "undeclared_span")
            return
        kind, _, specs = found
        if error is not None and any(spec[0] == "error.type" for spec in specs):
            self.given.setdefault("error.type", type(error).__name__)
        run.sequence += 1
        kept, undeclared = clean(specs, self.given, run.names, run.told, run.seen)
        if undeclared:
            lose(run, "undeclared_attribute", undeclared)
        kept += clean(run.declared.COMMON, {**run.parsed, "otel_bridge.sequence": run.sequence}, run.names)[0]
        ids, times = (self._id, self._above), (self._started, duration)
        append(run, "traces", span_line(run, self.name, SPAN_KINDS.index(kind) + 1, ids, times, kept, error is not None))


def _here(run: Run) -> str:
    """The span that is open in this thread or task."""
    found = _open.get()
    return found[1] if found is not None and found[0] is run else run.span_id


def _hand_down(run: Run) -> None:
    """Let children of this process find the span that is open now as the one above them."""
    if run.handed:
        os.putenv("OTEL_BRIDGE_RUN", run.handed.replace(run.span_id, _here(run)))
