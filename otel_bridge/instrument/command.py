"""Record each call of a function as a run of its product: for programs that are not started by an installed script."""

import sys
from collections.abc import Callable
from functools import WRAPPER_ASSIGNMENTS, update_wrapper
from typing import Any

from ..auto import wrapped


def command(main: Any = None, *, package: str = "") -> Any:
    """A decorator for the function, or the click command, that a program begins with: `@otel_bridge.command`.

    The product is the one of `package`, by default the top package of the function: one that carries `_telemetry.py`, or that
    `otel-bridge register` knows. Each call asks for consent anew; what a product registered as `otel_bridge.auto...` does is
    recorded once all the same. The decorated object takes the arguments of the plain one, and returns and raises the same.
    """
    if main is None:
        return lambda found: command(found, package=package)
    module = package or str(getattr(main, "__module__", None) or getattr(getattr(main, "callback", None), "__module__", ""))
    if module == "__main__":  # a script, or `python -m`
        module = str(sys.modules["__main__"].__dict__.get("__package__") or "__main__")
    found = wrapped(module, main)
    return update_wrapper(found, main, WRAPPER_ASSIGNMENTS) if isinstance(found, Callable) and found is not main else found  # type: ignore[arg-type]
