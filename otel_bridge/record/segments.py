"""Close a spool file that is full and begin another; what is beyond the bounds goes, oldest first, whole, and is counted.

A segment is a file `SIGNAL.NUMBER.TOKEN.STATE` of the spool, and to change hands it changes its state by a rename, which one
process wins: `sealed` waits, `claimed` is a sender's, and the name of a reason says that it is lost and not yet counted.
"""

import os
import stat

from ..clock import new_id, now
from ..paths import environ
from . import SEGMENT
from .losses import settle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

BYTES = 8 << 20  # that may wait, of one product, when OTEL_BRIDGE_SPOOL_BYTES does not say
DAYS = 30  # that they may wait, when OTEL_BRIDGE_SPOOL_DAYS does not say
LOST = ("spool_full", "too_old")


def seal(spool: str, signal: str) -> None:
    """Take the file that is appended to out of the way of the writers; the caller holds its lock. Raises OSError."""
    number = max((number_of(name) for name in os.listdir(spool) if name.startswith(signal + ".")), default=0) + 1
    os.rename(f"{spool}/{signal}.jsonl", f"{spool}/{signal}.{number:06d}.{new_id(4)}.sealed")


def number_of(name: str) -> int:
    """The number of a segment by its file's name; 0 for any other file."""
    parts = name.split(".")
    return int(parts[1]) if len(parts) == 4 and parts[1].isdecimal() else 0


def made_room(folder: str, signal: str, size: int) -> bool:
    """Whether a file that would have `size` bytes was full, and is out of the way; the caller holds its lock. Raises OSError."""
    room = min(SEGMENT, most() >> 3)
    if size <= room:
        return False
    seal(folder + "/spool", signal)
    bound(folder, room)
    return True


def bound(folder: str, room: int = 0) -> None:
    """Drop the oldest segments that wait until a product has its bytes and `room` more, and those too old. Never raises."""
    held = sorted(_held(folder + "/spool"))
    total, oldest = sum(size for _, _, _, size in held) + room, now() / 1e9 - days() * 86400
    for changed, _, name, size in held:
        state = name.rpartition(".")[2]
        try:
            if state in LOST:
                count(folder, name)
            elif state == "sealed" and (changed < oldest or total > most()):
                drop(folder, name, "too_old" if changed < oldest else "spool_full")
                total -= size
        except OSError:  # a sender has it, or another run that had the same thought
            continue


def _held(spool: str) -> "Iterator[tuple[float, int, str, int]]":
    """The files of a spool: when they were written, their number, name and bytes."""
    try:
        names = os.listdir(spool)
    except OSError:  # there is none, or `off` is at work
        return
    for name in names:
        try:
            found = os.stat(f"{spool}/{name}")
        except OSError:  # taken away meanwhile
            continue
        if stat.S_ISREG(found.st_mode):
            yield found.st_mtime, number_of(name), name, found.st_size


def drop(folder: str, name: str, reason: str) -> None:
    """Drop one segment for one of the reasons `LOST`. Raises FileNotFoundError when somebody else has it, OSError."""
    gone = f"{name.rpartition('.')[0]}.{reason}"
    os.rename(f"{folder}/spool/{name}", f"{folder}/spool/{gone}")
    count(folder, gone)


def count(folder: str, name: str) -> None:
    """Count a segment that was dropped, once however often this is begun, and delete it. Raises OSError."""
    stem, _, reason = name.rpartition(".")
    path = f"{folder}/spool/{name}"
    with open(path, "rb") as file:
        lines = sum(1 for _ in file)
    if settle(folder, {reason: lines}, stem.rpartition(".")[2]):  # else it is found again by its name
        os.unlink(path)


def most() -> int:
    """Bytes that may wait."""
    said = environ.get(b"OTEL_BRIDGE_SPOOL_BYTES", b"")
    return int(said) if said.isdigit() else BYTES


def days() -> int:
    """Days that they may wait."""
    said = environ.get(b"OTEL_BRIDGE_SPOOL_DAYS", b"")
    return int(said) if said.isdigit() else DAYS
