"""One claimed file of the spool, and how far a sender has come with it."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from ..record import losses
from .documents import LONGEST, Item, Reader


@dataclass
class Segment:
    """A claimed file and how far a sender has come with it.

    The file itself never changes. Beside it stands `*.progress`: a line for each step, with the numbers of the items that are dealt
    with, and what was lost of them. A step's losses are counted after its line is written, and once more, in vain, by whoever finds
    it as the last line: so a sender may die anywhere, and each item is sent or counted.
    """

    folder: Path
    path: Path
    signal: str
    settled: set[int] = field(default_factory=set)
    open: set[int] = field(default_factory=set)  # items handed out and not settled
    whole: bool = False  # read to its end

    @property
    def progress(self) -> Path:
        """The file beside it."""
        return self.path.with_suffix(".progress")

    def recall(self) -> "Segment":
        """Take up what an earlier sender has left."""
        steps = _steps(self.progress)
        self.settled = settled(self.progress)
        if steps:
            losses.settle(str(self.folder), _counts(steps[-1]), self._token(steps[-1]))
        return self

    def items(self) -> Iterator[tuple[int, Item | None]]:
        """The items that are not settled, with their numbers."""
        for at, item in enumerate(Reader(self.signal).read(self.path)):
            if at not in self.settled:
                self.open.add(at)
                yield at, item
        self.whole = True

    def settle(self, numbers: Iterable[int], lost: Mapping[str, int]) -> None:
        """Note that these are dealt with, and count what was lost of them; deletes the file when it was the rest of it."""
        done = set(numbers)
        self.settled |= done
        self.open -= done
        step = _ranges(done) + "".join(f" {reason}={number}" for reason, number in sorted(lost.items()) if number)
        if step:
            try:
                self._note(f";{step}\n".encode())  # what stands before a semicolon was not written to its end
            except OSError:  # a full disk: this sender knows, and the next sends some of it again
                pass
            losses.settle(str(self.folder), lost, self._token(step))
        self.finish()

    def _note(self, step: bytes) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        fd = os.open(self.progress, flags, 0o600)
        try:
            os.write(fd, step)
        finally:
            os.close(fd)

    def finish(self) -> None:
        """Delete the file when everything in it is dealt with."""
        if self.whole and not self.open:
            self.path.unlink(missing_ok=True)
            self.progress.unlink(missing_ok=True)

    def _token(self, step: str) -> str:
        """The same for the same step of the same segment, whoever takes it."""
        return f"{self.path.name.split('.')[-2]}.{blake2b(step.encode(), digest_size=4).hexdigest()}"


def settled(progress: Path) -> set[int]:
    """The numbers of the items that are dealt with, by the file that stands beside a segment."""
    return set().union(*(_set(step.partition(" ")[0]) for step in _steps(progress)))


def _steps(progress: Path) -> list[str]:
    if not progress.is_file():
        return []
    try:
        text = progress.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line.rpartition(";")[2] for line in text.split("\n")[:-1] if ";" in line]


def _ranges(numbers: set[int]) -> str:
    """Numbers as text, `0-99,101`."""
    found: list[list[int]] = []
    for one in sorted(numbers):
        if found and one == found[-1][1] + 1:
            found[-1][1] = one
        else:
            found.append([one, one])
    return ",".join(f"{first}-{last}" if last > first else str(first) for first, last in found)


def _set(text: str) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin, end = whole(first), whole(last or first)
        if begin is not None and end is not None and end - begin < LONGEST:
            found.update(range(begin, end + 1))
    return found


def _counts(text: str) -> Counter[str]:
    pairs = (part.partition("=") for part in text.split())
    return Counter({reason: number for reason, _, told in pairs if (number := whole(told)) is not None})


def whole(text: str) -> int | None:
    """A number that we may have written; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
