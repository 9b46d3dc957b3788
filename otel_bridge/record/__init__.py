"""WRITE IT DOWN: the main path on one screen: find the declaration, clean, append one line of OTLP/JSON to the spool."""

import os
import sys
from _thread import allocate_lock
from time import sleep

from .. import __version__
from ..clock import floored, new_id, new_uuid, now, two_digits
from ..consent import CI, LOCAL, running_in
from ..paths import opened, read_flat, rewrite, state_dir
from ..privacy import beside, clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import ModuleType

    from ..consent import Decision
    from ..privacy import Kept

SPOOL_BYTES = 8 << 20
_ARCHITECTURES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "i686": "x86", "i386": "x86", "armv7l": "arm32"}
PATIENCE = 250  # tries, 2 ms apart, to get a lock that somebody holds; then the event is counted as lost
_threads = allocate_lock()  # POSIX locks are per process, so the threads of one need a lock of their own
if hasattr(os, "register_at_fork"):  # a child must not find a lock that a thread of its parent held
    os.register_at_fork(after_in_child=_threads._at_fork_reinit)  # type: ignore[attr-defined]


class Run:
    """One run of one product: its declaration, its trace context, and what the parser told of it."""

    __slots__ = ("declared", "folder", "names", "parsed", "resource", "seen", "sequence", "span_id", "told", "trace_id")

    def __init__(self, declared: "ModuleType", decision: "Decision") -> None:
        self.declared = declared
        self.folder = state_dir(declared.PRODUCT) + ("/local" if decision.mode == LOCAL else "")
        if os.path.exists(self.folder) and os.stat(self.folder).st_uid != os.geteuid():
            raise PermissionError(f"{self.folder} belongs to somebody else")  # sudo in a person's home: nothing is written
        self.names = beside(declared.NAMES, str(declared.__file__))
        self.trace_id = new_id(16)
        self.span_id = new_id(8)
        self.sequence = 0
        self.parsed: dict[str, object] = {}
        self.told: set[str] = set()
        self.seen: dict[str, set[str]] = {}
        self.resource = attributes(clean(declared.RESOURCE, _about(declared), self.names)[0])


def record(run: Run, name: str, given: "Mapping[str, object] | None" = None, told: "Collection[str]" = ()) -> None:
    """Record one event; what is not declared is dropped and counted, and nothing is ever raised."""
    try:
        specs = run.declared.EVENTS.get(name)
        if specs is None:
            _lose(run, "undeclared_event")
            return
        told = run.told.union(told) if told else run.told
        kept, undeclared = clean(specs, given or {}, run.names, told, run.seen)
        if undeclared:
            _lose(run, "undeclared_attribute", undeclared)
        run.sequence += 1
        kept += clean(run.declared.COMMON, {**run.parsed, "otel_bridge.sequence": run.sequence}, run.names)[0]
        kept.append(("log.record.uid", new_uuid()))
        append(run, "logs", _log_line(run, name, floored(now(), run.declared.RESOLUTION), kept))
    except Exception as problem:
        _lose(run, "record_failed", 1, problem)


def record_span(run: Run, started: int, duration: int, failed: bool) -> None:
    """Record the run itself; `started` is a Unix time, `duration` a length, both in nanoseconds."""
    try:
        start = floored(started, run.declared.RESOLUTION)
        run.sequence += 1
        given = {**run.parsed, "otel_bridge.sequence": run.sequence}
        kept, _ = clean(run.declared.SPAN, given, run.names, run.told, run.seen)
        append(run, "traces", _span_line(run, start, start + two_digits(duration), failed, kept))
    except Exception as problem:
        _lose(run, "record_failed", 1, problem)


def append(run: Run, signal: str, line: str) -> None:
    """Append one line to the spool of `logs` or `traces` with one write, or count it as lost; never waits long.

    A sender claims a spool by renaming it under the same lock, so the inode is compared once the lock is held: rename alone
    lost lines under load, lock and comparison lost none (measured). `os.lockf` is built in; `fcntl` costs 0.4 M instructions.
    """
    if not _threads.acquire(timeout=PATIENCE * 0.002):  # a signal handler that records while its own thread does
        _lose(run, "busy")
        return
    try:
        path, data = f"{run.folder}/spool/{signal}.jsonl", line.encode()
        for _ in range(PATIENCE):
            if _appended(run, path, data):
                return
        _lose(run, "busy")
    finally:
        _threads.release()


