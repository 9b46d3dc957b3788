"""A real exception that a text is all over."""

import json
import re
from functools import lru_cache
from typing import Any

import click


@lru_cache(maxsize=1)
def raised(value: str) -> BaseException:
    """A real exception that a text is all over: message, note, cause, class, and file, module and function of the private frames.

    Between those stand public frames, of `json` and of click, and one that says it is of `json` and is not.
    """
    kind = type(value, (ValueError,), {"__module__": value, "__doc__": value})
    private: dict[str, Any] = {"__name__": value, "kind": kind, "value": value}
    exec(compile(_SOURCE + f"# {value!r}\n", f"/home/{value}/tool.py", "exec"), private)
    act, lie = private["act"], private["lie"]
    act.__code__ = act.__code__.replace(co_name=value, co_qualname=value)
    letters = re.sub(r"\W", "", value, flags=re.ASCII)[:60] or "x"
    lie.__code__ = lie.__code__.replace(co_filename=json.__file__, co_name=letters, co_qualname=letters)
    command = click.Command(value, callback=lambda: json.loads("{}", object_hook=lie))
    try:
        command.main([], standalone_mode=False)
    except ValueError as problem:
        problem.add_note(value)
        return problem
    raise AssertionError(value)


_SOURCE = """
def act(*given):
    local = value
    raise kind(value) from KeyError(value)

def lie(*given):
    return act(*given)
"""
