"""When `main` has returned the process is as a bare one: looked at from inside, by the script that called it."""

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator

import pytest
from conftest import BIN, World

Words = Callable[[str], list[str]]

CLICK = """
import click
@click.group()
def main(): pass
@main.command()
@click.option('--level', type=click.Choice(['low', 'high']))
def dive(level): click.echo(level)
"""
TYPER = """
import typer
main = typer.Typer()
@main.callback()
def common(): pass
@main.command()
def dive(level: str = 'low'): typer.echo(level)
"""
ARGPARSE = """
import argparse
def main():
    parser = argparse.ArgumentParser()
    parser.add_subparsers().add_parser('dive').add_argument('--level', choices=['low', 'high'])
    print(parser.parse_args().level)
    return 0
"""
PLAIN = "def main():\n    print('high')\n"
BOTH = "import click\n" + ARGPARSE
NESTED = PLAIN + "    from {prefix}probe.other import main as other\n    other()\n"
FAILS = "import argparse, click\ndef main():\n    1 / 0\n"
LEAVES = "import argparse, click, sys\ndef main():\n    sys.exit(3)\n"
FORKS = "import argparse, os\ndef main():\n    if os.fork() == 0: os._exit(0)\n    os.wait()\n"
PROGRAMS = {"click": CLICK, "typer": TYPER, "argparse": ARGPARSE, "plain": PLAIN, "argparse beside click": BOTH}
PROGRAMS |= {"nested": NESTED, "fails": FAILS, "leaves": LEAVES, "forks": FORKS}

# What a process can tell of itself. Every line is one thing that something of ours could have left behind.
LOOK = """
import atexit, builtins, contextvars, faulthandler, gc, importlib, inspect, io, json, locale, os, resource, signal, sys, threading
import time, traceback, types, warnings, weakref

def name(thing):
    return f"{getattr(thing, '__module__', '')}:{getattr(thing, '__qualname__', type(thing).__qualname__)}"

def foreign(names):
    return sorted(one for one in names if not one.startswith(("otel_bridge", "probe")))

def children():
    try:
        return [pid == 0 for pid in os.waitpid(-1, os.WNOHANG)]
    except ChildProcessError:
        return "none"

def classes():
    found = []
    for module, name in (("click.core", "Command"), ("click.core", "Group"), ("click.core", "Context"), ("click.core", "Parameter"),
                         ("typer._click.core", "Command"), ("typer.core", "TyperGroup"), ("typer.main", "Typer"),
                         ("argparse", "ArgumentParser"), ("argparse", "_SubParsersAction"), ("argparse", "Action")):
        made = getattr(sys.modules.get(module), name, None)
        for base in made.__mro__[:-1] if made else ():
            found += [f"{base.__qualname__}.{key}: {inspect.unwrap(value).__module__ if hasattr(value, '__code__') else type(value)}"
                      f" {getattr(value, '__qualname__', '')}" for key, value in sorted(vars(base).items())]
    return found

def look():
    gc_state = [gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), len(gc.callbacks), gc.get_debug()]
    descriptors = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            descriptors[number] = os.readlink(f"/proc/self/fd/{number}").partition(":")[0], os.get_inheritable(int(number))
        except OSError:
            pass
    umask = os.umask(0o22)
    os.umask(umask)
    return {
        "threads": [thread.name for thread in threading.enumerate()],
        "tasks": len(os.listdir("/proc/self/task")),
        "descriptors": descriptors,
        "children": children(),
        "atexit": atexit._ncallbacks(),
        "signals": {int(number): repr(getattr(signal.getsignal(number), "__name__", signal.getsignal(number))) for number in signal.valid_signals()},
        "kernel signals": [line for line in open("/proc/self/status").read().splitlines() if line[:3] in ("Sig", "Shd") and line[:4] != "SigQ"],
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "wakeup": signal.set_wakeup_fd(-1),
        "timers": [signal.getitimer(which) for which in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)],
        "finders": [name(finder) for finder in sys.meta_path],
        "path hooks": [name(hook) for hook in sys.path_hooks],
        "path": [folder for folder in sys.path],
        "looked into": sorted(folder for folder in sys.path_importer_cache if "otel_bridge" not in folder),
        "hooks": [name(getattr(sys, hook)) for hook in ("excepthook", "unraisablehook", "displayhook", "breakpointhook")],
        "thread hooks": [name(threading.excepthook), name(threading.gettrace()), name(threading.getprofile())],
        "tracing": [name(sys.gettrace()), name(sys.getprofile()), [name(hook) for hook in sys.get_asyncgen_hooks()]],
        "modules": foreign(sys.modules),
        "builtins": sorted(vars(builtins)),
        "import": name(builtins.__import__),
        "environment": dict(os.environ) == before_environment,
        "recursion": sys.getrecursionlimit(),
        "depth": len(inspect.stack()),
        "switch": sys.getswitchinterval(),
        "garbage": gc_state,
        "unreachable": len(gc.garbage),
        "warnings": [str(given) for given in warnings.filters],
        "shows warnings": name(warnings.showwarning),
        "streams": [sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__, sys.stdin is sys.__stdin__],
        "locale": locale.setlocale(locale.LC_ALL),
        "folder": os.getcwd(),
        "umask": umask,
        "limits": [resource.getrlimit(number) for number in range(16)],
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "faults": faulthandler.is_enabled(),
        "error": [repr(sys.exc_info()), hasattr(sys, "last_value")],
        "variables": sorted(one.name for one in contextvars.copy_context()),
        "classes": classes(),
        "script": sorted(vars(sys.modules["__main__"])),
        "package": foreign(key for key in vars(sys.modules["probe"]) if key != "_telemetry"),
        "program": sorted(vars(sys.modules["probe.cli"])),
        "alive": freed() is not None,
    }
"""
SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
sys.argv[:] = ['probe', 'dive', '--level', 'high']
exec({look!r})
before_environment = dict(os.environ)
from {prefix}probe.cli import main
class Thing: pass
thing = Thing()
freed = weakref.ref(thing)
ended = None
try:
    thing = main() if sys.argv is not None else thing
