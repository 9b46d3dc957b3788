"""Write a first telemetry.yaml: an event for each command, and what the parser knows of a run; nothing that would not pass."""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

import yaml

from ..schema import BUILTIN
from ..schema.groups import KEY
from ..schema.marked import Marked, listed, read
from ..schema.parameters import MANY, mistaken
from ..schema.product import Product
from ..schema.registry import RUN
from ..schema.reserved import reserved
from .discover import Command, Parameter

WIDTH = 110
_HEAD = """\
# What {product} says about itself; nothing that is not declared here can leave.
# Proposed by `otel-bridge init`: read it, and delete what you do not need to know.
file_format: definition/2
attributes:
"""
_KNOWN = {  # built in, so bare here
    "otel_bridge.command": ("string", "The path of sub-commands that ran."),
    "otel_bridge.options": ('"string[]"', "The names of the options that were set."),
    "process.exit.code": ("int", "The status that the process left with."),
    "error.type": ("string", "The class of what ended the run."),
}
_EVENT = """\
  - name: {name}
    annotations: {{privacy: {{category: interaction, command: {command}}}}}
    stability: development
    requirement_level: recommended
    brief: {brief}
    attributes:
"""
_RUN = """\
spans:
  - type: cli.run
    kind: internal
    stability: development
    requirement_level: recommended
    brief: {brief}
    name: {{note: cli.run}}
    attributes:
"""


def declare(product: Product, commands: tuple[Command, ...], owner: str) -> tuple[str, list[str]]:
    """The text of a telemetry.yaml, and a line for each thing that was left out of it."""
    notes: list[str] = []
    closed = {one.name: one for one in _closed(product, commands, notes)}
    paths = _passing("command", [one.path for one in commands if one.path], product, notes)
    options = _passing("option", [each.option for one in commands for each in one.parameters if each.option], product, notes)
    prefix = _prefix(product)
    text = _HEAD.format(product=product.product)
    text += "".join(_attribute(f"{prefix}.option.{name}", one, owner) for name, one in closed.items())
    built_in = [key for key in _KNOWN if {"otel_bridge.command": paths, "otel_bridge.options": options}.get(key, True)]
    text += "".join(_bare(key) for key in built_in)
    text += "events:\n"
    for name, recorded in _events(product, commands, paths).items():
        program = [f"{product.product} {path}".rstrip() for path in recorded]
        command = _scalar(recorded[0]) if len(recorded) == 1 else _list(recorded, 12)
        text += _EVENT.format(name=name, command=command, brief=_scalar(f"A run of {' or '.join(program)}."))
        own = _of(recorded, commands)
        keys = [*built_in[-2:], *(["otel_bridge.options"] if {one.option for one in own} & {*options} else [])]
        keys += [f"{prefix}.option.{each.name}" for each in own if each.name in closed]
        text += "".join(f"      - {{ref: {key}, requirement_level: recommended}}\n" for key in dict.fromkeys(keys))
    if paths or options or closed:
        text += _RUN.format(brief=_scalar(f"One run of {product.product}."))
        text += _narrowed("otel_bridge.command", paths) + _narrowed("otel_bridge.options", options)
        text += "".join(f"      - {{ref: {prefix}.option.{name}, requirement_level: recommended}}\n" for name in closed)
    return text, notes


def _prefix(product: Product) -> str:
    """What a run begins the product's own keys with."""
    return product.product.replace("-", "_")


def _closed(product: Product, commands: Iterable[Command], notes: list[str]) -> Iterator[Parameter]:
    """The flags and closed choices that can be told, one for each name; the others are noted."""
    named: dict[str, list[Parameter]] = {}
    for command in commands:
        for one in command.parameters:
            if one.values is not None or one.odd:
                named.setdefault(one.name, []).append(one)
    for name, ones in sorted(named.items()):
        key = f"{_prefix(product)}.option.{name}"
        values = tuple(dict.fromkeys(value for one in ones for value in one.values or ()))
        joined = replace(ones[0], values=values, many=any(one.many for one in ones))
        why = next((one.odd for one in ones if one.odd), "") or _why(key, joined, product)
        if len({(bool(one.values), one.many) for one in ones}) > 1:
            why = why or "it is not the same in all commands"
        if why:
            notes.append(f"`{key}` is left out: {why}")
        else:
            yield joined


