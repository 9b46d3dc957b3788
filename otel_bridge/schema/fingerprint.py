"""Count the bits by which a record could be told from others: log2 of the possible values of what goes with every record.

Ids are left out, for telling installations apart is what they are for; they are random and rotate.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import comb, log2

from .marked import Document, Mistake, listed
from .registry import Field

MOST = 12.0  # bits that a product may add to what every record carries
VERSIONS = 16  # distinct values of a version, where `cardinality` does not say
DAYS, WEEKS = 366, 53
MEMBERS = 16  # of a list
ANYTHING = 1 << 64


@dataclass(frozen=True)
class Fingerprint:
    """(key, bits) of what a product adds to every record, and of what is built in; the widest first."""

    added: tuple[tuple[str, float], ...]
    built_in: tuple[tuple[str, float], ...]

    def mistakes(self, document: Document) -> list[Mistake]:
        """One, on the line of the widest, when a product adds too much."""
        if total(self.added) <= MOST:
            return []
        key, bits = self.added[0]
        line = next(
            one.at("ref")
            for entity in listed(document.root, "entities")
            for place in ("identity", "description")
            for one in listed(entity, place)
            if str(one.get("ref")) == key
        )
        message = (
            f"what goes with every record tells {total(self.added)} bits, {total(self.built_in)} built-in ones beside; at most "
        )
        message += f"{MOST:g} may be added. The widest is `{key}` with {bits:.1f}: narrow it, or tell it with an event"
        return [Mistake(document.file, line, "fingerprint", message)]


def total(counted: Iterable[tuple[str, float]]) -> float:
    """A sum of bits, to a tenth."""
    return round(sum((bits for _, bits in counted), 0.0), 1)


def take(fields: Iterable[Field], sizes: Mapping[str, int], ours: Collection[str]) -> Fingerprint:
    """What these attributes tell; `sizes` is how many names each registry has, `ours` are the built-in keys."""
    counted = sorted(((one, bits(one, sizes)) for one in fields), key=lambda pair: (-pair[1], pair[0].key))
    pairs = [(one.key, told) for one, told in counted]
    return Fingerprint(tuple(one for one in pairs if one[0] not in ours), tuple(one for one in pairs if one[0] in ours))


def bits(field: Field, sizes: Mapping[str, int]) -> float:
    """log2 of the number of values that an attribute can have; a version or a public name has as many as its `cardinality` says."""
    if field.policy in ("drop", "identifier", "pseudonym"):
        return 0.0
    number = field.cardinality if field.cardinality > 0 and field.policy in ("registry", "version") else _values(field, sizes)
    if field.type != "string[]" or number == ANYTHING:
        return log2(number)
    return log2(sum(comb(number, size) for size in range(min(number, MEMBERS) + 1)))


def _values(field: Field, sizes: Mapping[str, int]) -> int:
    """How many values, the placeholder included."""
    first = field.parameters[0] if field.parameters else None
    if field.policy in ("enum", "default_only") and isinstance(first, tuple):
        return len(first) + (field.key != "service.name")
    if field.policy == "bucket" and isinstance(first, tuple):
        return len(first)
    if field.policy == "count" and isinstance(first, int):
        return first + 1
    if field.policy == "registry":
        return sizes.get(str(first), 0) + 2
    if field.policy == "day":
        return DAYS if first == "day" else WEEKS
    return {"boolean": 2, "version": VERSIONS}.get(field.policy, ANYTHING)  # a stack may be anything
