"""Check what stands beside a policy: each parameter's form, and whether it fits the attribute."""

import math
from collections.abc import Callable, Iterator

from .marked import Marked
from .policies import PRECISION, RESOLUTIONS, ROTATIONS
from .product import Product

Rule = tuple[str, Callable[[object], bool]]  # what it must be, and whether it is
RULES: dict[str, Rule] = {
    "bounds": ("a list of finite numbers", lambda v: isinstance(v, list) and bool(v) and all(map(_number, v))),
    "cardinality": ("a whole number above 0", lambda v: _whole(v)),
    "category": ("one lower-case word", lambda v: isinstance(v, str) and v.isidentifier() and v.islower()),
    "distributions": ("a list of names of distributions", lambda v: isinstance(v, list) and all(map(_member, v))),
    "max": ("a whole number above 0", lambda v: _whole(v)),
    "option": ("the name of an option", lambda v: isinstance(v, str)),
    "other": ('a string without any of " \\ ^', lambda v: _member(v)),
    "precision": ("one of " + ", ".join(PRECISION), lambda v: isinstance(v, str) and v in PRECISION),
    "resolution": ("one of " + ", ".join(RESOLUTIONS), lambda v: isinstance(v, str) and v in RESOLUTIONS),
    "rotate": ("one of " + ", ".join(ROTATIONS), lambda v: isinstance(v, str) and v in ROTATIONS),
    "values": (
        'a list of strings without any of " \\ ^; quote what YAML reads as something else, as `"on"`',
        lambda v: isinstance(v, list) and all(map(_member, v)),
    ),
}
DEEPEST = 16  # frames that the collector's pattern takes


def mistaken(policy: str, privacy: Marked, product: Product) -> Iterator[tuple[str, str, str]]:
    """(parameter, check, what is wrong and what to write) for each parameter that is not as it must be."""
    for name, (what, good) in RULES.items():
        if name in privacy and not good(privacy[name]):
            yield name, "parameter", f"`{name}` must be {what}"
    if "registry" in privacy and str(privacy["registry"]) not in product.registries:
        yield "registry", "parameter", f"`registry` must be one of {', '.join(product.registries) or '(none yet)'}"
    if policy == "frames" and _whole(privacy.get("max")) and int(str(privacy["max"])) > DEEPEST:
        yield "max", "parameter", f"`max` must be at most {DEEPEST}"
    if policy == "pseudonym" and product.identity == "none":
        yield "policy", "parameter", "a pseudonym needs a secret, and `identity = none` makes none; drop it, or change `identity`"
    values = privacy.get("values")
    if isinstance(values, list) and all(map(_member, values)):
        twice = sorted({one for one in values if values.count(one) > 1})
        if twice:
            yield "values", "duplicate-value", f"`{twice[0]}` is in `values` twice; delete one of them"
        if privacy.get("other") in values:
            yield "other", "duplicate-value", f"`{privacy['other']}` is also in `values`; nobody could tell them apart"


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _member(value: object) -> bool:
    """A string that stands as itself in the patterns of the collector."""
    return isinstance(value, str) and bool(value) and value.isprintable() and not set(value) & set('"\\^')
