"""Leave out of a declaration what the person refused, and what was added to it since the person was last told."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ..paths import rewrite
from .identity import MONTHS

NEEDED = ("service.name", "service.version", "otel_bridge.sample_rate")  # no collector takes a record without, no analyst can
RUN, RATE = "cli.run", "otel_bridge.sample_rate"
Specs = tuple[tuple[Any, ...], ...]
Known = dict[str, dict[str, Any]]  # place -> key -> the rest of its spec, as JSON has it


def agreed(fields: Mapping[str, Any], refused: str, known: Known | None) -> dict[str, Any]:
    """The fields RESOURCE, SPAN, COMMON and EVENTS of a declaration, narrowed; SPAN is None when runs are not to be told.

    `refused` are words such as `category:platform` and `event:kitchen.create`; `known` is what the person was told of, None
    when all of it. An event that is not to be told is there, as None.
    """
    words = refused.replace(",", " ").split()
    events = {word[len("event:") :] for word in words if word.startswith("event:")}
    categories = {word[len("category:") :] for word in words if word.startswith("category:")}
    about = json.loads(fields["ABOUT"])
    events |= {name for name, told in about["events"].items() if told["category"] in categories}
    keys = {key for key, told in about["attributes"].items() if told["category"] in categories and key not in NEEDED}

    def kept(place: str, specs: Specs) -> Specs:
        old = None if known is None else known.get(place, {})
        kept = tuple(one for one in specs if one[0] not in keys and (old is None or not _more(one, old.get(one[0]))))
        return kept if old is None or rate(specs) <= rate(old) else ((RATE, *old[RATE]), *(one for one in kept if one[0] != RATE))

    if known is not None and _settings_grew(fields, known):  # elsewhere, longer or finer: until that was shown nothing is recorded
        known = {}
        events.add(RUN)
    narrowed = {place: kept(place, fields[place]) for place in ("RESOURCE", "SPAN", "COMMON")}
    every = {
        name: None if name in events or (known is not None and name not in known) else kept(name, specs)
        for name, specs in fields["EVENTS"].items()
    }
    spans = {
        name: (kind, scope, kept(name, specs))
        for name, (kind, scope, specs) in fields.get("SPANS", {}).items()
        if name not in events and (known is None or name in known)
    }
    return {**narrowed, "EVENTS": every, "SPAN": None if RUN in events else narrowed["SPAN"], "SPANS": spans}


def narrowed(declared: Any, refused: str, known: Known | None) -> Any:
    """A `_telemetry` module as `agreed` leaves it; NARROWED says so, for what it lacks may be declared and refused."""
    return SimpleNamespace(**{**vars(declared), **agreed(vars(declared), refused, known)}, NARROWED=True)


def _places(declared: Any) -> Iterator[tuple[str, Specs]]:
    yield from (("RESOURCE", declared.RESOURCE), ("SPAN", declared.SPAN), ("COMMON", declared.COMMON))
    yield from declared.EVENTS.items()
    yield from ((name, specs) for name, (_, _, specs) in getattr(declared, "SPANS", {}).items())


def more(declared: Any, known: Known) -> bool:
    """Whether a declaration collects anything that the person was not told of."""
    if _settings_grew(vars(declared), known):
        return True
    return any(
        place not in known or rate(specs) > rate(known[place]) or any(_more(one, known[place].get(one[0])) for one in specs)
        for place, specs in _places(declared)
    )


def rate(specs: Specs | Mapping[str, Any]) -> float:
    """The share of an event that is recorded."""
    found = specs.get(RATE) if isinstance(specs, Mapping) else next((one[1:] for one in specs if one[0] == RATE), None)
    return found[2][0][0] if found else 1.0


def _settings_grew(fields: Mapping[str, Any], known: Known) -> bool:
    """Whether it goes elsewhere, is told under an id that lives longer, to a finer moment, or was sorted into another category."""
    old = known.get("SETTINGS")
    if not old:
        return True
    now = _settings(fields)
    lives = ("none", "month", "quarter", "year").index
    longer = lives(now["IDENTITY"]) > lives(old["IDENTITY"]) or now["RESOLUTION"] < old["RESOLUTION"]
    moved = any(now["CATEGORIES"].get(key, category) != category for key, category in old["CATEGORIES"].items())
    return longer or moved or any(now[key] != old[key] for key in ("ENDPOINT", "FAMILY"))


def _settings(fields: Mapping[str, Any]) -> dict[str, Any]:
    about = json.loads(fields["ABOUT"])
    categories = {name: one["category"] for part in ("attributes", "events") for name, one in about[part].items()}
    return {**{key: fields[key] for key in ("IDENTITY", "RESOLUTION", "ENDPOINT", "FAMILY")}, "CATEGORIES": categories}


def _more(spec: tuple[Any, ...], old: list[Any] | None) -> bool:
    """Whether an attribute may say more than it did: not when values were taken away, buckets joined or digits cut."""
    _, kind, policy, parameters, expires = json.loads(json.dumps(spec))
    if policy == "drop" or spec[0] == RATE:
        return False
    if old is None or [kind, policy] != old[:2] or (expires or math.inf) > (old[3] or math.inf):
        return True
    before = old[2]
    if policy == "frames" and parameters[1] <= before[1]:
        parameters[1:] = before[1:]
    if parameters[1:] != before[1:]:  # another placeholder, or nothing that a version requires any more
        return True
    if policy in ("enum", "default_only"):
        return not set(parameters[0].split("\n")) <= set(before[0].split("\n"))
    if policy == "bucket":
        return not set(parameters[0]) <= set(before[0])
    if policy in ("count", "version"):
        return bool(parameters[0] > before[0])
    if policy in _GROWING:
        return _GROWING[policy].index(parameters[0]) > _GROWING[policy].index(before[0])
    if policy == "frames":
        return not set(parameters[0].split("\n")) <= set(before[0].split("\n"))
    return bool(parameters != before)


_GROWING = {"day": ["week", "day"], "pseudonym": list(MONTHS)}  # from what says less to what says more


def read(folder: str) -> Known | None:
    """What the person was told that this product collects; None when that was never written down, nothing when it is broken."""
    try:
        found = json.loads(Path(folder, "told.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(folder: str, declared: Any) -> None:
    """Keep what the person has been told. Raises OSError."""
    told: dict[str, Any] = {place: {one[0]: one[1:] for one in specs} for place, specs in _places(declared)}
    told["SETTINGS"] = _settings(vars(declared))
    rewrite(folder + "/told.json", json.dumps(told) + "\n")
