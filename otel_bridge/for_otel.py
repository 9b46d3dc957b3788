"""Let `opentelemetry-instrument` load us: where the script is a registered product's, its runs go into the person's trace, too.

OpenTelemetry's loader imports this into every Python that it starts, so it stands above all stages and imports none of them. A
script that goes through `otel_bridge.auto` says so itself; the name of any other is looked up among the installed entry points,
and unless it is a product's, nothing happens. How an unchanged script comes to be recorded stands in `traced.py`.
"""

import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec
from os.path import basename, isfile
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]

import otel_bridge

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from importlib.metadata import EntryPoint

    from .privacy import Kept
    from .traced import Finder

    Ended = Callable[[Kept | None, int, int, bool], None]

_AUTO = "otel_bridge.auto."
_SCRIPTS = "console_scripts"
_NO_SCRIPT = ("", "-", "-c", "-m")  # what `sys.argv` begins with where a look-up (1.1 M instructions) cannot find anything
_BEGINNING = 4096  # bytes of a script that are looked at


class CliInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # which has no types
    """Adds the span of a product's run to the trace of whoever runs it under `opentelemetry-instrument`.

    Inert in every process whose script is not a product's, and whenever nothing is recorded. Never raises and never prints.
    Source: https://opentelemetry.io/docs/zero-code/python/
    """

    _finder: "Finder | None" = None

    def instrumentation_dependencies(self) -> "Collection[str]":
        """None: a product brings us along itself."""
        return ()

    def _instrument(self, **kwargs: Any) -> None:
        """Look whether this process is a product's; `tracer_provider` stands in for the global one."""
        try:
            script = sys.argv[0]
            if script in _NO_SCRIPT:
                return
            if not _is_changed(script):
                found = _entry_point(basename(script))
                if found is None:
                    return
                if not found.module.startswith(_AUTO):
                    from .traced import Finder

                    self._finder = Finder(found.module, found.attr.partition(".")[0])
            otel_bridge.observer = Observer(kwargs.get("tracer_provider"))
        except Exception as problem:
            otel_bridge._swallow(problem)

    def _uninstrument(self, **kwargs: Any) -> None:
        """Let the runs that begin from now on alone."""
        otel_bridge.observer = None
        if self._finder is not None:
            self._finder.leave()
            self._finder = None


class Observer:
    """Begins a span when a run begins, as the parent of whatever the person's other instrumentation sees in it."""

    def __init__(self, provider: Any) -> None:
        self.provider = provider

    def __call__(self) -> "Ended | None":
        """Begin; what is returned ends it, with the attributes that the vendor is told, or without a span when there are none."""
        try:
            return self._begin()
        except Exception as problem:
            otel_bridge._swallow(problem)
            return None

    def _begin(self) -> "Ended":
        from opentelemetry import context, trace

        tracer = trace.get_tracer("otel_bridge", otel_bridge.__version__, self.provider)
        span = tracer.start_span("cli.run")
        token = context.attach(trace.set_span_in_context(span))

        def ended(kept: "Kept | None", started: int, duration: int, failed: bool) -> None:
            try:
                context.detach(token)
                if kept:
                    span.set_attributes({key: value for key, value in kept if key != "session.id"})  # nobody joins the two
                    if failed:
                        span.set_status(trace.Status(trace.StatusCode.ERROR))
                    span.end(started + duration)
            except Exception as problem:
                otel_bridge._swallow(problem)

        return ended


def _is_changed(script: str) -> bool:
    """Whether the text of a script, as an installer writes it, goes through `otel_bridge.auto`.

    A script that comes through a pipe is left to the interpreter.
    """
    if not isfile(script):
        return False
    with open(script, "rb") as text:
        return _AUTO.encode() in text.read(_BEGINNING)


def _entry_point(script: str) -> "EntryPoint | None":
    """The entry point of a product's script; None when the script is nobody's whom we know."""
    from opentelemetry.util._importlib_metadata import entry_points  # has them in memory; `importlib.metadata` reads the disk

    for point in entry_points(name=script.removesuffix(".exe"), group=_SCRIPTS):
        if point.module.startswith(_AUTO) or (_is_product(point.module) and not _left_out(point)):
            return point
    return None


def _is_product(module: str) -> bool:
    """Whether the package of a module carries a compiled registry, or one is registered for it; nothing of it is imported."""
    package = module.partition(".")[0]
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec is not None else None
    if places is not None and PathFinder.find_spec(package + "._telemetry", list(places)) is not None:
        return True
    from .registered import of_module

    unknown = ImportError(module)
    try:
        of_module(module, unknown)
    except ImportError as problem:
        if problem is not unknown:
            raise
        return False
    return True


def _left_out(point: "EntryPoint") -> bool:
    """Whether the authors chose other scripts of theirs to be recorded, and not this one."""
    points = point.dist.entry_points if point.dist is not None else ()
    return any(one.group == _SCRIPTS and one.module.startswith(_AUTO) for one in points)
