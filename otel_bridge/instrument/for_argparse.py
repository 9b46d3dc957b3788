"""Learn from argparse which command runs, which options the person set, and the values that its parser closes.

Listens to `ArgumentParser._get_values`, which argparse calls once for every action that it takes, abbreviations resolved.
"""

import argparse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..record import Run


def watch(run: "Run") -> "Callable[[], None]":
    """Listen until the returned function is called."""
    original = argparse.ArgumentParser._get_values

    def get_values(self: argparse.ArgumentParser, action: argparse.Action, arg_strings: "list[str]") -> "Any":
        value = original(self, action, arg_strings)
        try:
            _note(run, action, arg_strings, value)
        except Exception as problem:
            from ..errors import swallow

            swallow(problem)
        return value

    def unwatch() -> None:
        if argparse.ArgumentParser._get_values is get_values:
            argparse.ArgumentParser._get_values = original  # type: ignore[method-assign]

    argparse.ArgumentParser._get_values = get_values  # type: ignore[method-assign]
    return unwatch


def _note(run: "Run", action: argparse.Action, words: "list[str]", value: "Any") -> None:
    if isinstance(action, argparse._SubParsersAction):
        path = run.parsed.get("otel_bridge.command")
        run.parsed["otel_bridge.command"] = f"{path} {value[0]}" if path else value[0]
        return
    if action.option_strings:
        names: list[object] = run.parsed.setdefault("otel_bridge.options", [])  # type: ignore[assignment]
        names.append(max(action.option_strings, key=len))
        run.told.add(action.dest)
    elif words:
        run.told.add(action.dest)
    key = f"{run.prefix}.option.{action.dest}"
    if action.choices is not None:
        run.parsed[key] = value
    elif action.nargs == 0 and isinstance(action.const, bool):
        run.parsed[key] = action.const
