"""Turn one run of a command line into one span: which command, which options were set, how it ended, how long it took."""

import os
import sys

import otel_bridge

from ..clock import elapsed, now
from ..consent import CI, ON, running_in
from ..paths import environ, read_flat
from ..record import Run, record_span

DRAIN_EVERY = 3600  # seconds between two senders, when OTEL_BRIDGE_DRAIN_EVERY does not say
LONGEST = 129_600  # seconds that a sender may ask to be left alone: a day of Retry-After, half a day of jitter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from ..consent import Decision


def run(
    declared: "ModuleType",
    decision: "Decision",
    main: "Callable[..., object]",
    args: "tuple[object, ...]",
    kwargs: "dict[str, object]",
) -> object:
    """Run `main` once and record it; the host program keeps its result, exit code, output and exceptions."""
    try:
        recording = Run(declared, decision)
        unwatch = _watch(recording, main)
    except Exception as problem:
        otel_bridge.swallow(problem)
        return main(*args, **kwargs)
    around, otel_bridge.current = otel_bridge.current, recording
    error: BaseException | None = None
    result: object = None
    started, clock, process = now(), elapsed(), os.getpid()
    try:
        result = main(*args, **kwargs)
        return result
    except BaseException as raised:
        error = raised
        raise
    finally:
        duration = elapsed() - clock
        otel_bridge.current = around
        unwatch()
        if os.getpid() == process:  # a fork that comes back through main is not another run
            _finish(recording, started, duration, _exit_code(result, error), error)
            _send(recording, decision)
        error = None  # or this frame and the exception keep each other alive


def _watch(recording: Run, main: object) -> "Callable[[], None]":
    """Listen to the parsers that the host has imported; returns what stops listening."""
    stops = []
    if "click" in sys.modules:
        from .for_click import watch

        stops.append(watch(recording))
    if "argparse" in sys.modules and not hasattr(main, "make_context"):  # click's own commands need no second ear
        from .for_argparse import watch as watch_argparse

        stops.append(watch_argparse(recording))

    def unwatch() -> None:
        for stop in stops:
            stop()

    return unwatch


def _finish(recording: Run, started: int, duration: int, code: int, error: "BaseException | None") -> None:
    """Record how the run ended."""
    try:
        recording.parsed["process.exit.code"] = code
        recording.parsed["process.executable.name"] = os.path.basename(sys.argv[0])
        if code:
            recording.parsed["error.type"] = "" if error is None or isinstance(error, SystemExit) else type(error).__name__
        record_span(recording, started, duration, code != 0)
    except Exception as problem:
        otel_bridge.swallow(problem)


def _send(recording: Run, decision: "Decision") -> None:
    """As the last act of a run, start a sender when one is due."""
    try:
        if decision.mode == ON and _due(recording):
            from ..export.detach import spawn

            spawn(recording.declared.PRODUCT, recording.folder, wait=running_in(CI) != "")
    except Exception as problem:
        otel_bridge.swallow(problem)


def _due(recording: Run) -> bool:
    """Whether the last sender is long enough ago, nobody is backing off, and the intake has not been closed."""
    if environ.get(b"OTEL_BRIDGE_DETACH") == b"0":
        return False
    state = read_flat(recording.folder + "/drain") or {}
    said = environ.get(b"OTEL_BRIDGE_DRAIN_EVERY", b"")
    every = int(said) if said.isdigit() else DRAIN_EVERY
    seconds = now() // 1_000_000_000
    last, until = int(state.get("last") or 0), int(state.get("not_before") or 0)
    if state.get("closed") == recording.declared.DIGEST:
        return False
    waits = last <= seconds < last + every or seconds < until <= seconds + LONGEST  # else the clock was set back
    return not waits


def _exit_code(result: object, error: "BaseException | None") -> int:
    """The status that the process will leave with: scripts end in `sys.exit(main())`."""
    if error is not None and not isinstance(error, SystemExit):
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    code = result if error is None else error.code
    return code & 0xFF if isinstance(code, int) else 0 if code is None else 1
