"""One sender at work: fill requests with what may leave, send them, and find out which record a server refuses."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..consent import ON, Decision, decide
from ..errors import ChoiceChangedError
from ..schema.compile import Compiled
from . import ledger, otlp_json, quarantine
from .otlp import Answer, Connection
from .portions import RECORDS, Ahead, portions
from .prepare import Check, Ready
from .segment import Segment

if TYPE_CHECKING:
    from .drain import Result

REFUSED = (400, 413)  # of a batch: one of its records may be why, so it is split
REFUSALS = 16  # requests refused with none taken: it is the server, not a record


@dataclass(frozen=True)
class Suspect:
    """A record that was refused alone."""

    segment: Segment
    number: int
    ready: Ready
    answer: Answer


class Shipment:
    """What one sender sends where, the last answer it got, and whether any record was taken."""

    def __init__(
        self,
        folder: Path,
        declared: Compiled,
        decision: Decision,
        connection: Connection,
        result: "Result",
        watch: "Callable[[Result], object]",
    ) -> None:
        self.folder, self.decision, self.connection, self.result, self.watch = folder, decision, connection, result, watch
        self.endpoint = connection.endpoint
        self.last = Answer(None, "")
        self.most = RECORDS  # a request, until a server finds that too many
        self.passed: set[Path] = set()  # segments that this sender has been through
        self.taken: Counter[str] = Counter()  # by signal
        self.refusals: Counter[str] = Counter()
        self.suspects: list[Suspect] = []
        self.meanwhile: Callable[[], object] | None = None  # what there is to do while a server thinks
        self.judge_by(declared)

    def judge_by(self, declared: Compiled) -> None:
        """Ask from now on by this declaration."""
        self.declared, self.check = declared, Check(declared, self.decision)

    def ship(self, segment: Segment) -> None:
        """Send one segment; what may not leave is counted, and each batch that a server took is noted at once."""
        self.passed.add(segment.path)
        found = Ahead(portions(segment.items(), self.check))
        self.meanwhile = found.make
        for portion in found:
            self._settle(segment, portion.gone, portion.lost)
            for begin in range(0, len(portion.batch), step := self.most):
                self._send(segment, portion.batch[begin : begin + step])
            if self.result.error:
                return
        segment.finish()

    def _settle(self, segment: Segment, numbers: list[int], lost: Counter[str]) -> None:
        if numbers:
            segment.settle(numbers, lost)
            self.result.lost += lost

    def _send(self, segment: Segment, batch: list[tuple[int, Ready]]) -> None:
        """Send a batch; one that is refused is split, down to a single suspect."""
        if not batch or self.result.error:
            return
        signal, records = segment.signal, [ready for _, ready in batch]
        answer = self.post(signal, records)
        if answer.status in REFUSED and (self.taken[signal] or self.refusals[signal] < REFUSALS):
            self.refusals[signal] += 1
            half = len(batch) // 2
            if half:
                taken = self.taken[signal]
                self._send(segment, batch[:half])
                self._send(segment, batch[half:])
                if self.taken[signal] == taken + len(batch):  # the records were good, there were too many of them
                    self.most = min(self.most, half)
            else:
                self.suspects.append(Suspect(segment, *batch[0], answer))
                self._blame(signal)
        elif answer.error:
            self.result.error = f"{self.endpoint}: {answer.error}"
        else:
            lost = self.note(signal, records, answer)
            self._settle(segment, [number for number, _ in batch], lost)
            self.result.sent += len(batch) - answer.rejected
            self.taken[signal] += len(batch)
            self._blame(signal)
        self.watch(self.result)

    def post(self, signal: str, records: list[Ready]) -> Answer:
        """Make one request, unless the person has chosen otherwise meanwhile. Raises ChoiceChangedError."""
        asked = decide(self.declared.product)
        if asked.mode != ON or asked.refused != self.decision.refused:  # nothing more leaves by the old choice
            raise ChoiceChangedError(f"the choice for {self.declared.product} has changed")
        self.last = self.connection.send(signal, records, self.meanwhile)
        return self.last

    def note(self, signal: str, records: list[Ready], answer: Answer) -> Counter[str]:
        """Write into the ledger what a server took; returns what was lost of it. If that fails the batch has left all the same."""
        lost = Counter({"rejected": answer.rejected, "undeclared_attribute": sum(one.undeclared for one in records)})
        try:
            body = answer.body if answer.body[:1] == b"{" else otlp_json.body(signal, records)  # what has left as JSON is that
            ledger.note(self.folder, self.endpoint, answer, body)
        except OSError:
            lost["ledger"] = 1
        return +lost

    def _blame(self, signal: str) -> None:
        """Keep aside the records that were refused alone, once the server has taken others of their signal."""
        if not self.taken[signal]:
            return
        mine = [one for one in self.suspects if one.segment.signal == signal]
        self.suspects = [one for one in self.suspects if one.segment.signal != signal]
        for one in mine:
            quarantine.keep(self.folder, signal, self.endpoint, one.answer, one.ready)
            self._settle(one.segment, [one.number], Counter({"refused": 1}))
            self.result.quarantined += 1

    def finish(self) -> None:
        """A server that took no record of a signal is itself the reason, not a record: they stay."""
        if self.suspects:
            refusal = self.suspects[0].answer
            self.result.error = self.result.error or f"{self.endpoint}: {refusal.error}, to every record"
            self.last = refusal
