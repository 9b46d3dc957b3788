"""Tell the person, once and only on a terminal, what a product would record; and again when that becomes more."""

import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..clock import moment, now
from ..errors import swallow
from ..paths import mine, read_flat, rewrite, state_dir
from . import LOCAL, OFF, ON, agreed, decide, identity, surroundings
from .choice import choose, command_for

if TYPE_CHECKING:
    from . import Decision


def run(
    declared: ModuleType, decision: "Decision", main: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]
) -> object:
    """Run `main` unrecorded, for nobody has chosen yet; once it is over, show the notice."""
    quiet = True
    try:
        result = main(*args, **kwargs)
        quiet = False
        return result
    except SystemExit:
        quiet = False
        raise
    finally:
        if not quiet and decide(declared.PRODUCT).shown is not None:  # else this very command was the choice
            show(declared)


def prepared(
    declared: Any, decision: "Decision", folder: str, known: dict[str, str]
) -> tuple[dict[str, str], Any, Callable[[], object]]:
    """What is known of this installation, asked anew; the declaration as far as it is agreed to; what to do afterwards.

    What was added since the person was told is left out until it was shown, unless a variable or the choice for all products
    says on. Raises OSError.
    """
    if decision.mode == OFF:  # shown on standard error, so nothing is written
        return known, agreed.narrowed(declared, decision.refused, None), int
    told = agreed.read(folder)
    added = decision.mode == ON and told is not None and agreed.more(declared, told)
    if not added and decision.mode == ON:
        agreed.write(folder, declared)
    known = identity.refresh(declared, folder, shown=not added)
    held = told if added and decision.source.startswith(folder) else None
    whole = declared
    if held is not None or decision.refused:
        declared = agreed.narrowed(whole, decision.refused, held)
    return known, declared, (lambda: show(whole)) if added else int


def show(declared: Any) -> None:
    """Show the notice of a product unless it was shown; first kept on disk, then printed. Never raises."""
    try:
        folder = state_dir(declared.PRODUCT)
        if not _terminal() or not mine(folder):
            return
        with identity.locked(folder + "/notice.lock") as held:
            before = (read_flat(folder + "/notice", "person") or {}) if held else {"declaration": declared.DIGEST}
            told = agreed.read(folder)
            if before.get("declaration") == declared.DIGEST:
                return
            new = told is None or agreed.more(declared, told) or before.get("default", declared.DEFAULT) != declared.DEFAULT
            pairs = {"shown": moment(now()) if new or "shown" not in before else before["shown"]}
            pairs.update(declaration=declared.DIGEST, default=declared.DEFAULT)
            text = "\n" + "\n".join(lines(declared, again=bool(told))) + "\n"  # as long as what it says still holds
            agreed.write(folder, declared)
            rewrite(folder + "/notice", "".join(f"{key} = {value}\n" for key, value in pairs.items()))
            if new:
                sys.stderr.write(text)
    except Exception as problem:
        swallow(problem)


def _terminal() -> bool:
    """Whether a person sits there, and did not ask for JSON."""
    json = any("json" in word.lower() for word in sys.argv[1:])
    return not json and not surroundings() and all(os.isatty(fd) for fd in (0, 1, 2))


def lines(declared: Any, again: bool = False) -> list[str]:
    """The notice of a product: what it is for, that it is on or off, and the exact commands."""
    product, mode = declared.PRODUCT, decide(declared.PRODUCT).mode
    told = [f"{product} collects usage data{', and now more than before' if again else ''}."]
    told += [declared.NOTICE] if declared.NOTICE else []
    if mode == ON:
        told.append("It is on: declared values, never names, paths or free text.")
    elif declared.DEFAULT == "opt_out" and mode != LOCAL:
        told.append("It will be on from the next run: declared values, never names or free text.")
    else:
        told.append("It is off, and stays off until you turn it on.")
    rows = [("what and why", "list"), ("turn it on", "on"), ("turn it off", "off")]
    told += [f"  {what + ':':14} {command_for(product, verb)}" for what, verb in rows]
    return [*told, f"  {'more:':14} {declared.DOCUMENTATION}"] if declared.DOCUMENTATION else told


def ask(declared: Any) -> str:
    """Ask the person on the terminal and keep the answer; returns the mode. See `otel_bridge.ask`."""
    product = declared.PRODUCT
    decision = decide(product)
    if decision.shown is None or not _terminal():
        return decision.mode
    about = f"{product} would like to collect usage data. {declared.NOTICE}"
    sys.stderr.write(f"{about}\n  {'what and why:':14} {command_for(product, 'list')}\nMay it? [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:  # the terminal went away: nobody answered
        return decision.mode
    choose(product, ON if answer.strip().lower() in ("y", "yes") else OFF)
    agreed.write(state_dir(product), declared)
    return decide(product).mode
