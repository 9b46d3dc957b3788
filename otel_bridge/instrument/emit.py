"""Record an event that a script tells in words: each is what the declaration wants there, or nothing is recorded at all."""

import sys

import otel_bridge

from ..record import record
from ..registered import of_another_process, of_product
from . import begin, ship, unbegun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from types import ModuleType

    from ..consent import Decision

    Value = str | int | float | bool | date | list[str]

_OURS = {  # events that only these verbs tell
    "canary": "otel-bridge canary",
    "deletion.request": "otel-bridge forget",
    "telemetry.dropped": "otel-bridge drain",
}
_MOST = 1 << 63  # OTLP's integers have 64 bits


def emit(product: str, event: str, pairs: "list[tuple[str, str]]", decision: "Decision") -> int:
    """Record one event of a product, in the run that has started this process, else by itself; returns the exit code.

    `pairs` are keys and values as texts. A mistake is 1 and one line on standard error that never repeats a value; what the
    machine hinders, such as a full disk, is 0, for a script goes on without telemetry.
    """
    try:
        declared = of_product(product)
        if declared is None:
            raise LookupError(f"{product} is not registered here; `otel-bridge register telemetry.yaml` does that")
        given = _given(declared, event, pairs)
    except LookupError as mistake:
        if sys.stderr is not None:
            sys.stderr.write(f"otel-bridge emit: {mistake.args[0]}\n")
        return 1
    except Exception as problem:
        otel_bridge._swallow(problem)
        return 0
    try:
        _record(declared, decision, event, given)
    except Exception as problem:
        otel_bridge._swallow(problem)
    return 0


def _record(declared: "ModuleType", decision: "Decision", event: str, given: "dict[str, Value]") -> None:
    try:
        run, tell = begin(declared, decision)
    except Exception as problem:
        unbegun(declared.PRODUCT, decision.mode, problem)
        return
    run.span_id = run.parent_id or run.span_id
    run.resource = of_another_process(run.resource)
    record(run, event, given)
    ship(run)
    tell()


def _given(declared: "ModuleType", event: str, pairs: "list[tuple[str, str]]") -> "dict[str, Value]":
    """The attributes of an event; raises LookupError with one line for whoever has written the script."""
    events = [name for name in declared.EVENTS if name not in _OURS]
    if event in _OURS:
        raise LookupError(f"`{event}` is no event of {declared.PRODUCT}; `{_OURS[event]}` tells it")
    if event not in events:
        raise LookupError(f"`{_shown(event)}` is no event of {declared.PRODUCT}{_instead(event, events)}")
    specs = {spec[0]: spec for spec in declared.EVENTS[event] if not spec[0].startswith("otel_bridge.")}
    texts: dict[str, list[str]] = {}
    for key, text in pairs:
        if key not in specs:
            raise LookupError(f"`{_shown(key)}` is no attribute of {event}{_instead(key, specs)}")
        texts.setdefault(key, []).append(text)
    return {key: _value(key, specs[key][1], specs[key][2], each) for key, each in texts.items()}


def _value(key: str, kind: str, policy: str, texts: "list[str]") -> "Value":
    """A value of the type that is declared; raises LookupError."""
    if policy == "frames":
        raise LookupError(f"`{key}` takes an exception of Python; leave it out")
    if kind == "string[]":
        return [member for text in texts for member in text.split(",") if member]
    if len(texts) > 1:
        raise LookupError(f"`{key}` is given twice, and takes one value; leave one of them out")
    if policy == "day":
        kind = policy
    try:
        return _CONVERTED[kind](texts[0]) if kind in _CONVERTED else texts[0]
    except ValueError:
        raise LookupError(f"`{key}` takes {_TAKES[kind]}") from None


def _int(text: str) -> int:
    if len(text) > 20 or not text.isascii() or not text.lstrip("+-").isdigit() or not -_MOST <= int(text) < _MOST:
        raise ValueError
    return int(text)


def _double(text: str) -> float:
    number = float(text)
    if set(text) - set("0123456789+-.eE") or number - number:  # an infinite one, too
        raise ValueError
    return number


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def _day(text: str) -> "int | date":
    if text.isdigit():
        return _int(text)
    from datetime import date

    return date.fromisoformat(text)


_CONVERTED = {"int": _int, "double": _double, "boolean": _boolean, "day": _day}
_TAKES = {
    "int": "a whole number, as 3",
    "double": "a number, as 0.5",
    "boolean": "true or false",
    "day": "a date, as 2026-11-22, or the seconds of `date +%s`",
}


def _instead(word: str, known: "Iterable[str]") -> str:
    """The nearest name, or all of a few."""
    from difflib import get_close_matches

    names = sorted(known)
    close = get_close_matches(word[:80], names, 1)
    if close:
        return f"; write `{close[0]}`?"
    return "; known are " + ", ".join(names) if 0 < len(names) < 12 else ""


def _shown(word: str) -> str:
    """What somebody typed, fit for one line of a terminal."""
    return "".join(one if one.isprintable() else "?" for one in word[:80])
