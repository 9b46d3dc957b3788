"""WHAT REMAINS: build a record from its declaration; iterate the declared keys, never the given ones.

A policy is a total function from any value to a scalar or None (absent): it looks at a value only after it has seen that its
type is exactly a built-in one, so nothing of a stranger's class runs, and it never raises and never logs the value.
"""

import os
import time

OTHER, PRIVATE, CUSTOM = "__other__", "__private__", "__custom__"
NAMING = ("enum", "registry", "default_only")
MOST = 16  # members of a list, and distinct registry names of a run
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any

    Scalar = str | int | float | bool
    Kept = list[tuple[str, Scalar | list[Scalar]]]
    Parameters = tuple[Any, ...]
    Spec = tuple[str, str, str, Parameters, int]  # key, type, policy, its parameters, Unix second of its expiry or 0
    Names = Mapping[str, str]  # a registry's public names, each between two newlines, or the path of their digest
    Facts = tuple[Names, bool]  # the registries, and whether the person set the value
    Policy = Callable[[object, Parameters, Facts], Scalar | None]


def clean(
    specs: "tuple[Spec, ...]",
    given: "Mapping[str, object]",
    names: "Names",
    told: "Collection[str]" = (),
    seen: "dict[str, set[str]] | None" = None,
) -> "tuple[Kept, int]":
    """What remains of `given`: (key, value) pairs in declared order, and how many of the given keys are not declared.

    `names` maps a registry to its names or to the path of its digest, `told` holds the keys and options that the person set,
    `seen` the registry names that this run has shown so far.
    """
    kept: Kept = []
    shown: dict[str, tuple[str, Parameters, Scalar]] = {}  # how each key was told, for versions that another key has to allow
    matched = 0
    for key, kind, policy, parameters, expires in specs:
        value: Any = given.get(key)
        if value is None:  # absent, as nobody's default is
            matched += key in given
            continue
        matched += 1
        if policy == "drop" or (expires and time.time() >= expires):
            continue
        if policy == "version" and parameters[1] and not (parameters[1] in shown and tells(*shown[parameters[1]])):
            continue
        facts = names, policy == "default_only" and (key in told or parameters[2] in told)
        reduce = POLICIES.get(policy) or rare(policy)
        if kind == "string[]" and policy != "frames":  # which are in order
            value = _members(reduce, value, parameters, facts)
        else:
            value = reduce(value, parameters, facts)
        if policy == "registry" and seen is not None:
            value = _limited(value, seen.setdefault(key, set()), parameters)
        if value is not None:
            shown[key] = policy, parameters, value
            kept.append((key, value))
    return kept, len(given) - matched


def tells(policy, parameters, value):
    # type: (str, Parameters, object) -> bool
    """Whether a reduced value is a declared or public name and no placeholder, so that a version may be told beside it."""
    return policy in NAMING and type(value) is str and value != parameters[1] and value != OTHER


def _members(reduce, values, parameters, facts):
    # type: (Policy, object, Parameters, Facts) -> list[Scalar] | None
    """A list of strings member by member: sorted, distinct, at most 16."""
    if type(values) is not list and type(values) is not tuple:
        return None
    kept = {member for member in [reduce(value, parameters, facts) for value in values[:256]] if member is not None}
    return sorted(kept)[:MOST]


def _limited(value, shown, parameters):
    # type: (object, set[str], Parameters) -> object
    """The 17th distinct public name of a run becomes a placeholder: a long list of names is a fingerprint."""
    if type(value) is list:
        return sorted({_limited(member, shown, parameters) for member in value})  # type: ignore[type-var]
    if type(value) is str and value != parameters[1] and value not in shown:
        if len(shown) >= MOST:
            return OTHER
        shown.add(value)
    return value


def boolean(value, parameters, facts):
    # type: (object, Parameters, Facts) -> Scalar | None
    """Exactly True or False."""
    return value if value is True or value is False else None


def enum(value, parameters, facts):
    # type: (object, Parameters, Facts) -> Scalar | None
    """(values, other): a declared member, else the placeholder."""
    values, other = parameters
    return value if type(value) is str and among(values, value) else other


def registry(value, parameters, facts):
    # type: (object, Parameters, Facts) -> Scalar | None
    """(registry, other): a name that the shipped public names hold, else the placeholder."""
    name, other = parameters
    return (type(value) is str and public(facts[0].get(name, ""), value)) or other


def identifier(value, parameters, facts):
    # type: (object, Parameters, Facts) -> Scalar | None
    """(rotate): a UUID that otel-bridge itself made; no product can declare such an attribute."""
    try:
        return value if type(value) is str and len(value) == 36 and len(bytes.fromhex(value.replace("-", ""))) == 16 else None
    except ValueError:
        return None


def among(names, value):
    # type: (str, str) -> bool
    """Whether a name is one of those compiled in, each between two newlines: a string costs a fifth of a tuple to load."""
    return "\n" not in value and f"\n{value}\n" in names


def public(names, value):
    # type: (str, str) -> str | None
    """A name in its public spelling when it is among the names compiled in, or in their digest."""
    if names[:1] == "\n":
        return value if among(names, value) else None
    from . import names as digests

    return digests.public(names, value)


def default_only(value, parameters, facts):
    # type: (object, Parameters, Facts) -> Scalar | None
    """(values, other, option): one of the tool's own defaults that the person did not set, else the placeholder (RFC 95)."""
    values, other, _ = parameters
    return value if type(value) is str and among(values, value) and not facts[1] else other


def version(value, parameters, facts):
    # type: (object, Parameters, Facts) -> Scalar | None
    """(precision, requires): the leading numbers, cut after `precision` of them."""
    if type(value) is not str or len(value) > 40 or " " in value:  # a text that begins with a number is no version
        return None
    parts = value.split(".")
    if len(parts) > 3 and parts[3][:1].isdigit() and max(map(len, parts[:3])) < 4:  # nor is what may begin with an IPv4 address
        return None
    kept = []
    for part in parts[: parameters[0]]:
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits or len(digits) > 5:
            break
        kept.append(digits)
        if digits != part:
            break
    return ".".join(kept) or None


def bucket(value, parameters, facts):
    # type: (object, Parameters, Facts) -> Scalar | None
    """(bounds): the upper bound of the bucket that a number falls into; above the last bound, the last one."""
    if (type(value) is not int and type(value) is not float) or value != value:
        return None
    bounds: tuple[float, ...] = parameters[0]
    for bound in bounds:
        if value <= bound:
            return bound
    return bounds[-1]


def count(value, parameters, facts):
    # type: (object, Parameters, Facts) -> Scalar | None
    """(max): a whole number from 0 on, saturating."""
    most: int = parameters[0]
    if type(value) is not int or value < 0:
        return None
    return value if value < most else most


POLICIES: "dict[str, Policy]" = {
    "boolean": boolean,
    "bucket": bucket,
    "count": count,
    "default_only": default_only,
    "enum": enum,
    "identifier": identifier,
    "registry": registry,
    "version": version,
}


def rare(policy):
    # type: (str) -> Policy
    """One of the policies with a file of their own, which only those load who declare them."""
    reduce: Policy = __import__(f"{__name__}.{policy}", fromlist=("reduce",)).reduce
    return reduce


def beside(names, file):
    # type: (Names, str) -> Names
    """The registries of a compiled product with digest files named by their full path: they lie beside it."""
    return {key: value if value[:1] == "\n" else f"{os.path.dirname(file)}/{value}" for key, value in names.items()}
