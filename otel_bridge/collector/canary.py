"""Ask whether events arrive: send one through endpoint and collector, and look for it in the sink's file."""

import time
from pathlib import Path

from ..clock import floored, new_id, new_uuid, now
from ..errors import DeliveryError
from ..export import spool
from ..export.otlp import send
from ..export.prepare import Ready
from ..schema.compile import Compiled


def sing(declared: Compiled, endpoint: str) -> str:
    """Send one `canary` event of a product; returns its uid. Raises DeliveryError when the server does not take it."""
    uid, moment = new_uuid(), floored(now(), declared.resolution)
    resource = {"service.name": declared.product, "service.version": declared.version}
    ids = {"trace_id": int(new_id(16), 16), "span_id": int(new_id(8), 16)}
    times = {"start": moment, "end": moment}
    nothing = spool.Item("logs", {}, {}, {}, "")
    ready = Ready("logs", "canary", resource, "", {"log.record.uid": uid}, **ids, **times, failed=False, undeclared=0, item=nothing)
    answer = send("logs", [ready], endpoint)
    if answer.error or answer.rejected:
        raise DeliveryError(f"{endpoint}: {answer.error or 'the server rejected the record'}")
    return uid


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
