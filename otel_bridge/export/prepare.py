"""Let through what is still declared and still agreed to: the second of the three privacy checks, shared with `preview`."""

import re
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from ..clock import floored, new_id, new_uuid, now
from ..consent import Decision
from ..consent.agreed import RATE, RUN, agreed
from ..consent.identity import UUID
from ..privacy import beside, version
from ..privacy.form import VERSION, formed
from ..record.segments import days
from ..schema.compile import Compiled
from .documents import Item

RARE = (RATE, "double", "bucket", ((),), 0)  # of an event that was drawn by an earlier declaration, too
ENOUGH = 256  # resources that are kept
DAY = 86_400_000_000_000  # nanoseconds
_TRACE, _SPAN = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{16}")


class Ready(NamedTuple):
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
    kind: str = "internal"
    parent_id: int = 0

    @property
    def about(self) -> tuple[tuple[str, Any], ...]:
        """The resource as something that can be compared: records that say the same stand together in a request."""
        return tuple((key, tuple(value) if type(value) is list else value) for key, value in self.resource.items())


class Check:
    """What may leave of a product by its declaration and the person's choice, asked of one item after the other."""

    def __init__(self, declared: Compiled, decision: Decision) -> None:
        """Asks by this declaration, and for this choice."""
        self.declared, self.allowed = declared, allowed(declared, decision.refused)
        self.names = beside(declared.names, str(declared.file))
        self.since = since(decision, declared)
        self.oldest = now() - days() * DAY
        self._known: set[Hashable] = set()
        self._specs: dict[tuple[bool, str], tuple[tuple[Any, ...] | None, tuple[Any, ...]]] = {}
        self._resources: dict[int, tuple[dict[str, Any], dict[str, Any], int]] = {}  # by the identity of what was parsed once

    def one(self, item: Item) -> "Ready | str":
        """The item as it may leave, or the reason why it may not."""
        try:
            ready = self._ready(item)
            if ready is None:
                known = _name(item) in (*self.declared.events, RUN, *self.declared.spans)
                return "opted_out" if known else "undeclared_event"
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
            return "malformed"
        if ready.start < self.since:
            return "before_consent"
        return "too_old" if ready.start < self.oldest else ready

    def _ready(self, item: Item) -> "Ready | None":
        """A record that may leave; None when it is not declared, or refused. Raises ValueError and the like for no record."""
        body, log = item.body, item.signal == "logs"
        name = _name(item)
        agreed, specs = self._declared(log, name)
        if agreed is None:
            return None
        given = plain(body.get("attributes", []))
        uid = {"log.record.uid": given.pop("log.record.uid")} if log else {}
        if log and not UUID.fullmatch(uid["log.record.uid"]):
            raise ValueError(uid)
        kept, undeclared = formed(specs, given, self.names, self._known)
        if self.allowed is not self.declared:
            keys = {one[0] for one in agreed}
            kept = {key: value for key, value in kept.items() if key in keys}
        if not log and not (body["traceId"] and body["spanId"]):
            raise ValueError("a span of no trace")
        resource, undeclared_there = self._resource(item.resource)
        version = item.scope.get("version", "")
        return Ready(
            signal=item.signal,
            name=name,
            resource=resource,
            version=version if VERSION.fullmatch(version) else "",
            attributes={**kept, **uid},
            trace_id=_id(_TRACE, body.get("traceId", "") if log else body["traceId"]),
            span_id=_id(_SPAN, body.get("spanId", "") if log else body["spanId"]),
            start=_time(body["timeUnixNano" if log else "startTimeUnixNano"]),
            end=_time(body["observedTimeUnixNano" if log else "endTimeUnixNano"]),
            failed=not log and body.get("status", {}).get("code") == 2,
            undeclared=undeclared + undeclared_there,
            kind="internal" if log or name == RUN else self.declared.spans[name][0],
            parent_id=_id(_SPAN, body.get("parentSpanId", "")),
        )

    def _declared(self, log: bool, name: str) -> tuple[tuple[Any, ...] | None, tuple[Any, ...]]:
        """The attributes that a name may have by the person's choice, None for none, and by the declaration."""
        found = self._specs.get((log, name))
        if found is None:
            found = _specs(self.allowed, log, name), _specs(self.declared, log, name) or ()
            if len(self._specs) < ENOUGH:  # the names in an edited spool have no bound
                self._specs[log, name] = found
        return found

    def _resource(self, given: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """The resource as it may leave; that of one run is the same object for all its records, here and in the answer."""
        held, kept, undeclared = self._resources.get(id(given), ({}, {}, 0))
        if held is not given or not kept:
            kept, undeclared = formed(self.declared.resource, plain(given.get("attributes", [])), self.names, self._known)
            for key, needed in (("service.name", self.declared.product), ("service.version", "0")):
                kept.setdefault(key, needed)  # no collector takes it without
            if self.allowed is not self.declared:
                keys = {one[0] for one in self.allowed.resource}
                kept = {key: value for key, value in kept.items() if key in keys}
            if len(self._resources) >= ENOUGH:
                self._resources.clear()
            self._resources[id(given)] = given, kept, undeclared  # held, so that no other object gets its identity
        return kept, undeclared


def prepare(items: Iterable[Item], declared: Compiled, decision: Decision) -> tuple[list[Ready], Counter[str]]:
    """The items that may leave, and how many may not, by reason."""
    check = Check(declared, decision)
    found = [check.one(item) for item in items]
    return [one for one in found if isinstance(one, Ready)], Counter(one for one in found if isinstance(one, str))


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


def alone(declared: Compiled, name: str, attributes: dict[str, Any], ids: "tuple[str, int, int, int] | None" = None) -> Ready:
    """An event that belongs to no run: what we say of our own accord; `ids` are its uid, trace, span and time in nanoseconds."""
    uid, trace, span, moment = ids or (new_uuid(), int(new_id(16), 16), int(new_id(8), 16), floored(now(), declared.resolution))
    product_version = version(declared.version, (3, ""), ({}, False)) or "0"  # no collector takes a record without one
    return Ready(
        signal="logs",
        name=name,
        resource={"service.name": declared.product, "service.version": product_version},
        version="",
        attributes={**attributes, "log.record.uid": uid},
        trace_id=trace,
        span_id=span,
        start=moment,
        end=moment,
        failed=False,
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


def _id(form: re.Pattern[str], text: str) -> int:
    """An id by its hexadecimal form; 0 for one that is not there, as of an event outside any span."""
    if text and not form.fullmatch(text):
        raise ValueError(text)
    return int(text or "0", 16)


def _time(text: str) -> int:
    moment = int(text)
    if not 0 < moment < 1 << 63:
        raise ValueError(text)
    return moment
