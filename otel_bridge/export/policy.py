"""Build what may leave of a program that runs the OTel SDK: an event or a span made anew from its declaration, or nothing.

The same policies as on a run's way to the disk, on the same compiled registry. What nobody declares is constant or gone: body,
severity, description of a status, span events, links, trace state, scope attributes, exceptions. Trace and span ids are hashed
with a key of this process, for whoever chose them may have put something in; records still belong together.
"""

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..clock import elapsed, floored, new_uuid, now, two_digits
from ..consent import ON, decide
from ..consent.agreed import RATE, RUN
from ..consent.identity import secret_of
from ..errors import DeliveryError, swallow
from ..paths import mine, rewrite, state_dir
from ..privacy import beside, clean, version
from ..record import WRITER
from ..record.sample import drawn
from ..schema.compile import Compiled, read
from .prepare import Ready, allowed, since
from .writer import declaration

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadableLogRecord, ReadWriteLogRecord
    from opentelemetry.sdk.trace import ReadableSpan

    from ..privacy import Spec

OPT_OUT = "otel_bridge.opt_out"
ASK_EVERY = 5_000_000_000  # nanoseconds for which an answer of `decide` holds
_KEY = os.urandom(32)  # for the ids of this process, whichever provider they come from


class Policy:
    """What one product may tell, and whether it may at all; shared by its processors and exporters, of any thread.

    `declared` is the product's compiled registry, None where none was found: then nothing is told.
    """

    def __init__(self, declared: Compiled | None) -> None:
        self.declared = declared
        self._sequence = count(1)
        self._seen: dict[str, set[str]] = {}
        self._allowed: Compiled | None = None
        self._until = self._since = 0
        if declared is not None:
            self._names = beside(declared.names, str(declared.file))

    @classmethod
    def of(cls, product: str) -> "Policy":
        """The policy of a product, or of the package that carries its `_telemetry.py`; never raises."""
        try:
            return cls(_declaration(product))
        except Exception as problem:  # whatever a product's own package does when it is looked for
            logging.getLogger(__name__).warning("nothing will be told of %s: %s", product or "a product without a name", problem)
            return cls(None)

    def still(self, made: Any) -> bool:
        """Whether what one of our processors made, and what has waited since, may leave now; never raises."""
        try:
            declared, log = self._may(), getattr(made, "log_record", None)
            if declared is None or made.resource.attributes["service.name"] != declared.product:
                return False
            if log is not None:
                specs, one, moment = declared.events.get(log.event_name), log, log.timestamp
            else:
                named = {RUN: declared.span, **{name: specs for name, (_, _, specs) in declared.spans.items()}}
                specs, one, moment = named.get(made.name), made, made.start_time
            if specs is None or moment < self._since:
                return False
            keys = {spec[0] for spec in (*specs, *declared.common)} | {"log.record.uid", RATE}
            return set(one.attributes) <= keys and set(made.resource.attributes) <= {spec[0] for spec in declared.resource}
        except Exception as problem:
            swallow(problem)
            return False

    def record(self, given: "ReadableLogRecord | ReadWriteLogRecord") -> Ready | None:
        """What may leave of a log record: a declared event, or None; never raises."""
        try:
            return self._record(given)
        except Exception as problem:
            swallow(problem)
            return None

    def span(self, given: "ReadableSpan") -> Ready | None:
        """What may leave of a span that has ended: a declared one, or None; never raises."""
        try:
            return self._span(given)
        except Exception as problem:
            swallow(problem)
            return None

    def _record(self, given: "ReadableLogRecord | ReadWriteLogRecord") -> Ready | None:
        declared, record = self._may(), given.log_record
        name = record.event_name
        if declared is None or type(name) is not str or self._refused(record.attributes, given):
            return None
        specs = declared.events.get(name)
        if specs is None:
            return None
        attributes = _mapping(record.attributes)
        if specs and specs[0][0] == RATE:
            rate = attributes[RATE] = specs[0][3][0][0]
            if not drawn(record.trace_id or _KEY.hex(), name, rate):
                return None
        moment = floored(_time(record.timestamp or record.observed_timestamp or now()), declared.resolution)
        kept = self._clean((*specs, *declared.common), {**attributes, "otel_bridge.sequence": next(self._sequence)})
        ids = record.trace_id or 0, record.span_id or 0
        return self._ready(declared, "logs", name, given, {**kept, "log.record.uid": new_uuid()}, ids, (moment, moment))

    def _span(self, given: "ReadableSpan") -> Ready | None:
        declared, context = self._may(), given.context
        found = self._declared_span(declared, given) if declared is not None else None
        if declared is None or found is None or context is None or self._refused(given.attributes, given):
            return None
        name, kind, specs = found
        begun, ended = _time(given.start_time), _time(given.end_time)
        start = floored(begun, declared.resolution)
        kept = self._clean(specs, {**_mapping(given.attributes), "otel_bridge.sequence": next(self._sequence)})
        ids = context.trace_id, context.span_id
        ready = self._ready(declared, "traces", name, given, kept, ids, (start, start + two_digits(max(ended - begun, 0))))
        if ready is None:
            return None
        local = given.parent is not None and not given.parent.is_remote
        parent = self._hashed(given.parent.span_id, 8) if local and given.parent is not None else 0
        failed = given.status.status_code.name == "ERROR"
        return ready._replace(kind=kind, parent_id=parent, failed=failed)

    def _declared_span(self, declared: Compiled, given: "ReadableSpan") -> "tuple[str, str, tuple[Spec, ...]] | None":
        """The declared span that a span is: by its name, or by its kind and the instrumentation scope it comes from."""
        if given.name == RUN:
            return (RUN, "internal", declared.span) if declared.span is not None else None
        scope = given.instrumentation_scope.name if given.instrumentation_scope is not None else ""
        for name, (kind, wanted, specs) in declared.spans.items():
            if given.name == name or (wanted and wanted == scope and kind == given.kind.name.lower()):
                return name, kind, specs
        return None

    def _ready(
        self,
        declared: Compiled,
        signal: str,
        name: str,
        given: Any,
        attributes: dict[str, Any],
        ids: tuple[int, int],
        times: tuple[int, int],
    ) -> Ready | None:
        if times[0] < self._since:  # from before anybody agreed
            return None
        about = _mapping(given.resource.attributes)
        if about.get("service.name") != declared.product:  # it says the version of something else
            about["service.version"] = declared.version
        about["service.name"] = declared.product
        resource = self._clean(declared.resource, about)
        resource.setdefault("service.version", version(declared.version, (3, ""), ({}, False)) or "0")
        return Ready(
            signal=signal,
            name=name,
            resource=resource,
            version=__version__,
            attributes=attributes,
            trace_id=self._hashed(ids[0], 16),
            span_id=self._hashed(ids[1], 8),
            start=times[0],
            end=times[1],
            failed=False,
        )

    def _clean(self, specs: "Sequence[Spec]", given: Mapping[str, object]) -> dict[str, Any]:
        """What remains: no id of ours, for none is made here; no default, for the SDK does not know who set a value."""
        told = tuple(one for one in specs if one[2] != "identifier")
        return dict(clean(told, given, self._names, {one[0] for one in told}, self._seen)[0])

    def _hashed(self, number: int, size: int) -> int:
        """An id that leads back to nobody's; none stays none."""
        if not number:
            return 0
        return int.from_bytes(blake2b(number.to_bytes(size, "big"), key=_KEY, digest_size=size).digest(), "big")

    def _refused(self, attributes: object, given: Any) -> bool:
        """Whether anybody on the way has said no: on the record, its scope or its resource, with whatever value."""
        scope = given.instrumentation_scope
        everywhere: tuple[Any, ...] = (attributes, given.resource.attributes, scope and scope.attributes)
        return any(OPT_OUT in one for one in everywhere if one)

    def _may(self) -> Compiled | None:
        """The declaration as far as the person agrees to it now, None for nothing at all; asked anew every five seconds."""
        if self.declared is None:
            return None
        moment = elapsed()
        if moment >= self._until:
            decision = decide(self.declared.product)
            if decision.mode == ON and self._allowed is None:
                _settle(self.declared)
            self._since = since(decision, self.declared)
            self._allowed = allowed(self.declared, decision.refused) if decision.mode == ON else None
            self._until = moment + ASK_EVERY
        return self._allowed


def _settle(declared: Compiled) -> None:
    """Keep, once somebody agreed, what a recorder keeps: the secret of pseudonyms, and where `list` finds the declaration."""
    folder = state_dir(declared.product)
    try:
        if mine(folder):
            secret_of(folder)
            rewrite(folder + "/writer", WRITER % (sys.executable, declared.file, declared.digest))
    except (OSError, ValueError) as problem:
        swallow(problem)  # then pseudonyms are absent


def _declaration(product: str) -> Compiled:
    if not product:
        raise DeliveryError("no product is named; set OTEL_BRIDGE_PRODUCT, or write `product: NAME` beside the exporter")
    try:
        spec = find_spec(product)
    except (ImportError, ValueError):
        spec = None
    file = Path(spec.origin).parent / "_telemetry.py" if spec is not None and spec.origin else None
    return read(file) if file is not None and file.exists() else declaration(product)


def _mapping(attributes: object) -> dict[str, object]:
    return dict(attributes) if isinstance(attributes, Mapping) else {}


def _time(moment: object) -> int:
    if type(moment) is not int or not 0 < moment < 1 << 63:
        raise ValueError("not a Unix time in nanoseconds")
    return moment
