"""The spool folder as a state machine: `logs.jsonl` is appended to, a sealed segment waits, a claimed one is being sent."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from time import monotonic, sleep

from ..errors import DeliveryError
from ..paths import opened
from ..record.segments import number_of, seal
from .documents import Item as Item
from .documents import Reader
from .documents import read as read
from .segment import Segment, settled

SIGNALS = ("logs", "traces")


def segments(folder: Path, signal: str, *states: str) -> list[Path]:
    """The segments of a signal in some of the states `claimed`, `sealed` and so on, oldest first."""
    found = chain.from_iterable((folder / "spool").glob(f"{signal}.*.{state}") for state in states)
    return sorted(filter(Path.is_file, found), key=lambda one: number_of(one.name))


def take(folder: Path, signal: str, passed: set[Path]) -> Segment | None:
    """The next segment for the one sender of a product: one that a dead one had, one that waits, or the file that is written to.

    `passed` are those that it does not want again.
    """
    for path in segments(folder, signal, "progress"):
        if not path.with_suffix(".claimed").exists():  # a sender died between two deletions
            path.unlink(missing_ok=True)
    for path in segments(folder, signal, "claimed"):
        if path not in passed:
            return Segment(folder, path, signal).recall()
    for path in segments(folder, signal, "sealed") or seal_written(folder, signal):
        try:
            return Segment(folder, path.rename(path.with_suffix(".claimed")), signal)
        except FileNotFoundError:  # it has been dropped for its age, or for want of room
            continue
    return None


def seal_written(folder: Path, signal: str) -> list[Path]:
    """Take the file that is written to from the writers, under the lock they take to append; all that is sealed."""
    path = folder / "spool" / f"{signal}.jsonl"
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return []
    try:
        os.lockf(fd, os.F_LOCK, 0)
        if os.fstat(fd).st_ino == path.stat().st_ino:  # else a writer has sealed it meanwhile
            seal(str(path.parent), signal)
    except FileNotFoundError:
        pass
    finally:
        os.close(fd)
    return segments(folder, signal, "sealed")


def files(folder: Path, signal: str) -> Iterator[Iterator[tuple[int, Item | None]]]:
    """What waits of a signal, file by file in the order in which a sender takes them: items and their numbers."""
    for path in (*segments(folder, signal, "claimed"), *segments(folder, signal, "sealed"), folder / "spool" / f"{signal}.jsonl"):
        done = settled(path.with_suffix(".progress")) if path.suffix == ".claimed" else ()
        yield ((number, item) for number, item in enumerate(Reader(signal).read(path)) if number not in done)


def each(folder: Path, signal: str) -> Iterator[Item]:
    """The items of a signal that wait."""
    return (item for file in files(folder, signal) for _, item in file if item is not None)


def waiting(folder: Path) -> dict[str, list[Item]]:
    """Everything that waits, by signal."""
    return {signal: list(each(folder, signal)) for signal in SIGNALS}


def count(folder: Path) -> dict[str, int]:
    """How much waits, by signal."""
    return {signal: sum(1 for _ in each(folder, signal)) for signal in SIGNALS}


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
