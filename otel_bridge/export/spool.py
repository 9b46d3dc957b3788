"""The spool folder as a state machine: `logs.jsonl` is appended to, `logs.NNN.claimed` belongs to a sender, gone is sent."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from ..errors import DeliveryError
from ..paths import opened

SIGNALS = ("logs", "traces")
_STARTS = ('{"resourceLogs":', '{"resourceSpans":')  # a quoted string never holds this: its quotes are escaped
_TOP = {"logs": ("resourceLogs", "scopeLogs", "logRecords"), "traces": ("resourceSpans", "scopeSpans", "spans")}


@dataclass(frozen=True)
class Item:
    """One record or span of a spool: the JSON object that OTLP has for it, with its resource, its scope and its line."""

    signal: str
    resource: dict[str, Any]
    scope: dict[str, Any]
    body: dict[str, Any]
    line: str


def read(path: Path, signal: str) -> tuple[list[Item], int]:
    """The items of a spool file, and how many documents could not be read (half-written ones, for instance)."""
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return [], 0
    items: list[Item] = []
    torn = 0
    for line in text.splitlines():
        for document in _documents(line):
            try:
                items += _items(signal, document)
            except (ValueError, TypeError, KeyError, AttributeError):
                torn += 1
    return items, torn


def _documents(line: str) -> Iterator[str]:
    """The documents that stand on a line: more than one where a half-written one had no newline."""
    starts = sorted({0} | {at for start in _STARTS for at in _find(line, start)})
    for begin, end in zip(starts, [*starts[1:], len(line)], strict=True):
        if line[begin:end].strip():
            yield line[begin:end]


def _find(line: str, start: str) -> Iterator[int]:
    at = line.find(start)
    while at >= 0:
        yield at
        at = line.find(start, at + 1)


def _items(signal: str, document: str) -> Iterator[Item]:
    resources, scopes, records = _TOP[signal]
    for group in json.loads(document)[resources]:
        for scoped in group[scopes]:
            for body in scoped[records]:
                yield Item(signal, group.get("resource", {}), scoped.get("scope", {}), body, document)


def claimed(folder: Path, signal: str) -> list[Path]:
    """The files that senders have claimed and not finished, oldest first."""
    return sorted((folder / "spool").glob(f"{signal}.*.claimed"), key=_number)


def _number(claimed: Path) -> int:
    return int(claimed.name.split(".")[1])


def claim(folder: Path, signal: str) -> list[Path]:
    """Take the spool away from the writers, under the lock they take to append; all claimed files, oldest first."""
    spool = folder / "spool" / f"{signal}.jsonl"
    before = claimed(folder, signal)
    if spool.exists():
        number = _number(before[-1]) + 1 if before else 1
        fd = os.open(spool, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.lockf(fd, os.F_LOCK, 0)
            spool.rename(spool.with_name(f"{signal}.{number:03d}.claimed"))
        finally:
            os.close(fd)
    return claimed(folder, signal)


def keep(path: Path, items: list[Item]) -> None:
    """Leave only these items in a claimed file; without any the file is gone."""
    if not items:
        path.unlink(missing_ok=True)
        return
    lines = dict.fromkeys(item.line for item in items)
    new = path.with_suffix(".new")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)  # no folder is made: `off` may have deleted it
    with open(fd, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def waiting(folder: Path) -> dict[str, list[Item]]:
    """Everything that waits, claimed or not, by signal; takes nothing away."""
    found: dict[str, list[Item]] = {}
    for signal in SIGNALS:
        files = [*claimed(folder, signal), folder / "spool" / f"{signal}.jsonl"]
        found[signal] = [item for file in files for item in read(file, signal)[0]]
    return found


@contextmanager
def only_sender(folder: Path, patience: float) -> Iterator[None]:
    """Hold the lock of the one sender of a product; raises DeliveryError when another holds it for `patience` seconds."""
    fd = opened(str(folder / "sender.lock"), os.O_WRONLY)
    try:
        until = monotonic() + patience
        while True:
            try:
                os.lockf(fd, os.F_TLOCK, 0)
                break
            except OSError:
                if monotonic() > until:
                    raise DeliveryError("another sender is at work") from None
                sleep(0.05)
        yield
    finally:
        os.close(fd)
