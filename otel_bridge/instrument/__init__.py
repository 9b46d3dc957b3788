"""Turn one run of a command line into one span: which command, which options were set, how it ended, how long it took."""

import os
import sys

import otel_bridge

from ..clock import elapsed, now
from ..consent import IDLE, OFF, ON
from ..paths import environ, mine, opened, read_flat, state_dir
from ..record import Run, record, record_span

DRAIN_EVERY = 3600  # seconds between two senders, when OTEL_BRIDGE_DRAIN_EVERY does not say
DEPTH = 2  # frames of ours below which a product's own function runs: its recursion limit is raised by them
LONGEST = 129_600  # seconds that a sender may ask to be left alone: a day of Retry-After, half a day of jitter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from ..consent import Decision


def run(declared, decision, main, args, kwargs):
    # type: (ModuleType, Decision, Callable[..., object], tuple[object, ...], dict[str, object]) -> object
    """Run `main` once and record it; the host program keeps its result, exit code, output and exceptions."""
    try:
        recording, tell = begin(declared, decision)
        place = recording.folder if recording.declared.SPAN is not None else ""  # nothing is told of runs, and none counted
        mark = place and f"{place}/running/{os.getpid()}.{recording.span_id}"
        if mark:  # whoever finds it when this process is gone knows that a run never said how it ended
            os.close(opened(mark, os.O_WRONLY))
        stops = _watch(recording, main)
        recording.parsed["process.executable.name"] = os.path.basename(sys.argv[0])
        if place and recording.mode != OFF and otel_bridge.observer is not None:
            recording.observed = otel_bridge.observer()
    except Exception as problem:
        unbegun(declared.PRODUCT, decision.mode, problem)
        return main(*args, **kwargs)
    around, otel_bridge.current = otel_bridge.current, recording
    error: BaseException | None = None
    result: object = None
    started, clock, process, limit = now(), elapsed(), os.getpid(), sys.getrecursionlimit()
    deeper = min(limit + DEPTH, 0x7FFFFFFF)
    sys.setrecursionlimit(deeper)
    try:
        result = main(*args, **kwargs)
        return result
    except BaseException as raised:
        error = raised
        raise
    finally:
        profiling, tracing = sys.getprofile(), sys.gettrace()  # what we do is not what they are looking at
        if profiling is not None and not hasattr(profiling, "__code__"):  # a profiler of C could not be put back
            profiling = None
        if profiling is not None:
            sys.setprofile(None)
        sys.settrace(None)
        duration = elapsed() - clock
        try:
            if sys.getrecursionlimit() == deeper:
                sys.setrecursionlimit(limit)
            kept, otel_bridge.current = otel_bridge.current is recording, around
            while stops:  # nobody holds them, and they hold nobody
                stops.pop()()
            _hand_down(around.handed if around is not None else environ.get(b"OTEL_BRIDGE_RUN"))
            if os.getpid() == process:  # a fork that comes back through main is not another run
                if mark and os.access(mark, os.F_OK):  # else `off` has been here, or the person's home is gone
                    os.unlink(mark)
                if kept:
                    finish(recording, started, duration, _code(result, error), error)
                    tell()
        except Exception as problem:
            otel_bridge._swallow(problem)
        if tracing is not None:
            sys.settrace(tracing)
        if profiling is not None:
            sys.setprofile(profiling)
        error = None  # or this frame and the exception keep each other alive


def unbegun(product: str, mode: str, problem: Exception) -> None:
    """Count what could not be begun, a run or an event; never raises."""
    try:
        from ..record.unbegun import count

        count(product, mode, problem)
    except Exception:  # nothing can be imported any more
        pass


def _code(result, error):
    # type: (object, BaseException | None) -> int
    """What the process leaves with: scripts end in `sys.exit(main())`, which takes a long of C, nothing, or a text."""
    if error is not None and not isinstance(error, SystemExit):
        return 130 if type(error) is KeyboardInterrupt else 1
    code = result if error is None else error.code
    if isinstance(code, int):
        return int.__and__(code, 0xFF) if -(1 << 63) <= code < 1 << 63 else 255
    return 0 if code is None else 1


def begin(declared: "ModuleType", decision: "Decision") -> "tuple[Run, Callable[[], object]]":
    """The run with its ids, and what to do when it is over: tell the person what is new in the declaration, or nothing.

    It joins the session of the run that has started this process, and its trace when that is of the same family; children
    of this process find it in OTEL_BRIDGE_RUN. Raises PermissionError where nothing may be written, OSError.
    """
    folder = state_dir(declared.PRODUCT)
    if decision.mode != OFF and not mine(folder):  # `sudo` in a person's home: nothing is written
        raise PermissionError(f"{folder} belongs to somebody else")
    known, seconds = read_flat(folder + "/identity") or {}, now() // 1_000_000_000
    tell: Callable[[], object] = int
    if decision.refused or known.get("declaration") != declared.DIGEST or not int(known["from"]) <= seconds < int(known["until"]):
        from ..consent.notice import prepared

        known, declared, tell = prepared(declared, decision, folder, known)
    if decision.mode == OFF:  # shown on standard error, and nothing else
        return Run(declared, decision, folder, known), tell
    session = trace = above = ""
    if b"OTEL_BRIDGE_RUN" in environ:
        from ..consent.identity import handed_down

        session, trace, above = handed_down(environ[b"OTEL_BRIDGE_RUN"].decode("utf-8", "replace"), folder, declared.FAMILY)
    session = session or _session(folder)
    if known.get("session") != session:
        from ..consent import identity

        known = identity.begin(declared.FAMILY, folder, session)
    run = Run(declared, decision, folder, known, trace, above)
    run.handed = f"{known['session']}-{now() // 1_000_000}-{run.trace_id}-{run.span_id}-{declared.FAMILY}"
    _hand_down(run.handed)
    return run, tell


