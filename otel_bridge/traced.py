"""Record the runs of a registered product under `opentelemetry-instrument`, and give their spans to the person who traces it, too.

A script that goes through `otel_bridge.auto` is recorded by that, so the copy is all that is added. The script of a registered
product that is unchanged gets what `otel_bridge.auto` would give it, without a frame of ours on the stack while the product is
imported: its module is made, before it is filled, as one whose class answers for the entry point, and to the script alone.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

import otel_bridge

from .consent import OFF

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec

    from .privacy import Kept
    from .record import Run

    Ended = Callable[[Kept | None, int, int, bool], None]

AUTO = "otel_bridge.auto."


class Finder:
    """Waits in `sys.meta_path` for one module, and makes it a watched one; no finder of ours is left there then."""

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.kind = _watched(module, name)
        if module in sys.modules:  # somebody else's instrumentation was first
            sys.modules[module].__class__ = self.kind
        else:
            sys.meta_path.insert(0, self)

    def leave(self) -> None:
        """Look for nothing any more."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        made = sys.modules.get(self.module)
        if type(made) is self.kind:
            made.__class__ = ModuleType

    def find_spec(self, name: str, path: object = None, target: object = None) -> "ModuleSpec | None":
        """What the other finders say, for the one module; its loader then makes a watched module, once."""
        if name != self.module:
            return None
        self.leave()
        spec = find_spec(name)
        loader: Any = spec.loader if spec is not None else None
        if loader is not None and not isinstance(loader, type):  # those of frozen modules are classes, shared by all
            before, kind = loader.create_module, self.kind

            def create_module(spec: "ModuleSpec") -> ModuleType:
                del loader.create_module
                made: ModuleType | None = before(spec)
                if made is None:
                    return kind(spec.name)
                if type(made) is ModuleType:
                    made.__class__ = kind
                return made

            loader.create_module = create_module
        return spec


def _watched(module: str, name: str) -> type[ModuleType]:
    """A class of modules in which the script, and nobody else, finds an entry point that is recorded."""

    def get(self: ModuleType) -> object:
        names = vars(self)
        if name not in names:
            raise AttributeError(name)  # the import system finds its own words
        if sys._getframe(1).f_globals.get("__name__") == "__main__":
            self.__class__ = ModuleType
            try:
                return getattr(import_module(AUTO + module), name)
            except Exception as problem:
                otel_bridge._swallow(problem)
        return names[name]

    def put(self: ModuleType, value: object) -> None:
        vars(self)[name] = value

    def delete(self: ModuleType) -> None:
        if vars(self).pop(name, self) is self:
            raise AttributeError(name)

    return type("module", (ModuleType,), {name: property(get, put, delete)})


class Observer:
    """Begins a span when a run begins, as the parent of whatever the person's other instrumentation sees in it."""

    def __init__(self, provider: Any) -> None:
        self.provider = provider

    def __call__(self, run: "Run") -> "Ended":
        """Begin; what is returned ends it, with the attributes that the vendor is told, or without a span when there are none."""
        try:
            if run.mode != OFF and run.declared.SPAN is not None:
                return self._begin()
        except Exception as problem:
            otel_bridge._swallow(problem)
        return _nothing

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


def _nothing(kept: "Kept | None", started: int, duration: int, failed: bool) -> None:
    """End a span that was not begun."""
