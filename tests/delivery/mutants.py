"""Wrong versions of the core, each by one change in the process that forks all others: the fault matrix has to find them."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from otel_bridge import record
from otel_bridge.clock import new_uuid
from otel_bridge.export import answer, quarantine, spool, told
from otel_bridge.export.segment import Segment
from otel_bridge.export.shipment import Shipment
from otel_bridge.record import losses, segments, unfinished

MUTANTS: dict[str, Callable[[], None]] = {}


def mutant(name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register one."""

    def keep(made: Callable[[], None]) -> Callable[[], None]:
        MUTANTS[name] = made
        return made

    return keep


class Os:
    """The module `os` with functions of its own."""

    def __init__(self, **own: Any) -> None:
        self.__dict__.update(own)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


class Same:
    """Equal to everything."""

    def __ne__(self, other: object) -> bool:
        return False


def nothing(*args: Any, **kwargs: Any) -> None:
    """What a mutant leaves out."""


@mutant("append without lock")
def _() -> None:
    record.os = Os(lockf=nothing)  # type: ignore[attr-defined]


@mutant("append without looking again")
def _() -> None:
    record.os = Os(stat=lambda path: SimpleNamespace(st_ino=Same()))  # type: ignore[attr-defined]


@mutant("half a line is left")
def _() -> None:
    record.os = Os(ftruncate=nothing)  # type: ignore[attr-defined]


@mutant("sender without lock")
def _() -> None:
    @contextmanager
    def only_sender(folder: Path, patience: float) -> Iterator[None]:
        yield

    spool.only_sender = only_sender


@mutant("taken without lock")
def _() -> None:
    spool.os = Os(lockf=nothing)  # type: ignore[attr-defined]


@mutant("deleted before it was acknowledged")
def _() -> None:
    real = Segment.items

    def items(self: Segment) -> Iterator[Any]:
        found = list(real(self))
        self.path.unlink()
        yield from found

    Segment.items = items  # type: ignore[method-assign]


@mutant("counted without token")
def _() -> None:
    real = losses.Table.add
    losses.Table.add = lambda self, lost, token="": real(self, lost)  # type: ignore[method-assign,misc,assignment]


@mutant("counted without lock")
def _() -> None:
    losses.os = Os(lockf=nothing)  # type: ignore[attr-defined]


@mutant("dropped file deleted first")
def _() -> None:
    def count(folder: str, name: str) -> None:
        parts, path = name.split("."), f"{folder}/spool/{name}"
        with open(path, "rb") as file:
            lines = sum(1 for _ in file)
        os.unlink(path)
        losses.settle(folder, {parts[3]: lines}, parts[2])

    segments.count = count


@mutant("steps forgotten")
def _() -> None:
    Segment.progress = property(lambda self: Path(os.devnull))  # type: ignore[assignment,method-assign]

    def finish(self: Segment) -> None:
        if self.whole and not self.open:
            self.path.unlink(missing_ok=True)

    Segment.finish = finish  # type: ignore[method-assign]


@mutant("last step not counted")
def _() -> None:
    def recall(self: Segment) -> Segment:
        self.settled = spool.settled(self.progress)
        return self

    Segment.recall = recall  # type: ignore[method-assign]


@mutant("quarantine forgets")
def _() -> None:
    quarantine.keep = nothing


@mutant("rejected not counted")
def _() -> None:
    real = Shipment.note
    Shipment.note = lambda self, *told: Counter({**real(self, *told), "rejected": 0})  # type: ignore[method-assign]


@mutant("garbage is success")
def _() -> None:
    real = answer._rejected
    answer._rejected = lambda *told: real(*told) or 0


@mutant("told twice with a new uid")
def _() -> None:
    real = told.owed

    def owed(folder: str, *asked: Any) -> Any:
        def made(table: losses.Table) -> None:
            for row in table.rows.values():
                row.uid = row.uid and new_uuid()

        losses.change(folder, made)
        return real(folder, *asked)

    told.owed = owed


@mutant("told before it was sent")
def _() -> None:
    real = told.owed

    def owed(folder: str, *asked: Any) -> Any:
        ready = real(folder, *asked)
        uids = {one.attributes["log.record.uid"] for one in ready}
        losses.change(folder, lambda table: told._told(table, uids))
        return ready

    told.owed = owed


@mutant("mark deleted first")
def _() -> None:
    real = losses.settle

    def settle(folder: str, lost: Any, token: str = "") -> None:
        for mark in Path(folder, "running").glob(f"*.{token}*"):
            os.unlink(mark)
        real(folder, lost, token)

    unfinished.losses = SimpleNamespace(settle=settle)  # type: ignore[attr-defined]