except BaseException as error:
    thing = None
    ended = type(error).__name__
sys.stdout.flush()
import otel_bridge
ours = sorted({{name(type(one)) for one in gc.get_objects() if type(one).__module__.startswith('otel_bridge') and one is not main}})
print(json.dumps([ended, look(), [ours, otel_bridge.current is None]]))
"""


@pytest.fixture
def silence() -> Iterator[str]:
    """A server that nobody hears from: its base URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def senders(world: World) -> list[int]:
    """Processes that are senders of this world."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as line, open(f"/proc/{entry}/environ", "rb") as variables:
                if b"otel_bridge.export.sender" in line.read() and os.fsencode(world.home) in variables.read():
                    found.append(int(entry))
        except OSError:
            continue
    return found


def differing(ours: list, bare: list) -> dict:
    """What is not as in the bare process, by name: ours, and the bare one's; of names of modules, those that came."""
    if ours[1]["modules"] != bare[1]["modules"]:
        return {"modules": sorted({*ours[1]["modules"]} ^ {*bare[1]["modules"]})}
    found = {key: (value, bare[1].get(key)) for key, value in ours[1].items() if value != bare[1].get(key)}
    return found | {
        name: (one, other) for name, one, other in zip(("ended", "", "objects"), ours, bare, strict=True) if name and one != other
    }


@pytest.mark.parametrize("kind", PROGRAMS)
def test_nothing_of_ours_is_left_when_main_has_returned(world: World, probe: Words, silence: str, kind: str) -> None:
    """No thread, descriptor, callback, hook, handler, patch, module or variable more than in a bare process; one child when a sender is due."""
    program = PROGRAMS[kind]
    folder = world.root / "probe-src"

    def told(prefix: str, **variables: str) -> list:
        probe(program.format(prefix=prefix) if kind == "nested" else program)
        (folder / "probe/other.py").write_text("def main():\n    return 4\n")
        code = SCRIPT.format(folder=str(folder), prefix=prefix, look=LOOK)
        done = world.run(str(BIN / "python"), "-c", code, OTEL_BRIDGE_ENDPOINT=silence, **variables)
        assert done.stderr == ""
        return json.loads(done.stdout.splitlines()[-1])

    auto = "otel_bridge.auto."
    world.run(*probe(PLAIN), PROBE_TELEMETRY="on")  # not the first of all
    bare = told("")
    assert (bare[1]["children"], bare[2]) == ("none", [[], True])
    assert differing(told(auto, PROBE_TELEMETRY="off"), bare) == {}
    assert differing(told(auto, PROBE_TELEMETRY="on"), bare) == {}
    bare[1]["children"] = [True, True]  # the sender, which still runs: `waitpid(-1)` sees it, and no other
    try:
        assert differing(told(auto, PROBE_TELEMETRY="on", OTEL_BRIDGE_DETACH="1", OTEL_BRIDGE_DRAIN_EVERY="0"), bare) == {}
        assert len(senders(world)) == 1
    finally:
        for pid in senders(world):
            os.kill(pid, signal.SIGKILL)
