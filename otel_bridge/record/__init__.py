"""WRITE IT DOWN: the main path on one screen: find the declaration, clean, append one line of OTLP/JSON to the spool."""

import os
import sys
from _thread import allocate_lock
from time import sleep

from .. import __version__
from ..clock import floored, new_id, new_uuid, now, two_digits
from ..consent import LOCAL, OFF, decide, surroundings
from ..paths import environ, rewrite
from ..privacy import beside, clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from types import ModuleType

    from ..consent import Decision
    from ..privacy import Kept

SEGMENT, _PLENTY = 1 << 20, b"10000000"  # bytes of a spool file; and a bound, by its length, that such files fit into eight times
WRITER = "interpreter = %s\nregistry = %s\ndigest = %s\n"  # who wrote a spool, and by which declaration
_ARCHITECTURES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "i686": "x86", "i386": "x86", "armv7l": "arm32"}
PATIENCE = 250  # tries, 2 ms apart, to get a lock that somebody holds; then the event is counted as lost
_threads = allocate_lock()  # POSIX locks are per process, so the threads of one need a lock; a child must not find it held
getattr(os, "register_at_fork", lambda **_: None)(after_in_child=_threads._at_fork_reinit)  # type: ignore[attr-defined]


class Run:
    """One run of one product: its declaration, its trace context, and what the parser told of it."""

    __slots__ = (
        *("declared", "folder", "handed", "here", "mode", "names", "observed", "parent_id", "parsed", "parsing", "prefix"),
        *("resource", "seen", "sequence", "span_id", "told", "trace_id"),
    )

    def __init__(self, declared, decision, folder, known, trace="", above=""):
        # type: (ModuleType, Decision, str, Mapping[str, str], str, str) -> None
        """A run; `known` are the ids to tell, `trace` and `above` those of the run that has started this one, of its trace."""
        self.declared, self.mode = declared, decision.mode
        self.folder = "" if self.mode == OFF else folder + "/local" if self.mode == LOCAL else folder  # off is shown alone
        self.prefix = declared.PRODUCT.replace("-", "_")  # of the product's own keys, which have no hyphen
        self.names = beside(declared.NAMES, str(declared.__file__))
        self.trace_id, self.span_id, self.parent_id = trace or new_id(16), new_id(8), above
        self.handed = ""  # what children find in OTEL_BRIDGE_RUN
        self.here: Callable[[], str] | None = None  # the span that is open, in a run that has steps
        self.observed: Callable[..., object] | None = None  # whoever wants to know what has been recorded
        self.parsing: object = None  # what the parser still reads words for
        self.sequence = 0
        self.parsed: dict[str, object] = {"session.id": known.get("told")}
        self.told, self.seen = set(), {}  # type: set[str], dict[str, set[str]]
        self.resource = attributes(clean(declared.RESOURCE, _about(declared, known.get("installation")), self.names)[0])


def record(run: Run, name: str, given: "Mapping[str, object] | None" = None, told: "Collection[str]" = ()) -> None:
    """Record one event; what is not declared is dropped and counted, and nothing is ever raised."""
    try:
        specs = run.declared.EVENTS.get(name)
        if specs is None:
            if name not in run.declared.EVENTS:  # there, but None: the person refused it
                lose(run, "undeclared_event")
            return
        if specs and specs[0][0] == "otel_bridge.sample_rate":
            from .sample import drawn

            if not drawn(run.parsed.get("session.id") or run.trace_id, name, rate := specs[0][3][0][0]):
                return
            given = {**(given or {}), "otel_bridge.sample_rate": rate}
        told = run.told.union((told,) if type(told) is str else told) if told else run.told
        kept, undeclared = clean(specs, given or {}, run.names, told, run.seen)
        if undeclared:
            lose(run, "undeclared_attribute", undeclared)
        run.sequence += 1
        kept += clean(run.declared.COMMON, {**run.parsed, "otel_bridge.sequence": run.sequence}, run.names)[0]
        kept.append(("log.record.uid", new_uuid()))
        moment, event = floored(now(), run.declared.RESOLUTION), quoted(name)
        span = run.here() if run.here is not None else run.span_id
        texts = (run.resource, __version__, moment, moment, event, attributes(kept), run.trace_id, span, event)
        append(run, "logs", _LOG % texts)
    except Exception as problem:
        lose(run, "record_failed", 1, problem)


