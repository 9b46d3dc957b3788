"""`otel-bridge view`: one page, made here, of what is collected and why, what left and when, and what was lost."""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from html import escape, unescape
from itertools import groupby
from pathlib import Path
from shutil import get_terminal_size
from string import Template
from typing import Any

import click

from ..clock import moment, now
from ..consent import ORGANISATION, choice
from ..errors import BridgeError, SettingsError
from ..paths import mine, state_dir
from . import json_option, scope_options, scoped
from .export import gather
from .lost import REASONS

NEWEST = 20  # requests that stand in the open; those before them are behind one more fold
VERBS = ("on", "off", "local", "preview", "reset-id", "forget")
_LAYERS = {"resourceLogs": "Product and platform", "resourceSpans": "Product and platform", "scopeLogs": "Written by"}
_LAYERS.update(scopeSpans="Written by", logRecords="", spans="")  # these have names of their own
_WRAPPERS = ("stringValue", "intValue", "boolValue", "doubleValue", "arrayValue", "values")  # OTLP/JSON has them around a value
_LINES = {  # how the page becomes lines: it is ours, and every `<` of a value is escaped in it
    r"(?s)^.*<body>|<nav.*?</nav>|<a class=.*?</a>|<thead>.*?</thead>": "",
    r"\s*\n\s*": "",
    r"<h\d[^>]*>": "\n\n== ",
    r"<summary>": "\n\n* ",
    r"<(?:caption|p)[^>]*>": "\n\n",
    r"<tr>": "\n  ",
    r'<td data-head="([^"]*)">': r"\n      \1: ",
    r"</th><td>": ": ",
    r"<[^>]*>": "",
}
Json = dict[str, Any]


class Html(str):
    """Text that is markup already; all other text is escaped."""


@click.command("view")
@scope_options
@json_option
@click.option("--text", is_flag=True, help="Print it here; no page is made.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file to write; nothing is opened.")
def command(product: str, everything: bool, as_json: bool, text: bool, out: Path | None) -> None:
    """Open one local page: what is collected and why, what left and when, what was lost."""
    found = scoped(product, everything)
    try:
        held = [gather(one) for one in found]
        if as_json:
            shown = json.dumps(held[0] if product and not everything else held, indent=1) + "\n"
        else:
            shown = _text(_page(held)) if text else _page(held)
    except BridgeError:
        raise
    except Exception as problem:  # somebody has edited what is kept, in a way that nobody thought of
        raise SettingsError(f"{', '.join(found)}: what is kept here cannot be shown: {problem!r}") from None
    if out is None and (text or as_json):
        click.echo(shown, nl=False)
        return
    try:
        path = str(out or _place(found))
        with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(shown)
    except OSError as problem:
        raise SettingsError(f"{problem.filename or out}: cannot be written: {problem.strerror or problem}") from None
    click.echo(path)
    if out is None and sys.stdout.isatty():
        _open(path)


def _place(products: list[str]) -> str:
    # The product's own folder leaves least behind: one page, which the next one replaces and `forget` deletes with the rest.
    # A page of several products has no such folder, nor has one of a product that keeps nothing here.
    folder = state_dir(products[0])
    kept = len(products) == 1 and os.path.isdir(folder) and mine(folder)
    return (folder if kept else tempfile.mkdtemp(prefix="otel-bridge-")) + "/view.html"


def _open(path: str) -> None:
    # A child without a terminal: whatever `webbrowser` finds can neither block this program there nor write into it.
    words = [sys.executable, "-I", "-m", "webbrowser", Path(path).as_uri()]  # -I: no webbrowser.py of the working directory
    with suppress(OSError, ValueError), open(os.devnull, "r+b") as nothing:
        subprocess.Popen(words, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)


@cache
def _pieces() -> dict[str, Template]:
    pieces = Path(__file__).with_name("view.html").read_text(encoding="utf-8").split("<!-- piece: ")[1:]
    return {name: Template(text) for name, _, text in (piece.partition(" -->\n") for piece in pieces)}


def _fill(piece: str, /, **slots: object) -> Html:
    """A piece of view.html with its slots filled; what is not markup by its type is escaped here and nowhere else."""
    return Html(_pieces()[piece].substitute({name: one if isinstance(one, Html) else _safe(one) for name, one in slots.items()}))


def _safe(value: object) -> str:
    """A value as text; what a terminal would obey or nobody would see is spelt out."""
    text = "–" if value in (None, "", [], {}) else str(value)
    return escape("".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text))


def _each(piece: str, slots: Iterable[Json]) -> Html:
    return Html("".join(_fill(piece, **one) for one in slots))


def _some(piece: str, /, inside: Html, **slots: object) -> Html:
    """The piece for something, or its twin for nothing."""
    return _fill(f"{piece}-some" if inside else f"{piece}-none", inside=inside, **slots)


def _page(held: list[Json]) -> str:
    numbered = [{"id": f"p{number}", "product": one["product"]} for number, one in enumerate(held)]
    products = Html("".join(_product(named["id"], one) for named, one in zip(numbered, held, strict=True)))
    names = ", ".join(one["product"] for one in held)
    return _fill("page", names=names, links=_each("link", numbered), products=products, made=moment(now()))


