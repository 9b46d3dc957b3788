"""Listen to a parser that a program imports only while it runs, by standing before the other finders until one is wanted."""

import sys

import otel_bridge

TYPE_CHECKING = False
if TYPE_CHECKING:  # the program may look at what has been imported
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

PARSERS = ("argparse", "click.core", "typer._click.core")


class Later:
    """A finder that finds nothing itself: it calls `heard` as soon as the module of the first parser has run, and is gone."""

    def __init__(self, heard: "Callable[[], None]") -> None:
        self.heard = heard

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "ModuleSpec | None":
        """Nothing; for a parser what the other finders say, with a loader that tells when it is done."""
        if name not in PARSERS:
            return None
        self.stop()
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, self.heard)  # type: ignore[assignment]
                return spec
        return None

    def stop(self) -> None:
        """Leave the list of finders; at exit it would keep the program's modules from the first collection."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)


class _Loader:
    """The parser's own loader, and a word when it is done; the module never sees it."""

    def __init__(self, real: "Any", heard: "Callable[[], None]") -> None:
        self.real, self.heard = real, heard

    def create_module(self, spec: "ModuleSpec") -> "ModuleType | None":
        spec.loader = self.real
        try:
            made: ModuleType | None = self.real.create_module(spec)
            return made
        finally:
            spec.loader = self  # type: ignore[assignment]

    def exec_module(self, module: "ModuleType") -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self.real
        module.__loader__ = self.real
        self.real.exec_module(module)
        try:
            self.heard()
        except Exception as problem:
            otel_bridge._swallow(problem)