def _why(key: str, one: Parameter, product: Product) -> str:
    """Why an attribute would not pass; empty when it would."""
    if not KEY.fullmatch(key):
        return "a key is lower-case words with dots and underscores"
    if reserved(key):
        return f"the key is reserved ({reserved(key)})"
    return _mistaken(one.values or (), product)


def _mistaken(values: Iterable[str], product: Product) -> str:
    privacy = Marked()
    privacy["values"] = list(values)
    return next((message for _, _, message in mistaken("enum", "string", privacy, product)), "")


def _passing(what: str, names: Iterable[str], product: Product, notes: list[str]) -> list[str]:
    """The names that a closed list may hold, sorted; the others are noted."""
    found = []
    for name in sorted(set(names)):
        why = _mistaken([name], product)
        if why:
            notes.append(f"the {what} `{name}` is left out: {why}")
        else:
            found.append(name)
    if len(found) > MANY:
        notes.append(f"of {len(found):,} {what}s {len(found) - MANY:,} are left out, from `{found[MANY]}` on: a list holds {MANY}")
    return found[:MANY]


def _events(product: Product, commands: Iterable[Command], paths: Collection[str]) -> dict[str, list[str]]:
    """The event of each command that runs by itself; commands that are spelt alike have one event."""
    prefix = _prefix(product)
    if not KEY.fullmatch(prefix):
        prefix = "tool_" + re.sub("[^a-z0-9_]", "_", prefix)
    taken = {str(one["name"]) for one in listed(read(BUILTIN).root, "events")} | {RUN}
    found: dict[str, list[str]] = {}
    for one in commands:
        if one.runs and (not one.path or one.path in paths):
            name = ".".join([prefix, *(re.sub("[^a-z0-9_]", "_", word.lower()) for word in one.path.split())])
            name += "" if one.path else ".run"
            if name in taken or (not one.path and "run" in paths):
                name += "_alone" if not one.path else "_command"
            found.setdefault(name, []).append(one.path)
    return found


def _of(recorded: Collection[str], commands: Iterable[Command]) -> list[Parameter]:
    """The parameters of these commands, with those of the commands above them."""
    wanted = {" ".join(path.split()[:size]) for path in recorded for size in range(len(path.split()) + 1)}
    return [each for one in commands if one.path in wanted for each in one.parameters]


def _attribute(key: str, one: Parameter, owner: str) -> str:
    shown = one.option or one.name.upper()
    policy, kind, values, examples = "boolean", "boolean", "", ""
    brief, purpose = f"Whether {one.name} holds ({shown}).", f"Is {shown} used?"
    if one.values:
        policy, kind, values = "enum", '"string[]"' if one.many else "string", f"values: {_list(one.values, 12)}, "
        brief, purpose = f"The choice of {shown}.", f"Which {shown} is used?"
        example = _scalar(one.values[0])
        examples = f"    examples: [{f'[{example}]' if one.many else example}]\n"
    privacy = f"policy: {policy}, {values}purpose: {_scalar(purpose, quoted=True)}, category: interaction, owner: {_scalar(owner)}"
    return (
        f"  - key: {key}\n    type: {kind}\n    stability: development\n    brief: {_scalar(brief)}\n{examples}"
        f"    annotations: {{privacy: {{{privacy}}}}}\n"
    )


def _bare(key: str) -> str:
    kind, brief = _KNOWN[key]
    return f"  - {{key: {key}, type: {kind}, stability: development, brief: {brief}}}\n"


def _narrowed(key: str, values: list[str]) -> str:
    if not values:
        return ""
    return (
        f"      - ref: {key}\n        requirement_level: recommended\n"
        f"        annotations: {{privacy: {{values: {_list(values, 12)}}}}}\n"
    )


def _list(values: Iterable[str], indent: int) -> str:
    """A list of texts as YAML, on as many lines as it needs."""
    lines = [""]
    for one in map(_scalar, values):
        if len(lines[-1]) + len(one) > WIDTH:
            lines.append("")
        lines[-1] += f"{' ' if lines[-1] else ''}{one},"
    return "[" + f"\n{' ' * indent}".join(lines).removesuffix(",") + "]"


def _scalar(text: str, quoted: bool = False) -> str:
    """A text as YAML has it in a list: as it is, or in quotes where it would be read as something else."""
    try:
        plain = not quoted and yaml.safe_load(f"k: [{text}]") == {"k": [text]}
    except yaml.YAMLError:
        plain = False
    return text if plain else json.dumps(text, ensure_ascii=False)
