"""Ask whether events arrive: send one through endpoint and collector, and look for it in the sink's file."""

import time
from pathlib import Path

from ..errors import DeliveryError
from ..export import spool
from ..export.otlp import send
from ..export.prepare import alone
from ..schema.compile import Compiled


def sing(declared: Compiled, endpoint: str) -> str:
    """Send one `canary` event of a product; returns its uid. Raises DeliveryError when the server does not take it."""
    ready = alone(declared, "canary", {})
    answer = send("logs", [ready], endpoint)
    if answer.error or answer.rejected:
        raise DeliveryError(f"{endpoint}: {answer.error or 'the server rejected the record'}")
    return str(ready.attributes["log.record.uid"])


def seen(uid: str, file: Path, timeout: float) -> bool:
    """Whether the record of a uid stands in a file of the collector within `timeout` seconds."""
    until = time.monotonic() + timeout
    while True:
        items, _ = spool.read(file, "logs")
        if any(uid in item.line for item in items):
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(0.1)
