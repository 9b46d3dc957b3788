"""Look at a command line from inside: import its entry point, and write its commands and options down as JSON.

A program of its own, started by `discover` in a child process with the product's checkout first on `sys.path`; it imports
nothing of ours, for the product's own modules come first. A function is called with `--help`, and left as soon as it asks a
parser of argparse, click or typer to read that.
"""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

MOST = 2000  # commands
DEEPEST = 10  # levels of sub-commands
MANY = 500  # values of a choice: what a registry takes
CORES = ("click.core", "typer._click.core")
PLAIN = (list, tuple, set, frozenset, dict, range)


class Found(BaseException):
    """A parser has been asked to read the words; nothing of the product runs any further."""


def main(root: str, module: str, function: str, parsers: str, result: str) -> None:
    """Write `{"commands": [...], "problem": ""}` to the file `result`; `parsers` are the libraries that the product names."""
    commands: list[dict[str, Any]] = []
    try:
        sys.path.insert(0, root)
        sys.argv = [module.partition(".")[0], "--help"]
        parser = _parser(getattr(importlib.import_module(module), function), [one for one in parsers.split(",") if one])
        problem = "" if parser is not None else f"`{function}` asks no parser of argparse, click or typer"
        if parser is not None:
            commands = list(_commands(parser))[:MOST]
    except BaseException as raised:
        problem = f"{type(raised).__name__}: {raised}".strip().splitlines()[0]
    Path(result).write_text(json.dumps({"commands": commands, "problem": problem}), encoding="utf-8")
    os._exit(0)  # neither threads nor what the product does at exit are waited for


def _parser(entry: Any, parsers: list[str]) -> Any:
    """The parser behind an entry point; None when it asks none."""
    if hasattr(entry, "registered_commands"):  # an application of typer
        return importlib.import_module("typer.main").get_command(entry)
    if hasattr(entry, "make_context"):
        return entry
    return _asked(entry, parsers) if parsers else None


def _asked(entry: Callable[[], object], parsers: list[str]) -> Any:
    """The first parser that a function asks to read the words; the last one that does not know `--help` where there is no other."""
    seen: list[Any] = []
    read = argparse.ArgumentParser.parse_known_args

    def parse_known_args(self: argparse.ArgumentParser, *args: Any, **kwargs: Any) -> Any:
        seen.append(self)
        if not self.add_help:  # it reads a word or two, such as `--config`, before the real one
            return read(self, *args, **kwargs)
        raise Found

    def make_context(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(self)
        raise Found

    for one in parsers:
        with suppress(ImportError):  # only named, in a comment perhaps
            importlib.import_module(one)
    argparse.ArgumentParser.parse_known_args = parse_known_args  # type: ignore[method-assign]
    for core in filter(None, map(sys.modules.get, CORES)):
        for kind in ("BaseCommand", "Command"):  # the first is of click before 8.2
            if "make_context" in vars(vars(core).get(kind, object)):
                vars(core)[kind].make_context = make_context
    try:
        entry()
    except BaseException:
        if not seen:
            raise
    return seen[-1] if seen else None


def _commands(parser: Any) -> Iterator[dict[str, Any]]:
    walk = _of_argparse if isinstance(parser, argparse.ArgumentParser) else _of_click
    return walk(parser, [], None)


def _of_click(command: Any, path: list[str], above: Any) -> Iterator[dict[str, Any]]:
    """A command of click or typer, then those below it."""
    listed = getattr(command, "list_commands", None)
    if _ours(type(command)) or _ours(listed) or len(path) > DEEPEST:
        return
    context = command.context_class(command, parent=above, info_name=path[-1] if path else "", resilient_parsing=True)
    parameters = [_click_parameter(one) for one in command.params if one.expose_value and one.name]
    alone = listed is None or bool(getattr(command, "invoke_without_command", False))
    yield {"path": " ".join(path), "runs": alone, "parameters": parameters}
    for name in listed(context) if listed is not None else ():
        try:
            below = command.get_command(context, name)
        except Exception:  # a plugin that is broken here
            continue
        if below is not None:
            yield from _of_click(below, [*path, name], context)


def _ours(one: Any) -> bool:
    """Whether it is the group of our own verbs, which is no usage of the product."""
    return str(getattr(one, "__module__", "")).partition(".")[0] == "otel_bridge"


def _click_parameter(one: Any) -> dict[str, Any]:
    option = max(one.opts, key=len) if one.param_type_name == "option" else ""
    told = {"name": one.name, "option": option, "many": bool(one.multiple) or one.nargs != 1}
    descriptor = getattr(one, "type_descriptor", None)
    if descriptor is not None:
        return {**told, **_of_annotation(descriptor.annotation)}
    choices = getattr(one.type, "choices", None)
    if choices is None:
        return {**told, "values": [] if one.type.name == "boolean" else None}
    # people name a member of an Enum; one that is a string too may be told as that
    spelt = [each for one in choices for each in ((one.name, one) if isinstance(one, Enum) else (one,))]
    return {**told, **_spelt([one for one in spelt if isinstance(one, str) or not isinstance(one, Enum)])}


def _of_annotation(kind: Any) -> dict[str, Any]:
    """The closed set of what a parameter of typer is annotated with."""
    while get_origin(kind) is not None and get_origin(kind) is not Literal:
        inner = [one for one in get_args(kind) if one not in (type(None), Ellipsis)]
        if not inner or (len(inner) > 1 and get_origin(kind) is not Annotated):
            return {"values": None}
        kind = inner[0]
    if get_origin(kind) is Literal:
        return _spelt(list(get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _spelt([one.value for one in kind])
    return {"values": [] if kind is bool else None}


def _spelt(choices: Any) -> dict[str, Any]:
    """The values of a closed set as texts, or why they cannot be told."""
    if len(choices) > MANY:
        return {"values": None, "odd": f"it has {len(choices):,} choices"}
    values = [str(one.value if isinstance(one, Enum) else one) for one in choices if isinstance(one, str) or type(one) is int]
    if len(values) < len(choices) or not values:
        return {"values": None, "odd": "its choices are no texts"}
    return {"values": list(dict.fromkeys(values))}


def _of_argparse(parser: argparse.ArgumentParser, path: list[str], above: Any) -> Iterator[dict[str, Any]]:
    """A parser of argparse, then those of its sub-commands; a second name of one is not told."""
    if _ours(vars(parser).get("parse_known_args")) or len(path) > DEEPEST:
        return
    below = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    parameters = [_argparse_parameter(one) for one in parser._actions if one not in below]
    yield {"path": " ".join(path), "runs": not below, "parameters": parameters}
    for action in below:
        seen: list[Any] = []
        for name, one in action.choices.items():
            if not any(one is other for other in seen):
                seen.append(one)
                yield from _of_argparse(one, [*path, name], parser)


def _argparse_parameter(one: argparse.Action) -> dict[str, Any]:
    both_ways = isinstance(one, argparse.BooleanOptionalAction)
    option = max((name for name in one.option_strings if not (both_ways and name.startswith("--no-"))), key=len, default="")
    told = {"name": one.dest, "option": option, "many": bool(option) and one.nargs not in (None, "?", 0, 1)}
    if one.choices is not None:
        plain = type(one.choices) in PLAIN
        return {**told, **(_spelt(one.choices) if plain else {"values": None, "odd": "its choices are no plain list"})}
    flag = isinstance(one, argparse.BooleanOptionalAction) or (one.nargs == 0 and isinstance(one.const, bool))
    return {**told, "values": [] if flag else None}


if __name__ == "__main__":
    main(*sys.argv[1:])
