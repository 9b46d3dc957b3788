"""Leave out of a declaration what the person refused, and what was added to it since the person was last told."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ..paths import rewrite

IDENTIFYING = ("service.name", "service.version")  # no collector takes a record without them
RUN = "cli.run"
Specs = tuple[tuple[Any, ...], ...]
Known = dict[str, dict[str, list[Any]]]  # place -> key -> the rest of its spec, as JSON has it


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
    keys = {key for key, told in about["attributes"].items() if told["category"] in categories and key not in IDENTIFYING}

    def kept(place: str, specs: Specs) -> Specs:
        old = None if known is None else known.get(place, {})
        return tuple(one for one in specs if one[0] not in keys and (old is None or not _more(one, old.get(one[0]))))

    narrowed = {place: kept(place, fields[place]) for place in ("RESOURCE", "SPAN", "COMMON")}
    every = {
        name: None if name in events or (known is not None and name not in known) else kept(name, specs)
        for name, specs in fields["EVENTS"].items()
    }
    return {**narrowed, "EVENTS": every, "SPAN": None if RUN in events else narrowed["SPAN"]}


def narrowed(declared: Any, refused: str, known: Known | None) -> Any:
    """A `_telemetry` module as `agreed` leaves it."""
    return SimpleNamespace(**{**vars(declared), **agreed(vars(declared), refused, known)})


def _places(declared: Any) -> Iterator[tuple[str, Specs]]:
    yield from (("RESOURCE", declared.RESOURCE), ("SPAN", declared.SPAN), ("COMMON", declared.COMMON))
    yield from declared.EVENTS.items()


def more(declared: Any, known: Known) -> bool:
    """Whether a declaration collects anything that the person was not told of."""
    return any(
        place not in known or any(_more(one, known[place].get(one[0])) for one in specs) for place, specs in _places(declared)
    )


def _more(spec: tuple[Any, ...], old: list[Any] | None) -> bool:
    """Whether an attribute may say more than it did: not when values were taken away, buckets joined or digits cut."""
    _, kind, policy, parameters, expires = json.loads(json.dumps(spec))
    if policy == "drop":
        return False
    if old is None or [kind, policy] != old[:2] or (expires or math.inf) > (old[3] or math.inf):
        return True
    before = old[2]
    if policy in ("enum", "default_only"):
        return not set(parameters[0].split("\n")) <= set(before[0].split("\n"))
    if policy == "bucket":
        return not set(parameters[0]) <= set(before[0])
    if policy in ("count", "version"):
        return bool(parameters[0] > before[0])
    return bool(parameters != before)


def read(folder: str) -> Known | None:
    """What the person was told that this product collects; None when that was never written down, or cannot be read."""
    try:
        found: Known = json.loads(Path(folder, "told.json").read_text(encoding="utf-8"))
        return found
    except (OSError, ValueError):
        return None


def write(folder: str, declared: Any) -> None:
    """Keep what the person has been told. Raises OSError."""
    told = {place: {one[0]: one[1:] for one in specs} for place, specs in _places(declared)}
    rewrite(folder + "/told.json", json.dumps(told) + "\n")
