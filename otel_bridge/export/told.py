"""Tell the intake what was lost: an event `telemetry.dropped` for each reason, with how many since it was last told.

What an event says is written down with its uid before it leaves, so a sender that dies sends the same event again, and readers
count it once.
"""

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from ..clock import floored, new_uuid, now
from ..consent import Decision
from ..consent.identity import UUID
from ..privacy import among
from ..record import losses
from ..schema.compile import Compiled
from .prepare import Ready, allowed, alone

if TYPE_CHECKING:
    from .shipment import Shipment

NAME, REASON, COUNT = "telemetry.dropped", "otel_bridge.dropped.reason", "otel_bridge.dropped.count"
UNTOLD = ("before_consent", "opted_out")  # what the person did not want told is not told by its number either
MOST = 1_000_000_000  # as many as one event says


def tell(shipment: "Shipment") -> None:
    """Send what is owed; an intake that refuses or rejects it has been told all the same."""
    ready = owed(str(shipment.folder), shipment.declared, shipment.decision)
    if not ready:
        return
    answer = shipment.post("logs", ready)
    if answer.error and answer.status not in (400, 413):
        shipment.result.error = f"{shipment.endpoint}: {answer.error}"
        return
    if not answer.error:
        shipment.note("logs", ready, answer)
    uids = {one.attributes["log.record.uid"] for one in ready}
    losses.change(str(shipment.folder), lambda table: _told(table, uids))


def owed(folder: str, declared: Compiled, decision: Decision) -> list[Ready]:
    """The events that are owed, with a uid that stays theirs until they are taken. Raises OSError when it cannot be known."""
    specs = allowed(declared, decision.refused).events.get(NAME)
    if specs is None:
        return []
    if any(_owes(reason, row) for reason, row in losses.table(folder).rows.items()):
        losses.change(folder, _begin)
    rows = losses.table(folder).rows
    return [_event(declared, reason, row) for reason, row in sorted(rows.items()) if _known(specs, reason, row.uid)]


def _owes(reason: str, row: losses.Row) -> bool:
    return row.lost > row.told and not UUID.fullmatch(row.uid) and reason not in UNTOLD


def _begin(table: losses.Table) -> None:
    for reason, row in table.rows.items():
        if _owes(reason, row):
            row.telling, row.uid = min(row.lost - row.told, MOST), new_uuid()


def _told(table: losses.Table, uids: set[str]) -> None:
    for row in table.rows.values():
        if row.uid in uids:
            row.told, row.telling, row.uid = row.told + row.telling, 0, ""


def _known(specs: tuple[Any, ...], reason: str, uid: str) -> bool:
    """Whether these are words of ours: somebody may have edited the file."""
    reasons = next((parameters[0] for key, _, _, parameters, _ in specs if key == REASON), "")
    return among(reasons, reason) and UUID.fullmatch(uid) is not None


def _event(declared: Compiled, reason: str, row: losses.Row) -> Ready:
    at = floored(min(row.last * 1_000_000_000, now()), declared.resolution)  # somebody may have edited it, or set the clock back
    trace = blake2b(row.uid.encode(), digest_size=24).digest()
    attributes = {REASON: reason, COUNT: row.telling}
    return alone(declared, NAME, attributes, (row.uid, int.from_bytes(trace[:16], "big"), int.from_bytes(trace[16:], "big"), at))
