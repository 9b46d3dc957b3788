"""Learn from argparse which command runs, which options the person set, and the values that its parser closes.

Listens to three steps of the parser: `_get_positional_actions` (it begins), `_match_argument` (it takes an option, abbreviations
and joined short options resolved) and `_match_arguments_partial` (it takes arguments). Each has returned before a `type=` or an
action of the product is called: no frame of ours ever stands on the stack while the product's own code runs.
"""

import argparse
import os
import sys

import otel_bridge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..record import Run

_STEPS = ("_get_positional_actions", "_match_argument", "_match_arguments_partial")


def watch(run):
    # type: (Run) -> Callable[[], None]
    """Listen until the returned function is called."""
    parser = argparse.ArgumentParser
    originals = [getattr(parser, step) for step in _STEPS]
    begun: list[argparse.ArgumentParser] = []

    def heard(original, note):
        # type: (Any, Callable[..., None]) -> Any
        def step(self, *args):
            # type: (argparse.ArgumentParser, *Any) -> Any
            found = original(self, *args)
            try:
                note(run, begun, self, found, *args)
            except Exception as problem:
                otel_bridge._swallow(problem)
            return found

        return step

    notes: tuple[Callable[..., None], ...] = (_begin, _option, _arguments)
    ours = [heard(original, note) for original, note in zip(originals, notes, strict=True)]
    for name, one in zip(_STEPS, ours, strict=True):
        setattr(parser, name, one)

    def unwatch():
        # type: () -> None
        begun.clear()
        for name, original, one in zip(_STEPS, originals, ours, strict=True):
            if getattr(parser, name) is one:
                setattr(parser, name, original)

    return unwatch


def _begin(run, begun, parser, found):
    # type: (Run, list[argparse.ArgumentParser], argparse.ArgumentParser, Any) -> None
    """A parser begins: the one that was started, or that of a sub-command, whose first name is the one that counts."""
    if sys._getframe(2).f_code.co_name != "_parse_known_args":  # a parser is being built
        return
    path = ""
    if begun:
        above = next((one for one in begun[-1]._actions if isinstance(one, argparse._SubParsersAction)), None)
        name = next((name for name, one in above.choices.items() if one is parser), None) if above is not None else None
        if name is not None:
            path = f"{run.parsed.get('otel_bridge.command') or ''} {name}".lstrip()
    if not path:
        begun.clear()
        script = os.path.basename(sys.argv[0]) + " "
        if parser.prog.startswith(script):  # a parser of its own for each command: `prog="twine check"`
            path = parser.prog[len(script) :]
    run.parsed["otel_bridge.command"] = path or None
    run.parsed.setdefault("otel_bridge.options", [])
    begun.append(parser)
    for action in parser._actions:
        if action.option_strings and (action.choices is not None or (action.nargs == 0 and isinstance(action.default, bool))):
            run.parsed.setdefault(f"{run.prefix}.option.{action.dest}", _closed(action, action.default))


def _option(run, begun, parser, count, action, pattern):
    # type: (Run, list[argparse.ArgumentParser], argparse.ArgumentParser, int, argparse.Action, str) -> None
    """An option is taken, with `count` of the words that follow."""
    at = sys._getframe(2).f_locals  # of the parser, which has the words
    if isinstance(action, (argparse._HelpAction, argparse._VersionAction)):
        run.parsed["otel_bridge.help"] = "help" if isinstance(action, argparse._HelpAction) else "version"
    names: list[object] = run.parsed.setdefault("otel_bridge.options", [])  # type: ignore[assignment]
    both_ways = isinstance(action, argparse.BooleanOptionalAction)
    names.append(max((one for one in action.option_strings if not (both_ways and one.startswith("--no-"))), key=len))
    run.told.add(action.dest)
    key = f"{run.prefix}.option.{action.dest}"
    if action.choices is not None:
        start = at["start_index"] + 1
        words = [at["explicit_arg"]] if at["explicit_arg"] is not None else at["arg_strings"][start : start + count]
        run.parsed[key] = _closed(action, words[0] if action.nargs in (None, "?") and words else words)
    elif both_ways:
        run.parsed[key] = not at["option_string"].startswith("--no-")
    elif action.nargs == 0 and isinstance(action.const, bool):
        run.parsed[key] = action.const


def _arguments(run, begun, parser, counts, actions, pattern):
    # type: (Run, list[argparse.ArgumentParser], argparse.ArgumentParser, list[int], list[argparse.Action], str) -> None
    """Arguments are taken; a sub-command is one, and its parser will tell."""
    at = sys._getframe(2).f_locals
    start = at["start_index"]
    for action, count in zip(actions, counts, strict=False):
        if count and not isinstance(action, argparse._SubParsersAction):
            run.told.add(action.dest)
            if action.choices is not None and count == 1:
                run.parsed[f"{run.prefix}.option.{action.dest}"] = _closed(action, at["arg_strings"][start])
        start += count


def _closed(action, value):
    # type: (argparse.Action, object) -> object
    """A value as the parser's own closed set spells it; None for any other. Nothing of the product's own is asked or used up."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (list, tuple)):
        return [one for one in value if _closed(action, one) is not None]
    choices: Any = action.choices
    if type(choices) not in (list, tuple, set, frozenset, dict, range) or type(value) not in (str, int):
        return None
    return next((str(one) for one in choices if type(one) in (str, int) and str(one) == str(value)), None)
