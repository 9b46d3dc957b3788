"""Make `otel_bridge.auto.<module>:<function>` a name for any entry point: ask first, then run it recorded, or as it is.

A virtual package: nothing below it exists as a file. This module is finder and loader (PEP 451) of every name under it; the
first name asked of such a module imports the product's own module. Where nobody agreed the product's own object is what a script
gets: then nothing of ours stands between it and the program.

The finder stands in `sys.meta_path` only between the import of a virtual module and the import of the real one: left there
it is asked for every import of the product, and it keeps the product's modules from the first collection at exit (2 M
instructions, and output of a host's `__del__` was lost). A parent without `__path__` makes the import system ask
`__getattr__` for it, which puts the finder back whenever another module is wanted.
"""

import os
import sys

import otel_bridge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    from .consent import Decision

    Begun = tuple[Callable[..., object], ModuleType, Decision]

_PREFIX = __name__ + "."
_HERE = __file__[: -len("auto.py")]
_ASKED = ("paths", "consent/__init__")  # what a run loads to ask for consent, each after those that it needs itself
_RECORDED = ("clock", "privacy/__init__", "record/__init__", "instrument/__init__")  # and to be recorded


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
    """Import the product's own module, and fill this one with a function: how to find an entry point in that."""
    names = module.__dict__
    real = module.__name__[len(_PREFIX) :]
    finder = sys.modules[__name__]
    if finder in sys.meta_path:
        sys.meta_path.remove(finder)
    __import__(real)
    del names["__path__"]

    def find(name: str) -> object:
        if name == "__path__":
            return __getattr__(name)
        if name[:2] == "__":
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)
        asks = sys._getframe(1)
        while "importlib" in asks.f_code.co_filename and asks.f_back is not None:
            asks = asks.f_back
        script = asks.f_globals.get("__name__") == "__main__"  # it runs what it gets once, and now
        target = sys.modules[real]
        try:
            if script and not hasattr(target, name) and not hasattr(target, "__path__"):  # as Python says it
                place = getattr(target, "__file__", "unknown location")
                raise ImportError(f"cannot import name {name!r} from {real!r} ({place})", name=real, path=place)
            found = getattr(target, name)
        except BaseException as error:
            hide_our_frames(error)
            raise
        begun = _begin(real) if script else None
        try:
            names[name] = found if script and begun is None else wrapped(real, found, begun)
        except Exception as problem:  # an object that lets nobody look at it
            otel_bridge._swallow(problem)
            names[name] = found
        return names[name]

    names["__getattr__"] = find


def wrapped(module, main, begun=None):
    # type: (str, Any, Begun | None) -> object
    """What to call instead of an entry point of a module: it asks for consent, unless `begun` is the answer for its first call.

    A command of click is answered by another one with all that it has, heard where it starts: in its method `main`. An object
    that is no function is represented, so that `module:object.method` is heard, too.
    """
    if hasattr(main, "otel_bridge"):  # it is heard already
        return main
    if hasattr(main, "make_context"):
        twin: Any = object.__new__(type(main))
        twin.__dict__.update(main.__dict__, main=_entry(module, main.main, begun), otel_bridge=True)
        return twin
    entry = _entry(module, main, begun)
    if hasattr(main, "__code__") or hasattr(main, "__self__"):
        return entry

    class Entry:
        __call__ = staticmethod(entry)
        __class__ = property(lambda self: type(main))

        def __getattr__(self, name: str) -> object:
            found, asks = getattr(main, name), sys._getframe(1)
            script = asks.f_globals.get("__name__") == "__main__" and asks.f_code.co_name == "<module>"
            return wrapped(module, found) if script and callable(found) else found

    return Entry()


def _entry(module, main, begun):
    # type: (str, Callable[..., object], Begun | None) -> Callable[..., object]
    def entry(*args, **kwargs):
        # type: (object, object) -> object
        nonlocal begun
        try:
            ours, begun = begun or _begin(module), None
            if ours is None:
                return main(*args, **kwargs)
            run, declared, decision = ours
            return run(declared, decision, main, args, kwargs)
        except BaseException as error:
            hide_our_frames(error)
            raise

    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        if hasattr(main, name):
            setattr(entry, name, getattr(main, name))
    entry.otel_bridge = True  # type: ignore[attr-defined]
    return entry


