"""Make `otel_bridge.auto.<module>:<function>` a name for any entry point: ask first, then run it recorded or plain.

A virtual package: nothing below it exists as a file. This module is finder and loader (PEP 451) of every name under it; the
first function asked of such a module imports the product's own module and wraps its function.

The finder stands in `sys.meta_path` only between the import of a virtual module and the import of the real one: left there
it is asked for every import of the product, and it keeps the product's modules from the first collection at exit (2 M
instructions, and output of a host's `__del__` was lost). A parent without `__path__` makes the import system ask
`__getattr__` for it, which puts the finder back whenever another module is wanted.
"""

import sys
from os import isatty

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from .consent import Decision

_PREFIX = __name__ + "."


def __getattr__(name: str) -> "tuple[str, ...]":
    """Answer the import system's question where to look below this package: with this module itself."""
    if name != "__path__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    here = sys.modules[__name__]
    if here not in sys.meta_path:
        sys.meta_path.insert(0, here)
    return ()


def find_spec(name: str, path: object = None, target: object = None) -> "ModuleSpec | None":
    """Answer for everything below this package, but for what is asked of a real module that is no package."""
    parent = sys.modules.get(name[len(_PREFIX) :].rpartition(".")[0])
    if name.startswith(_PREFIX) and (parent is None or hasattr(parent, "__path__")):
        return type(__spec__)(name, sys.modules[__name__], is_package=True)  # type: ignore[arg-type]
    return None


def create_module(spec: "ModuleSpec") -> None:
    """Let the import system make the module."""


def exec_module(module: "ModuleType") -> None:
    """Fill a module with one function: how to find an entry point."""
    names = module.__dict__
    real = module.__name__[len(_PREFIX) :]
    del names["__path__"]

    def find(name: str) -> object:
        if name == "__path__":
            return __getattr__(name)
        if name[:2] == "__":
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        finder = sys.modules[__name__]
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)
        try:
            __import__(real)
            names[name] = wrapped(real, getattr(sys.modules[real], name))
        except BaseException:
            hide_our_frames()
            raise
        return names[name]

    names["__getattr__"] = find


def wrapped(module: str, main: "Callable[..., object]") -> "Callable[..., object]":
    """An entry point that asks for consent first; only a run that may be recorded pays for more than the question."""

    def entry(*args: object, **kwargs: object) -> object:
        try:
            recorded = _begin(module.partition(".")[0])
            if recorded is None:
                return main(*args, **kwargs)
            run, declared, decision = recorded
            return run(declared, decision, main, args, kwargs)
        except SystemExit:  # how a command line ends: no traceback, and a hook would live until the very end
            raise
        except BaseException:
            hide_our_frames()
            raise

    return entry


def _begin(package: str) -> "tuple[Callable[..., object], ModuleType, Decision] | None":
    """How to run recorded, with the declaration and the decision; None when nobody agreed or anything of ours fails."""
    try:
        from .consent import OFF, decide, wants_log

        declared = __import__(package + "._telemetry", fromlist=("PRODUCT",))
        decision = decide(declared.PRODUCT)
        if decision.mode != OFF or wants_log(declared.PRODUCT):
            from .instrument import run
        elif decision.shown is not None and decision.shown != declared.DIGEST and isatty(0) and isatty(1) and isatty(2):
            from .consent.notice import run
        else:
            if "deletion:waits" in decision.refused:
                from .instrument.deletion import remind

                remind(declared)
            return None
        return run, declared, decision
    except Exception as problem:
        from .errors import swallow

        swallow(problem)
        return None


def hide_our_frames() -> None:
    """Keep our frames out of the traceback that is going to be printed; whatever happens here, the host's exception goes on."""
    try:
        from .instrument.frames import hide

        hide()
    except BaseException:  # no memory left, for instance
        pass
