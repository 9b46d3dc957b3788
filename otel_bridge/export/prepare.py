"""Let through what is still declared and still agreed to: the second of the three privacy checks, shared with `preview`."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..clock import floored, new_id, new_uuid, now
from ..consent import Decision
from ..consent.agreed import RATE, RUN, agreed
from ..consent.identity import UUID
from ..privacy import beside, version
from ..privacy.form import VERSION, formed
from ..schema.compile import Compiled
from .spool import Item

if TYPE_CHECKING:
    from ..privacy import Names

RARE = (RATE, "double", "bucket", ((),), 0)  # of an event that was drawn by an earlier declaration, too
_NOWHERE = Item("", {}, {}, {}, "")
_TRACE, _SPAN = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Ready:
    """One record or span that may leave: only what its declaration has; times are Unix nanoseconds."""

    signal: str
    name: str
    resource: dict[str, Any]
    version: str
    attributes: dict[str, Any]
    trace_id: int
    span_id: int
    start: int
    end: int
    failed: bool
    undeclared: int = 0  # attributes that did not come through
    item: Item = _NOWHERE  # as it stood in the spool, where it did
    kind: str = "internal"
    parent_id: int = 0


def prepare(items: list[Item], declared: Compiled, decision: Decision) -> tuple[list[Ready], Counter[str]]:
    """The items that may leave, and how many may not, by reason."""
    names = beside(declared.names, str(declared.file))
    allowed_now = allowed(declared, decision.refused)
    begun = since(decision, declared)
    ready = []
    lost: Counter[str] = Counter()
    for item in items:
        try:
            one = _ready(item, declared, allowed_now, names)
        except (KeyError, TypeError, ValueError, AttributeError):
            lost["malformed"] += 1
            continue
        if one is None:
            lost["opted_out" if _name(item) in (*declared.events, RUN, *declared.spans) else "undeclared_event"] += 1
        elif one.start < begun:
            lost["before_consent"] += 1
        else:
            ready.append(one)
    return ready, lost


def since(decision: Decision, declared: Compiled) -> int:
    """The Unix time, in nanoseconds and as coarse as records are, from which the person agreed."""
    return floored(int(datetime.fromisoformat(decision.since).timestamp()) * 10**9, declared.resolution) if decision.since else 0


def allowed(declared: Compiled, refused: str) -> Compiled:
    """A declaration without what the person refuses, whenever it was recorded."""
    if not refused:
        return declared
    fields = {name: getattr(declared, name.lower()) for name in ("ABOUT", "RESOURCE", "SPAN", "COMMON", "EVENTS", "SPANS")}
    return replace(declared, **{name.lower(): kept for name, kept in agreed(fields, refused, None).items()})


def _name(item: Item) -> str:
    return str(item.body["eventName"] if item.signal == "logs" else item.body["name"])


def alone(declared: Compiled, name: str, attributes: dict[str, Any]) -> Ready:
    """An event that belongs to no run: what a command of ours says of its own accord."""
    uid, moment = new_uuid(), floored(now(), declared.resolution)
    product_version = version(declared.version, (3, ""), ({}, False)) or "0"  # no collector takes a record without one
    return Ready(
        signal="logs",
        name=name,
        resource={"service.name": declared.product, "service.version": product_version},
        version="",
        attributes={**attributes, "log.record.uid": uid},
        trace_id=int(new_id(16), 16),
        span_id=int(new_id(8), 16),
        start=moment,
        end=moment,
        failed=False,
    )


def _ready(item: Item, declared: Compiled, allowed: Compiled, names: "Names") -> Ready | None:
    """A record that may leave; None when it is not declared, or refused. Raises ValueError and the like for what is no record."""
    body = item.body
    log = item.signal == "logs"
    name = _name(item)
    agreed = _specs(allowed, log, name)
    if agreed is None:
        return None
    given = plain(body.get("attributes", []))
    uid = {"log.record.uid": given.pop("log.record.uid")} if log else {}
    if log and not UUID.fullmatch(uid["log.record.uid"]):
        raise ValueError(uid)
    kept, undeclared = formed(_specs(declared, log, name) or (), given, names)
    resource, undeclared_there = formed(declared.resource, plain(item.resource.get("attributes", [])), names)
    for key, needed in (("service.name", declared.product), ("service.version", "0")):  # no collector takes it without
        resource.setdefault(key, needed)
    if allowed is not declared:
        agreed_to = {one[0] for one in agreed}
        kept = {key: value for key, value in kept.items() if key in agreed_to}
        resource = {key: value for key, value in resource.items() if key in {one[0] for one in allowed.resource}}
    version = item.scope.get("version", "")
    return Ready(
        signal=item.signal,
        name=name,
        resource=resource,
        version=version if VERSION.fullmatch(version) else "",
        attributes={**kept, **uid},
        trace_id=int(_matched(_TRACE, body["traceId"]), 16),
        span_id=int(_matched(_SPAN, body["spanId"]), 16),
        start=_time(body["timeUnixNano" if log else "startTimeUnixNano"]),
        end=_time(body["observedTimeUnixNano" if log else "endTimeUnixNano"]),
        failed=not log and body.get("status", {}).get("code") == 2,
        undeclared=undeclared + undeclared_there,
        item=item,
        kind="internal" if log or name == RUN else declared.spans[name][0],
        parent_id=int(_matched(_SPAN, body["parentSpanId"]), 16) if body.get("parentSpanId") else 0,
    )


def _specs(declared: Compiled, log: bool, name: str) -> tuple[Any, ...] | None:
    """The attributes that an event, a run or a step of one may have; None when there is none of this name."""
    if not log and name == RUN:
        return declared.span
    found = declared.events.get(name) if log else declared.spans.get(name, (None, None, None))[2]
    return None if found is None else (*found, *declared.common, RARE)


def plain(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    """A JSON list of OTLP attributes as a dict; raises ValueError for a value that is neither scalar nor a list of them."""
    return {one["key"]: _value(one["value"]) for one in attributes}


def _value(value: dict[str, Any]) -> Any:
    ((kind, found),) = value.items()
    if kind == "intValue":
        return int(found)
    if kind == "doubleValue":
        return float(found)
    if kind == "arrayValue":
        return [_value(member) for member in found.get("values", [])]
    if kind in ("stringValue", "boolValue"):
        return found
    raise ValueError(kind)


def _matched(form: re.Pattern[str], text: str) -> str:
    if not form.fullmatch(text):
        raise ValueError(text)
    return text


def _time(text: str) -> int:
    moment = int(text)
    if not 0 < moment < 1 << 63:
        raise ValueError(text)
    return moment