def record_span(run, started, duration, failed):
    # type: (Run, int, int, bool) -> Kept
    """Record the run itself, and tell what of it; `started` is a Unix time, `duration` a length, both in nanoseconds."""
    try:
        if run.declared.SPAN is None:  # refused
            return []
        run.sequence += 1
        given = {**run.parsed, "otel_bridge.sequence": run.sequence}
        kept, _ = clean(run.declared.SPAN, given, run.names, run.told, run.seen)
        line = span_line(run, "cli.run", 1, (run.span_id, run.parent_id), (started, duration), kept, failed)
        return kept if append(run, "traces", line) or not run.folder else []
    except Exception as problem:
        lose(run, "record_failed", 1, problem)
        return []


def span_line(run, name, kind, ids, times, kept, failed):
    # type: (Run, str, int, tuple[str, str], tuple[int, int], Kept, bool) -> str
    """A span as a line of the spool: its `ids` are its own and that of the span above or nothing, its `times` start and length."""
    start, above = floored(times[0], run.declared.RESOLUTION), f'"parentSpanId":"{ids[1]}",' if ids[1] else ""
    about = (run.resource, __version__, run.trace_id, ids[0], above, name, kind, start, start + two_digits(times[1]))
    return _SPAN % (*about, attributes(kept), '{"code":2}' if failed else "{}")


def append(run, signal, line):
    # type: (Run, str, str) -> bool
    """Append one line to the spool of `logs` or `traces` with one write, or count it as lost; whether it waits. Never waits long.

    A sender takes a spool by renaming it under the same lock, so the inode is compared once the lock is held: rename alone
    lost lines under load, lock and comparison lost none (measured). `os.lockf` is built in; `fcntl` costs 0.4 M instructions.
    """
    if not run.folder:
        sys.stderr.write(line)
        return False
    why, data = "busy", line.encode()  # type: str | Exception, bytes
    if _threads.acquire(timeout=PATIENCE * 0.002):  # else a signal handler that records while its own thread does
        try:
            for _ in range(PATIENCE):
                if (done := _appended(run, signal, data)) is not None:
                    return done
        except OSError as problem:
            why = problem
        finally:
            _threads.release()
    lose(run, why)
    return False


def _appended(run, signal, data):
    # type: (Run, str, bytes) -> bool | None
    """Whether the line is written; None when somebody else holds the file, or has just taken it away. Raises OSError."""
    path = f"{run.folder}/spool/{signal}.jsonl"
    try:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except FileNotFoundError:  # the first time, or `off` has taken the folder away since this run began
        from .folder import begin

        return None if begin(run) else False
    try:
        try:
            os.lockf(fd, os.F_TLOCK, 0)
        except (BlockingIOError, PermissionError):  # what POSIX lets a lock that is held answer
            sleep(0.002)
            return None
        if os.stat(path).st_ino != (held := os.fstat(fd)).st_ino:  # somebody took it away before we had it
            return None
        if held.st_size == 0:  # keep who wrote it, so that a sender finds the declaration again from any environment
            rewrite(run.folder + "/writer", WRITER % (sys.executable, run.declared.__file__, run.declared.DIGEST))
        elif held.st_size + len(data) > SEGMENT or len(environ.get(b"OTEL_BRIDGE_SPOOL_BYTES", _PLENTY)) < len(_PLENTY):
            from .segments import made_room

            if made_room(run.folder, signal, held.st_size + len(data)):
                return None
        if os.write(fd, data) != len(data):  # a full disk: leave no half line behind
            os.ftruncate(fd, held.st_size)
            raise OSError(28, "half a line")
        return True
    except FileNotFoundError:  # a sender, or `off`, was here a moment ago
        return None
    finally:
        os.close(fd)


