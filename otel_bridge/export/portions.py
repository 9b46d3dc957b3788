"""Fill requests with what may leave of a file, in its order: the sender and `preview` make the same ones."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .documents import Item
from .prepare import Check, Ready

RECORDS = 250  # a request
BYTES = 180_000  # of lines in the spool a request: its body is smaller, and the collector takes 256 KiB


@dataclass
class Portion:
    """What goes into one request, with the numbers of its items in their file, and what stays out of it and why."""

    batch: list[tuple[int, Ready]] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    size: int = 0
    last: Item | None = None

    def add(self, number: int, ready: Ready, item: Item) -> None:
        """Put a record into the request; its resource counts once among those that follow each other."""
        self.batch.append((number, ready))
        again = self.last is not None and self.last.resource is item.resource
        self.size += len(item.line) - (item.head if again else 0)
        self.last = item

    def full(self) -> bool:
        """Whether it is enough for a request."""
        return len(self.batch) == RECORDS or self.size > BYTES or len(self.gone) == RECORDS


def portions(items: Iterable[tuple[int, Item | None]], check: Check) -> Iterator[Portion]:
    """The requests that a file makes."""
    one = Portion()
    for number, item in items:
        found = check.one(item) if item is not None else "torn"
        if item is None or isinstance(found, str):
            one.gone.append(number)
            one.lost[str(found)] += 1
        else:
            one.add(number, found, item)
        if one.full():
            yield one
            one = Portion()
    if one.batch or one.gone:
        yield one


class Ahead:
    """The same requests, each made when there is time for it: at the latest when it is asked for."""

    def __init__(self, found: Iterator[Portion]) -> None:
        self.found = found
        self.made: list[Portion | Exception | None] = []  # one at most

    def make(self) -> None:
        """Make the next one, as while the one before waits for its answer; what goes wrong is raised to whoever asks for it."""
        if not self.made:
            try:
                self.made.append(next(self.found, None))
            except Exception as problem:
                self.made.append(problem)

    def __iter__(self) -> Iterator[Portion]:
        while True:
            self.make()
            one = self.made.pop()
            if isinstance(one, Exception):
                raise one
            if one is None:
                return
            yield one
