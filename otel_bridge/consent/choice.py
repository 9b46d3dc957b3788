"""Keep what the person chose: a mode, the moment from which it holds, and what is refused all the same."""

import os
import shutil
import sys

import otel_bridge

from ..clock import moment, now
from ..errors import SettingsError
from ..paths import choice_for_all, mine, read_flat, rewrite, state_dir


def file_of(product: str) -> str:
    """The file of the choice for a product, or, for an empty name, for all products. Raises SettingsError without a home."""
    try:
        return state_dir(product) + "/choice" if product else choice_for_all()
    except OSError as problem:
        raise SettingsError(f"there is no place to keep a choice: {problem}") from None


def choose(product: str, mode: str, refused: "list[str] | None" = None) -> str:
    """Write a choice down, whole or not at all; returns its file.

    `mode` is on, local, off, or empty when nobody chose; `refused` replaces what was refused so far, None leaves it. Raises
    SettingsError.
    """
    path = file_of(product)
    try:
        if not mine(path[: path.rindex("/")]):
            raise PermissionError("this home belongs to somebody else; run it as that person")
        kept = " ".join(refusals(product) if refused is None else sorted(set(refused)))
        before = _pairs(product)
        since = before.get("since", "") if before.get("telemetry") == mode else ""  # said again, it holds as long as before
        lines = {"telemetry": mode, "since": (since or moment(now())) if mode else "", "refused": kept}
        text = "".join(f"{key} = {value}\n" for key, value in lines.items() if value)
        if text:
            rewrite(path, text)
        elif os.path.lexists(path):  # nothing is chosen any more
            os.unlink(path)
    except OSError as problem:
        raise SettingsError(f"{path}: the choice cannot be kept: {problem.strerror or problem}") from None
    return path


def mode_of(product: str) -> str:
    """The mode that was chosen, or an empty string."""
    return _pairs(product).get("telemetry", "")


def refusals(product: str) -> list[str]:
    """The categories and events that are refused, as `category:NAME` and `event:NAME`."""
    return _pairs(product).get("refused", "").split()


def _pairs(product: str) -> dict[str, str]:
    try:
        return read_flat(file_of(product), "person") or {}
    except (OSError, UnicodeDecodeError):  # it will be written anew
        return {}


def command_for(product: str, verb: str) -> str:
    """What to type for a verb of this product: the product's own command where it has one, else `otel-bridge`."""
    if otel_bridge.mounted:
        return f"{os.path.basename(sys.argv[0])} {otel_bridge.mounted} {verb}"
    program = "otel-bridge" if shutil.which("otel-bridge") else f"{sys.executable} -m otel_bridge.commands"
    return f"{program} {verb} --product {product}"