def _product(anchor: str, held: Json) -> Html:
    product, status, ids = held["product"], held["status"], held["ids"]
    mode, installation = status["mode"], status["installation_id"]
    until = f", until {moment(int(ids['until']) * 10**9)}" if re.fullmatch("[0-9]{1,11}", ids.get("until", "")) else ""
    lost = ({"reason": one, "number": number, "meaning": REASONS.get(one)} for one, number in status["lost"].items())
    files = {f"Your choice for {name}": one for name, one in held["choices"].items()}
    files |= {"The notice": held["notice"], "Your ids": ids, "The session": held["session"]}
    refused = _some("quarantine", Html("".join(map(_request, held["quarantine"]))), number=len(held["quarantine"]))
    aside = _records("local", held["local"], mode), refused, _records("deletion_request", held["deletion_request"], mode)
    slots = {
        **{verb.replace("-", "_"): choice.command_for(product, verb) for verb in VERBS},
        "becomes": _fill(f"becomes-{mode}"),
        "refused": ", ".join(status["refused"]),
        "next_drain": status["next_drain"] if mode == "on" else None,
        "installation": installation and f"{installation}, for {ids.get('period')}{until}",
        "first": _each("first", ({"what": one} for one in _first(status["sources"]))),
        "asked": _each("asked", ({"reason": "", **one} for one in status["sources"])),
        "collected": _collected(held["collects"]),
        "waiting": _records("waiting", held["waiting"], mode),
        "left": _left(held["sent"]),
        "lost": _some("lost", _each("lost", lost)),
        "aside": Html("".join(aside)),
        "files": Html("".join(_facts(name, one) for name, one in files.items())),
    }
    return _fill("product", **{**status, **slots, "id": anchor})


def _first(sources: list[Json]) -> Iterator[str]:
    """What has to be done before `on` can make it on: every other source that says something else, by what mends it."""
    for where in (one["where"] for one in sources if one["says"] in ("off", "local")):
        if where == ORGANISATION:
            yield f"root has to change {where}"
        elif where == choice.file_of(""):
            yield "otel-bridge on --all"
        elif where.endswith("/.otel-bridge/off"):
            yield f"rm {shlex.quote(where)}"
        elif where.isidentifier():
            yield f"unset {where}"


def _collected(told: Json) -> Html:
    if "problem" in told:
        return _fill("collected-problem", **told)
    events = ""
    for event in told["events"]:
        rows = _each("value", ({"key": key, **told["attributes"][key]} for key in event["attributes"]))
        events += _some("event", rows, **{**event, "number": len(event["attributes"])})
    return _fill("collected", **{**told, "events": Html(events)})


def _records(kind: str, found: list[Json], mode: str) -> Html:
    """Records as `export` has them, those of one resource together."""
    inside = ""
    for resource, group in groupby(found, key=lambda one: one["resource"]):
        inside += _facts("Product and platform", resource)
        inside += "".join(_facts(f"{one['name']}, {one['time']}", one["attributes"] or {"attributes": None}) for one in group)
    return _some(kind, Html(inside), number=len(found), waits=_fill(f"waits-{mode}"))


def _left(sent: list[Any]) -> Html:
    """The requests that left, newest first."""
    told = [_request(one) for one in reversed(sent)]
    earlier = _fill("earlier", number=len(told) - NEWEST, inside=Html("".join(told[NEWEST:]))) if told[NEWEST:] else ""
    return _some("left", Html("".join(told[:NEWEST])), number=len(told), earlier=Html(earlier))


def _request(entry: Any) -> Html:
    names: Counter[str] = Counter()
    inside = Html("".join(_layers(entry, "The request", names)))
    about = {key: entry.get(key, "?") if isinstance(entry, dict) else "?" for key in ("time", "endpoint", "status")}
    said = ", ".join(f"{name} × {number}" if number > 1 else name for name, number in names.items())
    return _fill("request", **about, inside=inside, said=said)


def _layers(layer: Any, caption: str, names: Counter[str]) -> Iterator[Html]:
    """The tables of a request: what a layer says itself, then the layers in it; `names` counts the records."""
    deeper = [key for key in _LAYERS if isinstance(layer, dict) and key in layer]
    yield _facts(caption, {key: one for key, one in layer.items() if key not in deeper} if deeper else layer)
    for key in deeper:
        for one in layer[key] if isinstance(layer[key], list) else [layer[key]]:
            name = _LAYERS[key] or str((one.get("eventName") or one.get("name")) if isinstance(one, dict) else "?")
            names.update([] if _LAYERS[key] else [name])
            yield from _layers(one, name, names)


def _facts(caption: str, value: object) -> Html:
    rows = _each("fact", ({"name": name, "value": one} for name, one in _rows(value)))
    return _fill("facts", caption=caption, rows=rows) if rows else rows


def _rows(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value of a JSON document under its key; attributes, as OTLP lists them, under their own."""
    if isinstance(value, dict) and value.keys() == {"key", "value"}:
        yield from _rows(value["value"], str(value["key"]))
    elif isinstance(value, dict) and (value or not path):
        for key, one in value.items():
            yield from _rows(one, path if path and key in _WRAPPERS else f"{path}.{key}".lstrip("."))
    elif isinstance(value, list) and value:
        for one in value:
            yield from _rows(one, path)
    elif path.endswith("UnixNano") and re.fullmatch("[0-9]{1,19}", str(value)):
        yield path, f"{moment(int(str(value)))} ({value})"
    else:
        yield path, value


def _text(page: str) -> str:
    """The same page as lines, on a terminal no wider than it."""
    for pattern, instead in _LINES.items():
        page = re.sub(pattern, instead, page)
    wrap = textwrap.TextWrapper(get_terminal_size((0, 0)).columns or len(page), break_long_words=False, break_on_hyphens=False)
    lines = []
    for line in unescape(page).strip().split("\n"):
        wrap.subsequent_indent = " " * (len(line) - len(line.lstrip())) * 2
        lines.append(wrap.fill(line))
    return "\n".join(lines) + "\n"
