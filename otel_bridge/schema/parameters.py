"""Check what stands beside a policy: each parameter's form, and whether it fits the attribute."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from .marked import Marked
from .policies import PRECISION, RESOLUTIONS, ROTATIONS
from .product import Product
from .reserved import masked

Rule = tuple[str, Callable[[object], bool]]  # what it must be, and whether it is
RULES: dict[str, Rule] = {
    "bounds": (
        "a list of finite numbers below 2^63, none but 0 within a billionth of it",
        lambda v: isinstance(v, list) and bool(v) and all(map(_number, v)),
    ),
    "cardinality": ("a whole number above 0", lambda v: _whole(v)),
    "category": ("one lower-case word", lambda v: isinstance(v, str) and v.isidentifier() and v.islower()),
    "distributions": ("a list of names of distributions", lambda v: isinstance(v, list) and all(map(_member, v))),
    "max": ("a whole number above 0, below 2^63", lambda v: _whole(v)),
    "option": ("the name of an option", lambda v: isinstance(v, str)),
    "other": ('a string without any of " \\ ^ & < >', lambda v: _member(v)),
    "precision": ("one of " + ", ".join(PRECISION), lambda v: isinstance(v, str) and v in PRECISION),
    "resolution": ("one of " + ", ".join(RESOLUTIONS), lambda v: isinstance(v, str) and v in RESOLUTIONS),
    "rotate": ("one of " + ", ".join(ROTATIONS), lambda v: isinstance(v, str) and v in ROTATIONS),
    "values": (
        'a list of strings without any of " \\ ^ & < >; quote what YAML reads as something else, as `"on"`',
        lambda v: isinstance(v, list) and all(map(_member, v)),
    ),
}
MANY = 500  # members of an enum: with 3,000 a collector takes half a minute to start
DEEPEST = 16  # frames that the collector's pattern takes
LARGEST, SMALLEST = (1 << 63) - 1, 1e-9  # of a number: what OTLP has as an integer, what stands without an exponent


def mistaken(policy: str, kind: str, privacy: Marked, product: Product) -> Iterator[tuple[str, str, str]]:
    """(parameter, check, what is wrong and what to write) for each parameter that is not as it must be."""
    for name, (what, good) in RULES.items():
        if name in privacy and not good(privacy[name]):
            yield name, "parameter", f"`{name}` must be {what}"
    if "registry" in privacy and str(privacy["registry"]) not in product.registries:
        yield "registry", "parameter", f"`registry` must be one of {', '.join(product.registries) or '(none yet)'}"
    if policy == "frames" and _whole(privacy.get("max")) and int(str(privacy["max"])) > DEEPEST:
        yield "max", "parameter", f"`max` must be at most {DEEPEST}"
    bounds = privacy.get("bounds")
    if kind == "int" and isinstance(bounds, list) and all(map(_number, bounds)) and any(one != int(one) for one in bounds):
        yield "bounds", "parameter", "`bounds` of an int must be whole numbers"
    if policy == "pseudonym" and product.identity == "none":
        yield "policy", "parameter", "a pseudonym needs a secret, and `identity = none` makes none; drop it, or change `identity`"
    elif policy == "pseudonym" and _longer(str(privacy.get("rotate", "quarter")), product.identity):
        message = f"a pseudonym must not live longer than the installation's id; write `rotate: {product.identity}`"
        yield "rotate", "parameter", message
    values = privacy.get("values")
    if isinstance(values, list) and all(map(_member, values)):
        if len(values) > MANY:
            yield "values", "parameter", f"`values` has {len(values):,} members; with more than {MANY} write a `registry`"
            return
        twice = sorted(one for one, times in Counter(values).items() if times > 1)
        if twice:
            yield "values", "duplicate-value", f"`{twice[0]}` is in `values` twice; delete one of them"
        if privacy.get("other") in values:
            yield "other", "duplicate-value", f"`{privacy['other']}` is also in `values`; nobody could tell them apart"
        for one in sorted({"__other__", "__private__", "__custom__"} & set(values)):
            yield "values", "duplicate-value", f"`{one}` is a placeholder; nobody could tell the value from it"
    for name in ("values", "other"):
        found = privacy.get(name)
        for one in sorted({one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str) and masked(one)}):
            yield name, "masked", f"`{one}` looks like an address, a path or a token, which the collector masks; leave it out"


def widened(declared: Mapping[str, object], narrowed: Marked) -> Iterator[str]:
    """The parameters of a ref that allow more than the attribute's own; what the attribute leaves open may be filled."""
    for name in narrowed:
        old, new = declared.get(name), narrowed[name]
        if not old or old == new or not RULES.get(name, ("", _member))[1](new):
            continue
        if isinstance(old, list) and isinstance(new, list):
            wider = not set(new) <= set(old)
        elif name == "precision":
            wider = PRECISION[str(new)] > PRECISION.get(str(old), 0)
        elif name == "max":
            wider = int(str(new)) > int(str(old))
        elif name in ("rotate", "resolution"):
            order = ROTATIONS if name == "rotate" else ("week", "day")
            wider = order.index(str(new)) > order.index(str(old))
        else:
            wider = name in ("registry", "requires")
        if wider:
            yield name


def _longer(rotate: str, identity: str) -> bool:
    """Whether a pseudonym lives longer than an id."""
    return rotate in ROTATIONS and ROTATIONS.index(rotate) > ROTATIONS.index(identity)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST


def _number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= LARGEST and (value == 0 or abs(value) >= SMALLEST)


def _member(value: object) -> bool:
    """A string that stands as itself in the patterns of the collector."""
    return isinstance(value, str) and bool(value) and value.isprintable() and not set(value) & set('"\\^&<>')
