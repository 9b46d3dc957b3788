"""Count what will not arrive, by reason, at once and on disk, so that a killed program has counted it too.

One file of one page, `lost`, made before there is anything to lose: each change is a single write in its place, which a full
disk cannot refuse and a killed process cannot leave half done. A line is `reason = lost told telling uid last`: how many, of how
many the intake has been told, how many the event `uid` is telling it of now, and the Unix time, in seconds, of the last one.
"""

import os
from _thread import allocate_lock
from time import sleep

from ..clock import now
from ..errors import swallow
from ..paths import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PAGE = 4096  # bytes; a signal does not end a write within a page (measured: beyond it, it may)
TOKENS = 64  # changes that are remembered, so that whoever repeats one after a crash counts once; as many of senders' steps
PATIENCE = 250  # tries, 2 ms apart, while another process holds the file
_working = allocate_lock()  # POSIX locks are per process
_owed: "list[tuple[str, Callable[[Table], None], list[bool]]]" = []  # changes that a thread, or a handler, found no turn for


def _forked() -> None:
    """Start anew in a child: what threads of its parent were at is theirs."""
    _working._at_fork_reinit()  # type: ignore[attr-defined]
    _owed.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class Row:
    """How much was lost for one reason, and what the intake knows of it."""

    __slots__ = ("last", "lost", "telling", "told", "uid")

    def __init__(self, lost: int = 0, told: int = 0, telling: int = 0, uid: str = "", last: int = 0) -> None:
        self.lost, self.told, self.telling, self.uid, self.last = lost, told, telling, uid, last


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 16 else 0


class Table:
    """The file as rows by reason, and the tokens of the last changes."""

    def __init__(self, text: str = "") -> None:
        """Reads what can be read; somebody may have edited it."""
        self.rows: dict[str, Row] = {}
        self.settled: list[str] = []
        for line in text.splitlines():
            key, equals, value = line.strip("\0 ").partition(" = ")
            words = value.split()
            if key == "settled":
                self.settled = words
            elif equals and words and _number(words[0]):
                words += ["", "", "", ""]
                lost, told, telling = map(_number, words[:3])
                self.rows[key] = Row(lost, told, telling, words[3].strip("-"), _number(words[4]))

    def add(self, losses: "Mapping[str, int]", token: str = "") -> None:
        """Count; a change whose token is known was counted before."""
        if token and token in self.settled:
            return
        if token:  # a sender's step has a dot; it may be repeated a day later, whatever was dropped meanwhile
            same = [one for one in self.settled if ("." in one) is ("." in token)]
            if len(same) >= TOKENS:
                self.settled.remove(same[0])
            self.settled.append(token)
        for reason, number in losses.items():
            row = self.rows.setdefault(reason, Row())
            row.lost, row.last = row.lost + number, now() // 1_000_000_000

    def page(self) -> bytes:
        """One page of text."""
        told = ((key, row.lost, row.told, row.telling, row.uid or "-", row.last) for key, row in self.rows.items())
        rows = "".join("%s = %d %d %d %s %d\n" % one for one in told)
        while True:
            text = f"{rows}settled = {' '.join(self.settled)}\n".encode("utf-8", "replace")
            if len(text) <= PAGE or not self.settled:
                return text[:PAGE].ljust(PAGE, b"\n")
            del self.settled[0]


def lose(folder: str, reason: "str | Exception", number: int = 1, problem: "Exception | None" = None) -> None:
    """Count something that is lost, by a reason or by what went wrong; never raises, for a full disk may be the very reason."""
    if problem is not None:
        swallow(problem)
    settle(folder, {reason if isinstance(reason, str) else _reason(reason): number})


def _reason(problem: Exception) -> str:
    if not isinstance(problem, OSError):
        return "record_failed"
    return "disk_full" if problem.errno in (28, 122, 27, 69) else "unwritable"  # ENOSPC, EDQUOT, EFBIG, a Mac's EDQUOT


def settle(folder: str, losses: "Mapping[str, int]", token: str = "") -> bool:
    """Count losses that belong together, once for a `token`; whether they stand on disk now. Never raises."""
    counted = {reason: number for reason, number in losses.items() if number}
    return not counted or change(folder, lambda table: table.add(counted, token))


def change(folder: str, made: "Callable[[Table], None]") -> bool:
    """Change the table of a product under its lock; whether it was done. Never raises.

    Whoever cannot have the lock at once, because this very thread was interrupted while it held it, leaves the change to that one.
    """
    done: list[bool] = []
    _owed.append((folder, made, done))
    while _owed and _working.acquire(False):
        try:
            while _owed:
                at, one, told = _owed.pop(0)
                told.append(_change(at, one))
        except Exception as problem:
            swallow(problem)
        finally:
            _working.release()
    return done == [True]


def _change(folder: str, made: "Callable[[Table], None]") -> bool:
    fd = opened(folder + "/lost", os.O_RDWR)
    try:
        for _ in range(PATIENCE):
            try:
                os.lockf(fd, os.F_TLOCK, 0)
                break
            except (BlockingIOError, PermissionError):
                sleep(0.002)
        else:
            return False
        table = Table(_read(fd))
        made(table)
        return os.pwrite(fd, table.page(), 0) == PAGE
    finally:
        os.close(fd)


def _read(fd: int) -> str:
    text = os.pread(fd, 1 << 20, 0)
    if len(text) > PAGE:  # somebody has edited it
        os.ftruncate(fd, PAGE)
    return text.decode("utf-8", "replace")


def forgive(folder: str) -> None:
    """Owe the intake nothing of what has been counted: the person has turned telemetry off."""

    def made(found: Table) -> None:
        for row in found.rows.values():
            row.told, row.telling, row.uid = row.lost, 0, ""

    if os.path.exists(folder + "/lost"):
        change(folder, made)


def table(folder: str) -> Table:
    """What has been counted; empty when nothing was. Raises OSError when it cannot be read."""
    try:
        fd = os.open(folder + "/lost", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return Table()
    try:
        return Table(os.pread(fd, 1 << 20, 0).decode("utf-8", "replace"))
    finally:
        os.close(fd)
