"""Prints what the interpreter knows: the script, modules, hooks, limits."""
# run: script a "b c" --d
# run: hooks
# run: modules
# run: limits
# run: entry
# run: hooks exit
# run: modules exit
# run: limits exit
# run: PYTHONOPTIMIZE=2 script
# run: PYTHONDEVMODE=1 hooks
# run: PYTHONDEVMODE=1 modules exit
# run: PYTHONSAFEPATH=1 script
# run: PYTHONTRACEMALLOC=3 limits
# run: PYTHONINSPECT=1 limits => 1 0

import atexit
import builtins
import sys
import threading
import warnings

import __main__


def script():
    print(sys.argv, sys.orig_argv[1:], sys.path[0], len(sys.path))
    for name, value in sorted(vars(__main__).items()):
        if name not in ("__builtins__", "__loader__", "main"):
            print(name, value if isinstance(value, str) else type(value).__name__)
    print(sys.flags, sys.warnoptions, sys._xoptions)
    print(__name__, __package__, __spec__.name, __spec__.parent, type(__loader__).__name__, __file__)
    package = sys.modules["probe"]
    print(sorted(name for name in vars(package) if name != "_telemetry"), package.__spec__.name)


def hooks():
    for hook in (sys.excepthook, sys.unraisablehook, sys.displayhook, sys.breakpointhook, threading.excepthook):
        print(hook.__module__, hook.__qualname__)
    print([getattr(finder, "__name__", type(finder).__name__) for finder in sys.meta_path], len(sys.path_hooks))
    print(sys.gettrace(), sys.getprofile(), threading.gettrace(), threading.getprofile(), sys.get_asyncgen_hooks())
    print([str(given) for given in warnings.filters], warnings.showwarning.__module__)
    print(sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__, sys.stdin is sys.__stdin__, sys.stdout.line_buffering)
    print(builtins.__import__, builtins.print, builtins.open, len(vars(builtins)))
    print(atexit._ncallbacks())


def modules():
    ours = ("otel_bridge", "probe")
    print(*sorted(name for name in sys.modules if name.partition(".")[0] not in ours), sep="\n")
    print(sorted(name for name in sys.path_importer_cache if "otel_bridge" not in name and "/probe" not in name))


def limits():
    print(sys.getrecursionlimit(), sys.getswitchinterval(), sys.get_int_max_str_digits(), sys.getdlopenflags())
    print(sys.exc_info(), hasattr(sys, "last_value"), hasattr(sys, "ps1"))


def entry():
    """Prints how the script's own name for the entry point looks."""
    from probe.cli import main as real

    given = __main__.main
    print(given.__name__, given.__qualname__, given.__module__, given.__doc__, given.__defaults__, callable(given))
    print(real.__name__, real.__module__, type(given).__name__, sorted(vars(real)))


def main():
    """Does what the first word says, now or at exit."""
    show = {"script": script, "hooks": hooks, "modules": modules, "limits": limits, "entry": entry}[sys.argv[1]]
    if sys.argv[-1] == "exit":
        atexit.register(show)
    else:
        show()
