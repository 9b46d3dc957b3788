"""What a product says, resolved: each event, the span and the resource with their attributes and policies."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from .product import Product

RUN, RATE = "cli.run", "otel_bridge.sample_rate"  # the run's own span, and what an event that is not always told carries
Value = str | int | float | tuple[str, ...] | tuple[int, ...] | tuple[float, ...]
Spec = tuple[str, str, str, tuple[Value, ...], int]


def joined(names: Iterable[object]) -> str:
    """Names as they are compiled in: one string, each between two newlines."""
    return "\n".join(("", *map(str, names), ""))


@dataclass(frozen=True)
class Field:
    """One attribute in one place: `parameters` in the order of the policy's row, `expires` a Unix second or 0.

    `cardinality` is how many distinct values its author expects, 0 where nobody said.
    """

    key: str
    type: str
    policy: str
    parameters: tuple[Value, ...]
    brief: str
    purpose: str
    category: str
    owner: str
    expires: int = 0
    cardinality: int = 0
    examples: tuple[object, ...] = ()

    @property
    def spec(self) -> Spec:
        """The form in which the hot path reads it: names as one string, each between two newlines."""
        named = self.policy != "bucket"
        parameters = tuple(joined(one) if isinstance(one, tuple) and named else one for one in self.parameters)
        return (self.key, self.type, self.policy, parameters, self.expires)


@dataclass(frozen=True)
class Event:
    """A declared event and its attributes: its sample rate where it has one, then those that others require first.

    `command` are the paths of the commands at whose end it is recorded by itself, "" for a run without a sub-command.
    """

    name: str
    brief: str
    category: str
    fields: tuple[Field, ...]
    sample_rate: float = 1.0
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Span:
    """A span that a long-lived program declares: told are spans of this name, or of this kind from this instrumentation scope."""

    name: str
    kind: str
    scope: str
    brief: str
    category: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Registry:
    """A product's whole declaration; `span` is the run's, `common` is what every event carries besides its own attributes."""

    product: Product
    resource: tuple[Field, ...]
    span: tuple[Field, ...]
    common: tuple[Field, ...]
    events: tuple[Event, ...]
    spans: tuple[Span, ...] = ()
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)  # of the registries that are lists of names
    digests: dict[str, bytes] = field(default_factory=dict)  # of those that are digests already
