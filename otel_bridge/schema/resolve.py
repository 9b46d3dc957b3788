"""Join a registry with the built-in one: every ref gets its attribute's policy, narrowed by the ref's own annotations."""

from datetime import UTC, date, datetime

from .lint import listed, privacy_of, type_of
from .marked import Document, Marked
from .policies import DEFAULTS, POLICIES, PRECISION
from .product import Product
from .registry import Event, Field, Registry, Value

COMMON = ("otel_bridge.sequence", "otel_bridge.command", "session.id")


def resolve(document: Document, builtin: Document, product: Product, names: dict[str, tuple[str, ...]]) -> Registry:
    """The whole declaration of a product; the document has passed the checks."""
    declared = _Attributes(document, builtin, product)
    span = declared.fields(
        [*_group(builtin.root, "spans", "cli.run"), *_group(document.root, "spans", "cli.run")],
    )
    places = ("identity", "description")
    resource = declared.fields(
        [
            reference
            for root in (builtin.root, document.root)
            for entity in listed(root, "entities")
            for place in places
            for reference in listed(entity, place)
        ]
    )
    events = []
    for one in [*listed(builtin.root, "events"), *listed(document.root, "events")]:
        own = [reference for reference in listed(one, "attributes") if reference["ref"] not in COMMON]
        privacy = privacy_of(one)
        category = str(privacy.get("category", "")) if privacy is not None else ""
        events.append(Event(str(one["name"]), str(one.get("brief", "")), category, declared.fields(own)))
    common = tuple(one for one in span if one.key in COMMON)
    return Registry(product, resource, span, common, tuple(sorted(events, key=lambda event: event.name)), names)


def _group(root: Marked, section: str, kind: str) -> list[Marked]:
    return [reference for one in listed(root, section) if one.get("type") == kind for reference in listed(one, "attributes")]


class _Attributes:
    def __init__(self, document: Document, builtin: Document, product: Product) -> None:
        self.builtin = {str(one["key"]): one for one in listed(builtin.root, "attributes")}
        self.own = {str(one["key"]): one for one in listed(document.root, "attributes")}
        self.filled = {"service.name": [product.product], "process.executable.name": list(product.scripts)}

    def fields(self, references: list[Marked]) -> tuple[Field, ...]:
        """The attributes that refs name, the last ref to a key winning; those that another requires come first."""
        last = {str(one["ref"]): one for one in references}
        fields = [self._field(key, one) for key, one in sorted(last.items())]
        return tuple(sorted(fields, key=lambda one: one.policy == "version" and bool(one.parameters[1])))

    def _field(self, key: str, reference: Marked) -> Field:
        own, builtin = self.own.get(key), self.builtin.get(key)
        declared = builtin if builtin is not None else own
        assert declared is not None
        privacy: dict[str, object] = {}
        for one in (builtin, own, reference):
            if one is not None:
                privacy.update(privacy_of(one) or {})
        kind, members = type_of(declared)
        if members:
            privacy.setdefault("values", list(members))
        if key in self.filled:
            privacy["values"] = self.filled[key]
        policy = str(privacy["policy"])
        given = {**DEFAULTS.get(policy, {}), **privacy}
        parameters = tuple(_parameter(name, given[name], kind) for name in POLICIES[policy].parameters)
        purpose, category, owner = [str(privacy.get(name, "")) for name in ("purpose", "category", "owner")]
        expires = _seconds(privacy.get("expires"))
        return Field(key, kind, policy, parameters, str(declared.get("brief", "")), purpose, category, owner, expires)


def _parameter(name: str, value: object, kind: str) -> Value:
    if name == "values":
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
