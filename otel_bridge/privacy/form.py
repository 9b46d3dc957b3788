"""Check that a value has the form that its policy leaves behind: what was reduced once is never reduced again.

The sender and `preview` ask this of every attribute before it leaves, so a spool that somebody edited says nothing more.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from ..consent.identity import UUID
from . import MOST, OTHER, among, public, tells

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from . import Names, Parameters, Scalar, Spec

VERSION = re.compile(r"[0-9]{1,5}([.][0-9]{1,5}){0,2}")
DAY = re.compile(r"(19[7-9]|20[0-9])[0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
WEEK = re.compile(r"(19[7-9]|20[0-9])[0-9]-W(0[1-9]|[1-4][0-9]|5[0-3])")
HASH = re.compile(r"[0-9a-f]{16}")
KNOWN = 4096  # values that are remembered at most
_OFTEN_NEW = ("bucket", "count", "boolean")  # as fast to ask


def formed(
    specs: tuple[Spec, ...], given: Mapping[str, object], names: Names, known: set[Hashable] | None = None
) -> tuple[dict[str, Any], int]:
    """The attributes of `given` that are declared and have the declared form, and how many are or have not.

    `known` keeps what has been found to fit, for one that asks of many records; the declaration must be the same each time.
    """
    kept: dict[str, Any] = {}
    shown = set()
    known = set() if known is None else known
    if len(known) > KNOWN:
        known.clear()
    for spec in specs:
        key, kind, policy, parameters, expires = spec
        if key not in given or (expires and time.time() >= expires):
            continue
        if policy == "version" and parameters[1] and parameters[1] not in shown:
            continue
        value = given[key]
        if policy == "frames":
            from .frames import standing

            kept.update({key: told} if (told := standing(value, parameters)) is not None else {})
            continue
        asked: Hashable = (id(spec), type(value), tuple(value) if type(value) is list else value)
        try:
            fits = asked in known
        except TypeError:  # no value that a policy leaves
            continue
        if fits or _fits(key, kind, policy, parameters, value, names):
            if policy not in _OFTEN_NEW:
                known.add(asked)
            kept[key] = value
            if tells(policy, parameters, value):
                shown.add(key)
    return kept, len(given) - len(kept)


def _fits(key: str, kind: str, policy: str, parameters: Parameters, value: object, names: Names) -> bool:
    if key == "otel_bridge.sample_rate":  # drawn by the rate that held then
        return type(value) is float and 0 < value <= 1 and value == round(value, 4)
    check = _FORMS.get(policy)
    if check is None:
        return False
    if kind == "string[]":
        if not isinstance(value, list) or len(value) > MOST or value != sorted(set(value)):
            return False
        return all(type(member) is str and check(member, parameters, names) for member in value)
    return type(value) is _TYPES[kind] and check(value, parameters, names)


def _registry(value: Scalar, parameters: Parameters, names: Names) -> bool:
    return public(names.get(parameters[0], ""), str(value)) == value or value in (parameters[1], OTHER)


def _version(value: Scalar, parameters: Parameters, names: Names) -> bool:
    text = str(value)
    return VERSION.fullmatch(text) is not None and text.count(".") < parameters[0]


_TYPES = {"string": str, "int": int, "double": float, "boolean": bool}
_FORMS: dict[str, Callable[[Any, Parameters, Names], bool]] = {
    "boolean": lambda value, parameters, names: True,
    "bucket": lambda value, parameters, names: value in parameters[0],
    "count": lambda value, parameters, names: 0 <= value <= parameters[0],
    "day": lambda value, parameters, names: (DAY if parameters[0] == "day" else WEEK).fullmatch(value) is not None,
    "default_only": lambda value, parameters, names: among(parameters[0], value) or value == parameters[1],
    "enum": lambda value, parameters, names: among(parameters[0], value) or value == parameters[1],
    "identifier": lambda value, parameters, names: UUID.fullmatch(value) is not None,
    "pseudonym": lambda value, parameters, names: HASH.fullmatch(value) is not None,
    "registry": _registry,
    "version": _version,
}