def _appended(run: Run, path: str, data: bytes) -> bool:
    """Whether the line is dealt with; False when somebody else holds the file, or has just taken it away."""
    fd = opened(path, os.O_WRONLY | os.O_APPEND)
    try:
        try:
            os.lockf(fd, os.F_TLOCK, 0)
        except (BlockingIOError, PermissionError):  # what POSIX lets a lock that is held answer
            sleep(0.002)
            return False
        held = os.fstat(fd)
        try:
            if os.stat(path).st_ino != held.st_ino:
                return False
        except FileNotFoundError:
            return False
        if held.st_size == 0:
            _sign(run)
        if held.st_size + len(data) > SPOOL_BYTES:
            _lose(run, "spool_full")
        elif os.write(fd, data) != len(data):  # a full disk: leave no half line behind
            os.ftruncate(fd, held.st_size)
            _lose(run, "disk_full")
        return True
    finally:
        os.close(fd)


def _sign(run: Run) -> None:
    """Keep who wrote the spool, so that a sender finds the declaration again from any environment."""
    text = f"interpreter = {sys.executable}\nregistry = {run.declared.__file__}\ndigest = {run.declared.DIGEST}\n"
    rewrite(run.folder + "/writer", text)


def _lose(run: Run, reason: str, number: int = 1, problem: "Exception | None" = None) -> None:
    from .losses import lose

    lose(run.folder, reason, number, problem)


def _about(declared: "ModuleType") -> "dict[str, object]":
    """What is the same for all records of a run; every value still has to pass its policy."""
    system = os.uname()
    try:
        release = read_flat("/etc/os-release") or {}
    except (OSError, UnicodeDecodeError):
        release = {}
    about: dict[str, object] = {
        "service.name": declared.PRODUCT,
        "service.version": getattr(sys.modules.get(declared.PACKAGE), "__version__", declared.VERSION),
        "os.type": sys.platform,
        "os.name": release.get("ID", "").strip('"'),
        "os.version": release.get("VERSION_ID", "").strip('"'),
        "host.arch": _ARCHITECTURES.get(system.machine, system.machine),
        "process.runtime.name": sys.implementation.name,
        "process.runtime.version": "%d.%d" % sys.version_info[:2],
    }
    vendor = running_in(CI)
    if vendor:
        about["otel_bridge.ci"] = vendor
    return about


def quoted(text: str) -> str:
    """A string as JSON in ASCII; `json` is imported only for a string that needs escapes (0.4 M instructions)."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return '"' + text + '"'
    from json.encoder import py_encode_basestring_ascii

    return py_encode_basestring_ascii(text)


def _value(value: object) -> str:
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
    """(key, value) pairs as the JSON list of attributes that OTLP has."""
    return "[" + ",".join(['{"key":' + quoted(key) + ',"value":' + _value(value) + "}" for key, value in pairs]) + "]"


# As the collector's own file receiver reads them: https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
_LOG = (
    '{"resourceLogs":[{"resource":{"attributes":%s},"scopeLogs":[{"scope":{"name":"otel_bridge","version":"%s"},"logRecords":['
    '{"timeUnixNano":"%d","observedTimeUnixNano":"%d","severityNumber":9,"body":{"stringValue":%s},"attributes":%s,'
    '"traceId":"%s","spanId":"%s","eventName":%s}]}]}]}\n'
)
_SPAN = (
    '{"resourceSpans":[{"resource":{"attributes":%s},"scopeSpans":[{"scope":{"name":"otel_bridge","version":"%s"},"spans":['
    '{"traceId":"%s","spanId":"%s","flags":256,"name":"cli.run","kind":1,"startTimeUnixNano":"%d","endTimeUnixNano":"%d",'
    '"attributes":%s,"status":%s}]}]}]}\n'
)


def _log_line(run: Run, name: str, moment: int, kept: "Kept") -> str:
    """An event; its body is its name, because Splunk's exporter silently drops a record without a body (measured)."""
    event = quoted(name)
    told = (run.resource, __version__, moment, moment, event, attributes(kept), run.trace_id, run.span_id, event)
    return _LOG % told


def _span_line(run: Run, start: int, end: int, failed: bool, kept: "Kept") -> str:
    ids = (run.resource, __version__, run.trace_id, run.span_id)
    return _SPAN % (*ids, start, end, attributes(kept), '{"code":2}' if failed else "{}")