def _hand_down(text):
    # type: (str | bytes | None) -> None
    """Let children find a run; never in `os.environ`, which is the product's own."""
    os.putenv("OTEL_BRIDGE_RUN", text) if text else os.unsetenv("OTEL_BRIDGE_RUN")


def _session(folder: str) -> str:
    """The session that all tools of this person share, as long as it goes on; else empty."""
    try:
        fd = os.open(folder[: folder.rindex("/")] + "/.session", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return ""
    try:
        if not 0 <= now() / 1e9 - os.fstat(fd).st_mtime < IDLE:
            return ""
        os.utime(fd)  # so it goes on
        return os.read(fd, 64).decode("utf-8", "replace")
    finally:
        os.close(fd)


def _watch(recording: Run, main: object) -> "list[Callable[..., None]]":
    """Listen to the parsers that the host has imported; returns what stops listening."""
    stops: list[Callable[..., None]] = []
    for name in ("click.core", "typer._click.core"):
        if name in sys.modules:
            from .for_click import watch

            stops.append(watch(recording, sys.modules[name]))
    owner = getattr(main, "__self__", None)
    if "argparse" in sys.modules and not hasattr(owner, "make_context"):  # click's own commands need no second ear
        from .for_argparse import watch as watch_argparse

        stops.append(watch_argparse(recording))
    if not stops:
        from .later import Later

        sys.meta_path.insert(0, later := Later(lambda: stops.extend(_watch(recording, main))))
        stops.append(later.stop)
    return stops


def finish(run: Run, started: int, duration: int, code: int, error: "BaseException | str | None" = None) -> None:
    """Record how a run ended, and, as its last act, start a sender when one is due; never raises.

    `started` is a Unix time and `duration` a length, both in nanoseconds, `code` the exit status from 0 to 255, `error` the
    exception that ended it, or the name of a signal or of a class of errors.
    """
    try:
        run.parsed["process.exit.code"] = code
        script = run.parsed.get("process.executable.name")
        completes = f"_{script}_COMPLETE".replace("-", "_").replace(".", "_").upper().encode()
        if completes in environ or b"_ARGCOMPLETE" in environ:
            run.parsed["otel_bridge.help"] = "completion"
        if code or run.parsing is not None or "otel_bridge.help" in run.parsed:
            from .ending import told

            if not told(run, code, error):
                if run.observed is not None:
                    run.observed([], started, duration, False)
                return
        event = run.declared.COMMANDS.get(run.parsed.get("otel_bridge.command") or "")
        if event:
            keys = {spec[0] for spec in run.declared.EVENTS.get(event) or ()}
            record(run, event, {key: value for key, value in run.parsed.items() if key in keys})
        kept = record_span(run, started, duration, code != 0)
        if run.observed is not None:
            run.observed(kept, started, duration, code != 0)
        run.parsed.clear()  # of the exception, whose traceback holds a frame that holds the run
        run.parsing = None
        ship(run)
    except Exception as problem:
        otel_bridge._swallow(problem)


def ship(run: Run) -> None:
    """Start a sender for what a run has recorded, when one is due; within another run that one will."""
    if run.mode == ON and otel_bridge.current is None and due(run.folder, run.declared.DIGEST):
        from ..export.detach import spawn

        spawn(run.declared.PRODUCT, run.folder, wait='"otel_bridge.ci"' in run.resource)


def due(folder: str, digest: str) -> bool:
    """Whether the last sender is long enough ago, nobody is backing off, and the intake has not been closed."""
    if environ.get(b"OTEL_BRIDGE_DETACH") == b"0":
        return False
    try:
        state = read_flat(folder + "/drain") or {}
        last, until = int(state.get("last") or 0), int(state.get("not_before") or 0)
    except (OSError, ValueError):  # somebody has edited it; the sender writes it anew
        return True
    said = environ.get(b"OTEL_BRIDGE_DRAIN_EVERY", b"")
    every, seconds = int(said) if said.isdigit() else DRAIN_EVERY, now() // 1_000_000_000
    waits = last <= seconds < last + every or seconds < until <= seconds + LONGEST  # else the clock was set back
    return not waits and state.get("closed") != digest
