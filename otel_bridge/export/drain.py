"""Ship what waits: claim, check, send, acknowledge, delete; whatever was not taken stays where it is."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..consent import ON, Decision, decide
from ..errors import BridgeError, ChoiceChangedError, DeliveryError, SchemaError
from ..paths import mine, state_dir
from ..record import segments
from ..record.losses import Row, table
from ..record.unfinished import settle
from . import backoff, build, deletion, spool, told
from .otlp import Connection
from .shipment import Shipment
from .writer import declaration, endpoint_of, written


@dataclass
class Result:
    """What a sender did: counts of records, `lost` by reason, and why it stopped (empty when it did not)."""

    sent: int = 0
    kept: int = 0
    quarantined: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    error: str = ""


def drain(product: str, patience: float = 30.0, watch: "Callable[[Result], object] | None" = None) -> Result:
    """Send everything of a product that waits on this machine; waits up to `patience` seconds for another sender to end.

    `watch` is called after each request. Tells by its result what became of it, and never raises for what a network, a server or
    a half-written file does.
    """
    result = Result()
    folder = Path(state_dir(product))
    try:
        if deletion.waits(folder):
            with spool.only_sender(folder, patience):
                deletion.deliver(product)
            if decide(product).mode != ON:
                return result
        _agreed(product)
        with spool.only_sender(folder, patience):
            decision = _agreed(product)  # another sender may have been waited for
            settle(str(folder))
            segments.bound(str(folder))
            _drain(product, folder, decision, result, watch or (lambda result: None))
    except (BridgeError, OSError) as problem:
        result.error = result.error or str(problem)  # else a full disk, which keeps no reason, would hide the reason
    try:
        result.kept = sum(spool.count(folder).values()) if result.error else 0
    except OSError:  # what may not be read is not known either
        pass
    return result


def _agreed(product: str) -> Decision:
    """What the person has chosen, if that is to send. Raises DeliveryError."""
    decision = decide(product)
    if decision.mode != ON:
        raise DeliveryError(f"telemetry of {product} is {decision.mode}: {decision.reason}")
    return decision


def _drain(product: str, folder: Path, decision: Decision, result: Result, watch: "Callable[[Result], object]") -> None:
    """All signals, one segment after the other, until one is not taken."""
    try:
        declared = declaration(product)
        renamed = build.renamed(declared)
        if renamed:
            _drop(folder, result)
            raise DeliveryError(f"{product} is {renamed}")
        with Connection(endpoint_of(declared)) as connection:
            shipment = Shipment(folder, declared, decision, connection, result, watch)
            told.tell(shipment)
            for signal in spool.SIGNALS:
                while not result.error and (segment := spool.take(folder, signal, shipment.passed)):
                    if written(product).get("digest", declared.digest) != declared.digest:  # another version has run meanwhile
                        declared = declaration(product)
                        shipment.judge_by(declared)
                    shipment.ship(segment)
            shipment.finish()
    except ChoiceChangedError:  # the next sender asks by the new one, and need not wait
        raise
    except (BridgeError, OSError) as problem:
        if isinstance(problem, SchemaError):  # the next run signs its spool anew
            for signal in spool.SIGNALS:
                spool.seal_written(folder, signal)
        backoff.remember(folder, str(problem), status=0)
        raise
    last = shipment.last
    backoff.remember(folder, result.error, last.status, last.retry_after, declared.digest)


def _drop(folder: Path, result: Result) -> None:
    """Delete what a build recorded that never declared itself."""
    for signal in spool.SIGNALS:
        while segment := spool.take(folder, signal, set()):
            numbers = [number for number, _ in segment.items()]
            segment.settle(numbers, {"renamed_build": len(numbers)})
            result.lost["renamed_build"] += len(numbers)


def losses(product: str) -> dict[str, int]:
    """How much was recorded or offered and did not arrive, by reason. Raises OSError when it cannot be read."""
    return {reason: row.lost for reason, row in rows(product).items()}


def rows(product: str) -> dict[str, Row]:
    """The same with what the intake knows of it, and when it was lost last; what mode `local` has lost included."""
    folder = state_dir(product)
    if mine(folder):
        settle(folder)
    found = table(folder).rows
    for reason, row in table(folder + "/local").rows.items():
        one = found.setdefault(reason, Row())
        one.lost, one.last = one.lost + row.lost, max(one.last, row.last)
    return {reason: row for reason, row in sorted(found.items()) if row.lost}
