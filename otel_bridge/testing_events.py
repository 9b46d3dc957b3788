"""Read an event back as plain values, and what was captured as a list of them; see `otel_bridge.testing`."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any, BinaryIO, overload

from .paths import opened
from .record.losses import table

_TOP = {"logs": ("resourceLogs", "scopeLogs", "logRecords"), "traces": ("resourceSpans", "scopeSpans", "spans")}


@dataclass(frozen=True)
class Event:
    """An event, or the span of a run (`cli.run`), as plain values; two are equal when name, attributes and resource are.

    `record` is the whole log record or span as OTLP/JSON has it: ids in hexadecimal, times as strings of Unix nanoseconds.
    """

    name: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    record: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def body(self) -> Any:
        """The body of a log record; None for a span."""
        return _value(self.record.get("body", {}))


def events(signal: str, document: dict[str, Any]) -> Iterator[Event]:
    """The events of one OTLP/JSON request of `logs` or `traces`; raises KeyError, TypeError and the like for another document."""
    groups, scopes, records = _TOP[signal]
    for group in document.get(groups, []):
        resource = _values(group.get("resource", {}))
        for scope in group.get(scopes, []):
            for record in scope.get(records, []):
                name = record.get("eventName" if signal == "logs" else "name", "")
                yield Event(name, _values(record), resource, record)


def _values(owner: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: _value(one.get("value", {})) for one in owner.get("attributes", [])}


def _value(value: dict[str, Any]) -> Any:
    """An AnyValue as a plain one; bytes stay the base64 that they are."""
    for kind, found in value.items():
        if kind == "arrayValue":
            return [_value(one) for one in found.get("values", [])]
        if kind == "kvlistValue":
            return {one["key"]: _value(one.get("value", {})) for one in found.get("values", [])}
        return int(found) if kind == "intValue" else float(found) if kind == "doubleValue" else found
    return None


@dataclass(frozen=True)
class Undeclared:
    """What was offered and not declared: events by name, keys of attributes by event; `counted` in children, which only count."""

    events: tuple[str, ...]
    attributes: dict[str, tuple[str, ...]]
    counted: dict[str, int]

    def __bool__(self) -> bool:
        """Whether there was any."""
        return bool(self.events or self.attributes or self.counted)


class Captured(Sequence[Event]):
    """The events of a capture in recording order, like a list that is read anew whenever it is looked at.

    `environment` is a whole environment for a child process.
    """

    def __init__(self, folder: str) -> None:
        self.environment = dict(os.environ)
        self._folder, self._process, self._lock = folder, os.getpid(), RLock()
        self._found: list[Event] = []
        self._offered: list[tuple[str, str]] = []  # an event and a key, or nothing when the event itself is not declared
        self._files = {signal: _open(folder, signal) for signal in ("logs", "traces")}
        self._known: set[tuple[str, ...]] = set()
        self._lost: Counter[str] = Counter()

    def named(self, name: str) -> list[Event]:
        """The events of one name; `cli.run` are the runs."""
        return [event for event in self if event.name == name]

    @property
    def undeclared(self) -> Undeclared:
        """What was offered and not declared."""
        offered = sorted({*self._offered})
        keys = {event: tuple(key for name, key in offered if name == event and key) for event, key in offered if key}
        counted = {reason: number for reason, number in self._counted().items() if reason.startswith("undeclared_")}
        return Undeclared(tuple(event for event, key in offered if not key), keys, counted)

    @property
    def lost(self) -> dict[str, int]:
        """Everything that was offered or recorded and will not arrive, by reason, as `otel-bridge lost` tells it."""
        self._look()
        return dict(sorted(self._lost.items()))

    def _counted(self) -> Counter[str]:
        """The losses of which no name is known here."""
        return Counter(self.lost) - Counter("undeclared_attribute" if key else "undeclared_event" for _, key in self._offered)

    def _look(self) -> None:
        """Read what was written since; a fork leaves it alone, for it shares the places in the files."""
        if os.getpid() != self._process:
            return
        with self._lock:
            if self._files:
                self._found += _merged(*(list(self._more(signal)) for signal in self._files))
                self._lost = _lost(self._folder)

    def _more(self, signal: str) -> Iterator[Event]:
        """What was recorded since it was last read: the rest of the open file, and when a sender took that away, what followed."""
        while True:
            file = self._files[signal]
            whole, _, half = file.read().rpartition(b"\n")
            file.seek(-len(half), os.SEEK_CUR)
            for line in whole.splitlines():
                yield from self._told(events(signal, json.loads(line)))
            path = Path(self._folder, "spool", f"{signal}.jsonl")
            there = path.exists()
            if there and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return
            for ledger in sorted(Path(self._folder, "sent").glob("*.jsonl")):  # of children that recorded and sent unseen
                for line in ledger.read_bytes().splitlines():
                    yield from self._told(one for one in events(signal, json.loads(line)) if _key(one) not in self._known)
            if not there:
                return
            file.close()
            self._files[signal] = path.open("rb")

    def _told(self, found: Iterator[Event]) -> Iterator[Event]:
        for event in found:
            self._known.add(_key(event))
            yield event

    def close(self) -> None:
        """Read to the end; afterwards it stays as it is."""
        self._look()
        for file in self._files.values():
            file.close()
        self._files = {}

    @overload
    def __getitem__(self, at: int) -> Event: ...
    @overload
    def __getitem__(self, at: slice) -> list[Event]: ...
    def __getitem__(self, at: int | slice) -> Event | list[Event]:
        self._look()
        return self._found[at]

    def __len__(self) -> int:
        self._look()
        return len(self._found)

    def __iter__(self) -> Iterator[Event]:
        return iter(self[:])

    def __eq__(self, other: object) -> bool:
        return self[:] == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self[:])


def _open(folder: str, signal: str) -> BinaryIO:
    """A spool file, made already, so that it can be read whatever a sender does with it later."""
    path = f"{folder}/spool/{signal}.jsonl"
    os.close(opened(path, os.O_WRONLY))
    return open(path, "rb")


def _key(event: Event) -> tuple[str, ...]:
    return event.record["traceId"], event.record["spanId"], event.attributes.get("log.record.uid", "")


def _merged(logs: list[Event], spans: list[Event]) -> list[Event]:
    """Events and runs of several processes in one order: a run is over after the last of its events."""
    found = []
    for span in spans:
        mine = [at + 1 for at, log in enumerate(logs) if log.record["spanId"] == span.record["spanId"]]
        end = max(mine, default=0)
        found += [*logs[:end], span]
        logs = logs[end:]
    return found + logs


def _lost(folder: str) -> Counter[str]:
    return Counter({reason: row.lost for reason, row in table(folder).rows.items()})
