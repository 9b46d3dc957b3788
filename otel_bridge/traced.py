"""Record the runs of a registered product under `opentelemetry-instrument` though its script is unchanged.

It gets what `otel_bridge.auto` would give it, without a frame of ours on the stack while the product is imported: its module is
made, before it is filled, as one whose class answers for the entry point, and to the script alone.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

import otel_bridge

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

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
