"""Ship what waits: claim, check, send, acknowledge, delete; whatever was not taken stays where it is."""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ..consent import ON, Decision, decide
from ..errors import BridgeError, DeliveryError
from ..paths import state_dir, write
from ..record.losses import lose
from ..record.unfinished import settle
from ..schema.compile import Compiled
from . import backoff, build, deletion, ledger, spool
from .otlp import Answer, send
from .prepare import Ready, prepare
from .writer import declaration, endpoint_of

BATCH = 100  # records a request: some 100 kB, while the collector takes 256 KiB
REFUSED = (400, 413)  # of a batch: one of its records may be why, so it is split
REFUSALS = 16  # requests refused with none taken: it is the server, not a record


@dataclass
class Result:
    """What a sender did: counts of records, `lost` by reason, and why it stopped (empty when it did not)."""

    sent: int = 0
    kept: int = 0
    quarantined: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    error: str = ""


def drain(product: str, patience: float = 30.0) -> Result:
    """Send everything of a product that waits on this machine; waits up to `patience` seconds for another sender to end.

    Tells by its result what became of it, and never raises for what a network, a server or a half-written file does.
    """
    result = Result()
    folder = Path(state_dir(product))
    decision = decide(product)
    try:
        if deletion.waits(folder):
            with spool.only_sender(folder, patience):
                deletion.deliver(product)
            decision = decide(product)
            if decision.mode != ON:
                return result
        if decision.mode != ON:
            raise DeliveryError(f"telemetry of {product} is {decision.mode}: {decision.reason}")
        with spool.only_sender(folder, patience):
            _drain(product, folder, decision, result)
    except (BridgeError, OSError) as problem:
        result.error = str(problem)
        result.kept = sum(map(len, spool.waiting(folder).values()))
    return result


def _drain(product: str, folder: Path, decision: Decision, result: Result) -> None:
    """All signals, one claimed file after the other, until one is not taken."""
    try:
        claimed = {signal: spool.claim(folder, signal) for signal in spool.SIGNALS}  # first: the next run signs its spool anew
        declared = declaration(product)
        renamed = build.renamed(declared)
        if renamed:
            _drop(product, folder, claimed, result)
            raise DeliveryError(f"{product} is {renamed}")
        endpoint = endpoint_of(declared)
        shipment = Shipment(folder, declared, decision, endpoint, result)
        for signal, files in claimed.items():
            for file in files:
                shipment.ship(file, signal)
        shipment.finish()
    except BridgeError as problem:
        backoff.remember(folder, str(problem), status=0)
        raise
    last = shipment.last
    backoff.remember(folder, result.error, last.status, last.retry_after, declared.digest)


def _drop(product: str, folder: Path, claimed: dict[str, list[Path]], result: Result) -> None:
    """Delete what a build recorded that never declared itself."""
    for signal, files in claimed.items():
        for file in files:
            number = len(spool.read(file, signal)[0])
            result.lost["renamed_build"] += number
            lose(str(folder), "renamed_build", number)
            file.unlink(missing_ok=True)


class Shipment:
    """One sender at work: what it sends where, the last answer it got, and whether any record was taken."""

    def __init__(self, folder: Path, declared: Compiled, decision: Decision, endpoint: str, result: Result) -> None:
        self.folder, self.declared, self.decision = folder, declared, decision
        self.endpoint, self.result = endpoint, result
        self.last = Answer(None, "")
        self.taken = self.refusals = 0
        self.refusal = ""
        self.suspects: list[tuple[Path, list[Ready]]] = []  # refused one by one, with the file they still stand in

    def ship(self, file: Path, signal: str) -> None:
        """Send one claimed file; each batch that a server took is noted and leaves the file at once."""
        items, torn = spool.read(file, signal)
        ready, lost = prepare(items, self.declared, self.decision)
        lost["torn"] = torn
        self._lose(lost)
        batches = [ready[begin : begin + BATCH] for begin in range(0, len(ready), BATCH)]
        suspects: list[Ready] = []
        if len(ready) < len(items) or torn or not ready:  # what may not leave is counted once
            spool.keep(file, [one.item for one in ready])
        while batches and not self.result.error:
            asked = decide(self.declared.product)
            if asked.mode != ON or asked.refused != self.decision.refused:  # nothing more leaves by the old choice
                raise DeliveryError(f"the choice for {self.declared.product} has changed")
            if self._next(signal, batches, suspects):
                spool.keep(file, [one.item for one in suspects] + [one.item for batch in batches for one in batch])
        self.result.kept += sum(map(len, batches))
        if suspects:
            self.suspects.append((file, suspects))

    def _next(self, signal: str, batches: list[list[Ready]], suspects: list[Ready]) -> bool:
        """Send the first batch; whether it was taken. If it was not it waits, or is split, down to a single suspect."""
        batch = batches[0]
        answer = self.last = send(signal, batch, self.endpoint)
        if answer.status in REFUSED and (self.taken or self.refusals < REFUSALS):
            self.refusals += 1
            self.refusal = answer.error
            half = len(batch) // 2
            batches[:1] = [batch[:half], batch[half:]] if half else []
            suspects += [] if half else batch
        elif answer.error:
            self.result.error = f"{self.endpoint}: {answer.error}"
        else:
            self._note(signal, answer)
            undeclared = sum(one.undeclared for one in batch)
            self._lose(Counter({"rejected": answer.rejected, "undeclared_attribute": undeclared}))
            self.result.sent += len(batch) - answer.rejected
            self.taken += len(batch)
            del batches[0]
            return True
        return False

    def _note(self, signal: str, answer: Answer) -> None:
        """Write into the ledger what a server took; if that fails the batch has left all the same."""
        try:
            ledger.note(self.folder, signal, self.endpoint, answer)
        except OSError:
            self._lose(Counter({"ledger": 1}))

    def finish(self) -> None:
        """Keep aside the records that a server refused while it took others; if it took none, it is the server: they stay."""
        for file, suspects in self.suspects:
            if not self.taken:
                self.result.kept += len(suspects)
                self.result.error = self.result.error or f"{self.endpoint}: {self.refusal}, to every record"
                continue
            refused = {one.item.line for one in suspects}
            aside = self.folder / "quarantine" / file.name.replace("claimed", "jsonl")
            write(str(aside), os.O_APPEND, "".join(line + "\n" for line in sorted(refused)))
            signal = file.name.partition(".")[0]
            spool.keep(file, [item for item in spool.read(file, signal)[0] if item.line not in refused])
            self._lose(Counter({"refused": len(suspects)}))
            self.result.quarantined += len(suspects)

    def _lose(self, lost: Counter[str]) -> None:
        for reason, number in lost.items():
            if number:
                self.result.lost[reason] += number
                lose(str(self.folder), reason, number)


def losses(product: str) -> Counter[str]:
    """Everything that was recorded or offered and did not arrive, by reason."""
    settle(state_dir(product))
    found: Counter[str] = Counter()
    path = Path(state_dir(product)) / "lost"
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            reason, equals, number = line.partition(" = ")
            if equals and number.isdigit():
                found[reason] += int(number)
    return found
