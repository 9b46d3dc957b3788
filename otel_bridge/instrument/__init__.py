"""Turn one run of a command line into one span: which command, which options were set, how it ended, how long it took."""

import os
import sys

import otel_bridge

from ..clock import elapsed, now
from ..consent import IDLE, OFF, ON
from ..paths import environ, mine, read_flat, state_dir
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
        recording, tell = _recording(declared, decision)
        stops = _watch(recording, main)
    except Exception as problem:
        from ..errors import swallow

        swallow(problem)
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
        kept, otel_bridge.current = otel_bridge.current is recording, around
        for stop in stops:
            stop()
        if kept and os.getpid() == process:  # a fork that comes back through main is not another run
            _finish(recording, started, duration, result, error)
            tell()
        error = None  # or this frame and the exception keep each other alive


def _recording(declared: "ModuleType", decision: "Decision") -> "tuple[Run, Callable[[], object]]":
    """The run with its ids, and what to do when it is over: tell the person what is new in the declaration, or nothing."""
    folder = state_dir(declared.PRODUCT)
    if decision.mode != OFF and not mine(folder):  # `sudo` in a person's home: nothing is written
        raise PermissionError(f"{folder} belongs to somebody else")
    known, seconds = read_flat(folder + "/identity") or {}, now() // 1_000_000_000
    tell: Callable[[], object] = int
    if decision.refused or known.get("declaration") != declared.DIGEST or not int(known["from"]) <= seconds < int(known["until"]):
        from ..consent.notice import prepared

        known, declared, tell = prepared(declared, decision, folder, known)
    if decision.mode != OFF:
        session = _session(folder)
        if known.get("session") != session:
            from ..consent.identity import begin

            known = begin(declared.FAMILY, folder, session)
        os.putenv("OTEL_BRIDGE_RUN", f"{known['session']}-{now() // 1_000_000}")
    return Run(declared, decision, folder, known), tell


def _session(folder: str) -> str:
    """The session that goes on: the parent's, handed down, or the one that all tools of this person share; else empty."""
    handed = environ.get(b"OTEL_BRIDGE_RUN")
    if handed:
        from ..consent.identity import handed_down

        session = handed_down(handed.decode("ascii", "replace"), folder)
        if session:
            return session
    try:
        fd = os.open(folder[: folder.rindex("/")] + "/.session", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return ""
    try:
        if not 0 <= now() / 1e9 - os.fstat(fd).st_mtime < IDLE:
            return ""
        os.utime(fd)  # so it goes on
        return os.read(fd, 64).decode("ascii", "replace")
    finally:
        os.close(fd)


def _watch(recording: Run, main: object) -> "list[Callable[[], None]]":
    """Listen to the parsers that the host has imported; returns what stops listening."""
    stops = []
    if "click" in sys.modules:
        from .for_click import watch

        stops.append(watch(recording))
    if "argparse" in sys.modules and not hasattr(main, "make_context"):  # click's own commands need no second ear
        from .for_argparse import watch as watch_argparse

        stops.append(watch_argparse(recording))
    return stops


def _finish(recording: Run, started: int, duration: int, result: object, error: "BaseException | None") -> None:
    """Record how the run ended, and, as its last act, start a sender when one is due."""
    try:
        code = result if error is None else error.code if isinstance(error, SystemExit) else 1
        if isinstance(error, KeyboardInterrupt):
            code = 130
        code = code & 0xFF if isinstance(code, int) else 0 if code is None else 1  # scripts end in `sys.exit(main())`
        recording.parsed["process.exit.code"] = code
        recording.parsed["process.executable.name"] = os.path.basename(sys.argv[0])
        if code:
            known = None if isinstance(error, SystemExit) else error
            recording.parsed["error.type"] = "" if known is None else type(known).__name__
            recording.parsed[recording.prefix + ".error.frames"] = known
        record_span(recording, started, duration, code != 0)
        recording.parsed.clear()  # of the exception, whose traceback holds a frame that holds the run
        if recording.mode == ON and due(recording.folder, recording.declared.DIGEST):
            from ..export.detach import spawn

            spawn(recording.declared.PRODUCT, recording.folder, wait='"otel_bridge.ci"' in recording.resource)
    except Exception as problem:
        from ..errors import swallow

        swallow(problem)


def due(folder: str, digest: str) -> bool:
    """Whether the last sender is long enough ago, nobody is backing off, and the intake has not been closed."""
    if environ.get(b"OTEL_BRIDGE_DETACH") == b"0":
        return False
    state = read_flat(folder + "/drain") or {}
    said = environ.get(b"OTEL_BRIDGE_DRAIN_EVERY", b"")
    every = int(said) if said.isdigit() else DRAIN_EVERY
    seconds, last, until = now() // 1_000_000_000, int(state.get("last") or 0), int(state.get("not_before") or 0)
    waits = last <= seconds < last + every or seconds < until <= seconds + LONGEST  # else the clock was set back
    return not waits and state.get("closed") != digest