def lose(run, reason, number=1, problem=None):
    # type: (Run, str | Exception, int, Exception | None) -> None
    try:
        refused = str(reason)[:10] == "undeclared" and hasattr(run.declared, "NARROWED")  # it may be what the person refused
        if run.folder and not refused and decide(run.declared.PRODUCT).mode == run.mode:
            from .losses import lose

            lose(run.folder, reason, number, problem)
    except Exception:  # a program that lets nothing be imported any more
        return


def _about(declared: "ModuleType", installation: "str | None") -> "dict[str, object]":
    """What is the same for all records of a run; every value still has to pass its policy."""
    system, release = os.uname(), ""
    try:
        fd = os.open("/etc/os-release", os.O_RDONLY | os.O_CLOEXEC)
        release = "\n" + os.read(fd, 8192).decode("utf-8", "replace")
        os.close(fd)
    except OSError:
        pass
    about: dict[str, object] = {
        "service.name": declared.PRODUCT,
        "service.version": getattr(sys.modules.get(declared.PACKAGE), "__version__", declared.VERSION),
        "os.type": sys.platform,
        "os.name": release.partition("\nID=")[2].partition("\n")[0].strip('"'),
        "os.version": release.partition("\nVERSION_ID=")[2].partition("\n")[0].strip('"'),
        "host.arch": _ARCHITECTURES.get(system.machine, system.machine),
        "process.runtime.name": sys.implementation.name,
        "process.runtime.version": "%d.%d" % sys.version_info[:2],
    }
    about.update({"otel_bridge." + kind: name for kind, name in surroundings().items()})
    if "otel_bridge.ci" not in about:
        about["app.installation.id"] = installation
    return about


def quoted(text):
    # type: (str) -> str
    """A string as JSON in ASCII; `json` is imported only for a string that needs escapes (0.4 M instructions)."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return '"' + text + '"'
    from json.encoder import py_encode_basestring_ascii

    return py_encode_basestring_ascii(text)


def _value(value):
    # type: (object) -> str
    if value is True or value is False:
        return '{"boolValue":true}' if value else '{"boolValue":false}'
    if isinstance(value, str):
        return '{"stringValue":' + quoted(value) + "}"
    if isinstance(value, int):
        return '{"intValue":"%d"}' % value
    if isinstance(value, float):
        return '{"doubleValue":%r}' % value
    return '{"arrayValue":{"values":[' + ",".join([_value(item) for item in value]) + "]}}"  # type: ignore[attr-defined]


def attributes(pairs: "Kept") -> str:
    """(key, value) pairs as the JSON list of attributes that OTLP has; a declared key needs no quotes, `check` sees to that."""
    found = []
    for key, value in pairs:
        if type(value) is str and value.isascii() and value.isprintable() and '"' not in value and "\\" not in value:
            found.append('{"key":"%s","value":{"stringValue":"%s"}}' % (key, value))
        else:
            found.append('{"key":"%s","value":%s}' % (key, _value(value)))
    return "[" + ",".join(found) + "]"


# As the collector's own file receiver reads them: https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
# The body of an event is its name, because Splunk's exporter silently drops a record without a body (measured).
_LOG = (
    '{"resourceLogs":[{"resource":{"attributes":%s},"scopeLogs":[{"scope":{"name":"otel_bridge","version":"%s"},"logRecords":['
    '{"timeUnixNano":"%d","observedTimeUnixNano":"%d","severityNumber":9,"body":{"stringValue":%s},"attributes":%s,'
    '"traceId":"%s","spanId":"%s","eventName":%s}]}]}]}\n'
)
_SPAN = (
    '{"resourceSpans":[{"resource":{"attributes":%s},"scopeSpans":[{"scope":{"name":"otel_bridge","version":"%s"},"spans":['
    '{"traceId":"%s","spanId":"%s",%s"flags":256,"name":"%s","kind":%d,"startTimeUnixNano":"%d","endTimeUnixNano":"%d",'
    '"attributes":%s,"status":%s}]}]}]}\n'
)