def _begin(module):
    # type: (str) -> Begun | None
    """How to run recorded, with the declaration and the decision; None when nobody agreed or anything of ours fails."""
    try:
        load(_ASKED)
        from .consent import OFF, PASSED_ON, decide, wants_log

        try:
            declared = __import__(module.partition(".")[0] + "._telemetry", fromlist=("PRODUCT",))
        except ImportError as problem:
            from .registered import of_module

            declared = of_module(module, problem)
        decision = decide(declared.PRODUCT)
        if decision.mode != OFF or wants_log(declared.PRODUCT):
            load(_RECORDED)
            from .instrument import run
        elif decision.shown is not None and decision.shown != declared.DIGEST and os.isatty(0) and os.isatty(1) and os.isatty(2):
            from .consent.notice import run
        else:
            if decision.shown is None and decision.source not in PASSED_ON:
                os.putenv("OTEL_BRIDGE_RUN", "off")  # whatever this program starts is off, too
            if "deletion:waits" in decision.refused:
                from .instrument.deletion import remind

                remind(declared)
            return None
        return run, declared, decision
    except Exception as problem:
        otel_bridge._swallow(problem)
        return None


def load(names):
    # type: (tuple[str, ...]) -> None
    """Import modules of ours from their bytecode, without the search of the import system: of the 0.32 M instructions that an
    empty file costs, 0.28 M are search (measured). What it does not find as fresh as it should be is left to `import`.
    """
    loader: Any = type(__spec__.loader)
    if loader.__name__ != "SourceFileLoader" or sys.pycache_prefix is not None or sys.flags.optimize:
        return
    from _frozen_importlib_external import MAGIC_NUMBER
    from marshal import loads

    for name in names:
        place, _, file = name.rpartition("/")
        full = "otel_bridge." + (place if file == "__init__" else name.replace("/", "."))
        if full in sys.modules:
            continue
        path, folder = f"{_HERE}{name}.py", f"{_HERE}{place}/" if place else _HERE
        try:
            fd = os.open(f"{folder}__pycache__/{file}.{sys.implementation.cache_tag}.pyc", os.O_RDONLY | os.O_CLOEXEC)
            try:
                code, source = os.read(fd, 1 << 20), os.stat(path)
            finally:
                os.close(fd)
        except OSError:
            return
        fresh = (int(source.st_mtime) & 0xFFFFFFFF).to_bytes(4, "little") + (source.st_size & 0xFFFFFFFF).to_bytes(4, "little")
        if code[:16] != MAGIC_NUMBER + bytes(4) + fresh:  # made for another source, or to be compared otherwise
            return
        module = type(sys)(full)
        spec = type(__spec__)(full, loader(full, path), origin=path, is_package=file == "__init__")
        module.__spec__, module.__loader__, module.__file__, module.__package__ = spec, spec.loader, path, spec.parent
        if file == "__init__":
            module.__path__ = spec.submodule_search_locations = [folder[:-1]]
        sys.modules[full] = module
        try:
            exec(loads(code[16:]), module.__dict__)
        except BaseException:
            sys.modules.pop(full, None)
            raise
        setattr(sys.modules[spec.name.rpartition(".")[0]], spec.name.rpartition(".")[2], module)


def hide_our_frames(error):
    # type: (BaseException) -> None
    """Keep our frames out of a traceback; whatever happens here, the host's exception goes on."""
    try:
        first = last = None
        traceback = error.__traceback__
        while traceback is not None:
            if not traceback.tb_frame.f_code.co_filename.startswith(_HERE):
                if last is None:
                    first = traceback
                else:
                    last.tb_next = traceback
                last = traceback
            traceback = traceback.tb_next
        if last is not None:
            last.tb_next = None
        error.__traceback__ = first
    except BaseException:  # no memory left, for instance
        pass


# When a module fails to import, Python leaves the frames of its import system out of the traceback: those that end with a function
# of this name. This one stands among them, so no frame of ours is left there either.
exec_module.__code__ = exec_module.__code__.replace(
    co_filename="<frozen importlib._bootstrap>", co_name="_call_with_frames_removed"
)
