"""Ship what waits: claim, check, send, acknowledge, delete; whatever was not taken stays where it is."""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ..clock import moment, now
from ..consent import ON, Decision, decide
from ..errors import BridgeError, DeliveryError
from ..paths import opened, read_flat, state_dir
from ..record import lose
from ..schema.compile import Compiled
from ..settings import setting
from . import ledger, spool
from .otlp import send
from .prepare import prepare
from .writer import declaration

BATCH = 100  # records a request: some 100 kB, while the collector takes 256 KiB


@dataclass
class Result:
    """What a sender did: counts of records, `lost` by reason, and why it stopped (empty when it did not)."""

    sent: int = 0
    kept: int = 0
    quarantined: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    error: str = ""


def drain(product: str) -> Result:
    """Send everything of a product that waits on this machine; tells by its result what became of it and never raises
    for what a network, a server or a half-written file does.
    """
    result = Result()
    folder = Path(state_dir(product))
    decision = decide(product)
    try:
        if decision.mode != ON:
            raise DeliveryError(f"telemetry of {product} is {decision.mode}: {decision.reason}")
        declared = declaration(product)
        endpoint = endpoint_of(declared)
        with spool.only_sender(folder):
            for signal in spool.SIGNALS:
                for file in spool.claim(folder, signal):
                    _ship(folder, file, signal, declared, decision, endpoint, result)
            _remember(folder, result)
    except BridgeError as problem:
        result.error = str(problem)
        result.kept = sum(map(len, spool.waiting(folder).values()))
    return result


def endpoint_of(declared: Compiled) -> str:
    """Where the telemetry of a product goes; raises DeliveryError when nothing says so."""
    endpoint = setting("endpoint") or declared.endpoint
    if not endpoint.startswith(("http://", "https://")):
        raise DeliveryError(f"`{endpoint}` is no endpoint; set OTEL_BRIDGE_ENDPOINT to a URL such as https://host:4318")
    return endpoint


def _ship(folder: Path, file: Path, signal: str, declared: Compiled, decision: Decision, endpoint: str, result: Result) -> None:
    """Send one claimed file batch by batch; each batch that a server took is noted and taken out of the file at once."""
    items, torn = spool.read(file, signal)
    ready, lost = prepare(items, declared, decision)
    lost["torn"] = torn
    _lose(folder, lost, result)
    while True:
        spool.keep(file, [one.item for one in ready])
        if not ready or result.error:
            break
        batch, rest = ready[:BATCH], ready[BATCH:]
        answer = send(signal, batch, endpoint)
        if answer.error:
            result.error = f"{endpoint}: {answer.error}"
            break
        ledger.note(folder, signal, endpoint, answer)
        undeclared = sum(one.undeclared for one in batch)
        _lose(folder, Counter({"rejected": answer.rejected, "undeclared_attribute": undeclared}), result)
        result.sent += len(batch) - answer.rejected
        ready = rest
    result.kept += len(ready)


def _lose(folder: Path, lost: Counter[str], result: Result) -> None:
    for reason, number in lost.items():
        if number:
            lose(str(folder), reason, number)
            result.lost[reason] += number


def _remember(folder: Path, result: Result) -> None:
    """Keep for `status` when a sender last ran and what stopped it."""
    fd = opened(str(folder / "drain"), os.O_WRONLY | os.O_TRUNC)
    try:
        os.write(fd, f"last = {moment(now())}\nerror = {result.error}\n".encode())
    finally:
        os.close(fd)


def remembered(product: str) -> dict[str, str]:
    """What the last sender left behind: `last` (RFC 3339) and `error`; empty before the first."""
    return read_flat(state_dir(product) + "/drain") or {}


def losses(product: str) -> Counter[str]:
    """Everything that was recorded or offered and did not arrive, by reason."""
    found: Counter[str] = Counter()
    path = Path(state_dir(product)) / "lost"
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            reason, equals, number = line.partition(" = ")
            if equals and number.isdigit():
                found[reason] += int(number)
    return found
