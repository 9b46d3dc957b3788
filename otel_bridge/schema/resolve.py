"""Join a registry with the built-in one: every ref gets its attribute's policy, narrowed by the ref's own annotations."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from operator import attrgetter
from types import MappingProxyType

from .groups import commands_of
from .marked import Document, Marked, listed, privacy_of, type_of
from .policies import DEFAULTS, POLICIES, PRECISION
from .product import Product
from .registry import RATE, RUN, Event, Field, Registry, Span, Value

COMMON = ("otel_bridge.sequence", "otel_bridge.command", "session.id")


def resolve(document: Document, builtin: Document, product: Product) -> Registry:
    """The whole declaration of a product; the document has passed the checks."""
    declared = _Attributes(document, builtin, product)
    span = declared.fields(
        [*_group(builtin.root, "spans", RUN), *_group(document.root, "spans", RUN)],
    )
    resource = declared.fields([*_entities(builtin.root), *_entities(document.root)])
    events = [declared.event(one) for root in (builtin.root, document.root) for one in listed(root, "events")]
    spans = [declared.span(one) for one in listed(document.root, "spans") if one["type"] != RUN]
    common = tuple(one for one in span if one.key in COMMON)
    by_name = attrgetter("name")
    return Registry(product, resource, span, common, tuple(sorted(events, key=by_name)), tuple(sorted(spans, key=by_name)))


def carried(document: Document, builtin: Document, product: Product) -> tuple[Field, ...]:
    """What goes with every record, of a document that may have mistakes elsewhere; raises KeyError and the like for one here."""
    return _Attributes(document, builtin, product).fields([*_entities(builtin.root), *_entities(document.root)])


def _entities(root: Marked) -> list[Marked]:
    places = ("identity", "description")
    return [reference for entity in listed(root, "entities") for place in places for reference in listed(entity, place)]


def _group(root: Marked, section: str, kind: str) -> list[Marked]:
    return [reference for one in listed(root, section) if one.get("type") == kind for reference in listed(one, "attributes")]


class _Attributes:
    def __init__(self, document: Document, builtin: Document, product: Product) -> None:
        self.builtin = {str(one["key"]): one for one in listed(builtin.root, "attributes")}
        self.own = {str(one["key"]): one for one in listed(document.root, "attributes")}
        self.run = {str(one.get("ref")): one for one in _group(document.root, "spans", RUN)}
        self.product = product.product
        self.filled = {"service.name": [product.product], "process.executable.name": list(product.scripts)}

    def event(self, one: Marked) -> Event:
        """An event with what its refs name; what every event carries anyway is not said twice.

        One that is recorded at the end of a command tells what the run tells: its refs are narrowed as those of the run are.
        """
        privacy = privacy_of(one) or Marked()
        command = tuple(map(str, commands_of(privacy)))
        references = [reference for reference in listed(one, "attributes") if reference["ref"] not in COMMON]
        fields = self.fields(references, self.run if command else {})
        rate = float(str(privacy.get("sample_rate", 1)))
        if rate < 1:
            field = self._field(RATE, Marked())
            fields = (replace(field, parameters=((rate,),)), *fields)
        return Event(str(one["name"]), str(one.get("brief", "")), str(privacy.get("category", "")), fields, rate, command)

    def span(self, one: Marked) -> Span:
        """A span of a long-lived program."""
        privacy = privacy_of(one) or Marked()
        return Span(
            name=str(one["type"]),
            kind=str(one.get("kind", "internal")),
            scope=str(privacy.get("scope", "")),
            brief=str(one.get("brief", "")),
            category=str(privacy.get("category", "")),
            fields=self.fields(listed(one, "attributes")),
        )

    def fields(self, references: list[Marked], narrowed: Mapping[str, Marked] = MappingProxyType({})) -> tuple[Field, ...]:
        """The attributes that refs name, the last ref to a key winning; those that another requires come first.

        `narrowed` are refs that hold where these say nothing else.
        """
        last = {str(one["ref"]): one for one in references}
        fields = [self._field(key, one, narrowed.get(key)) for key, one in sorted(last.items())]
        return tuple(sorted(fields, key=lambda one: one.policy == "version" and bool(one.parameters[1])))

    def _field(self, key: str, reference: Marked, narrowed: Marked | None = None) -> Field:
        own, builtin = self.own.get(key), self.builtin.get(key)
        declared = builtin if builtin is not None else own
        assert declared is not None
        privacy: dict[str, object] = {}
        for one in (builtin, own, narrowed, reference):
            if one is not None:
                privacy.update(privacy_of(one) or {})
        kind, members = type_of(declared)
        if members:
            privacy.setdefault("values", list(members))
        if key in self.filled:
            privacy["values"] = self.filled[key]
        policy = str(privacy["policy"])
        given = {**DEFAULTS.get(policy, {}), **privacy, "product": self.product}
        parameters = tuple(_parameter(name, given[name], kind) for name in POLICIES[policy].parameters)
        purpose, category, owner = [str(privacy.get(name, "")) for name in ("purpose", "category", "owner")]
        about = (str(declared.get("brief", "")), purpose, category, owner)
        numbers = (_seconds(privacy.get("expires")), int(str(privacy.get("cardinality", 0))))
        examples = declared.get("examples")
        return Field(key, kind, policy, parameters, *about, *numbers, tuple(examples) if isinstance(examples, list) else ())


def _parameter(name: str, value: object, kind: str) -> Value:
    if name in ("values", "distributions"):
        assert isinstance(value, list)
        return tuple(sorted({str(one) for one in value}))
    if name == "bounds":
        assert isinstance(value, list)
        numbers = sorted(set(value))
        return tuple(float(one) for one in numbers) if kind == "double" else tuple(int(one) for one in numbers)
    if name == "precision":
        return PRECISION[str(value)]
    if name == "max":
        return int(str(value))
    return str(value)


def _seconds(expires: object) -> int:
    """The Unix second at which a date begins (UTC), or 0 for none."""
    if not expires:
        return 0
    day = expires if isinstance(expires, date) else date.fromisoformat(str(expires))
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
