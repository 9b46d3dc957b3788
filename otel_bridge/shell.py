"""The program `otel-bridge`: `run` and `emit` as scripts write them go straight to their work, everything else to `commands/`.

Both are called in loops, and click alone would cost them more than all they do. What is asked for help, or written in another
way, is click's: it ends in the same functions.
"""

import _signal as signal  # type: ignore[import-not-found]  # `signal` wraps it in enums, for 1.5 M instructions
import os
import sys


def main() -> object:
    """Do what the command line says; returns what the process exits with, unless it has left already.

    `run` and `emit` leave at once: they hold nothing that has to be put away, and the interpreter takes 10 M instructions for that.
    """
    verb, words = "".join(sys.argv[1:2]), sys.argv[2:]
    if verb in ("run", "emit") and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends us as it ends a command, without a traceback
    if verb == "run":
        product, command = _running(words)
        if command:
            from .program import run

            os._exit(run(product, command))
    if verb == "emit":
        product, event, pairs = _emitting(words)
        if product and event:
            from .program import emit

            os._exit(emit(product, event, pairs))
    from .commands import main as verbs

    return verbs(prog_name="otel-bridge")


def _running(words: "list[str]") -> "tuple[str, list[str]]":
    """The product and the command of `--product P -- COMMAND ARGS`; no command for anything else."""
    if words[:1] == ["--product"] and words[2:3] == ["--"] and _named(words[1]):
        return words[1], words[3:]
    return "", []


def _emitting(words: "list[str]") -> "tuple[str, str, list[tuple[str, str]]]":
    """The product, the event and the pairs of `EVENT key=value ... --product P` in any order; no event for anything else."""
    product, event = "", ""
    pairs: list[tuple[str, str]] = []
    left = iter(words)
    for word in left:
        key, equals, value = word.partition("=")
        if word == "--product":
            product, value = next(left, ""), product
        elif key[:1] == "-" or (equals and not (key and event)):
            return "", "", []
        elif equals:
            pairs.append((key, value))
            continue
        else:
            event, value = word, event
        if value:  # said twice
            return "", "", []
    return (product, event, pairs) if _named(product) else ("", "", [])


def _named(product: str) -> bool:
    """Whether a word is the name of a product, as `commands/` checks it."""
    plain = product.replace("-", "a").replace(".", "a").replace("_", "a")
    return plain.isascii() and plain.isalnum() and product == product.lower() and product[0].isalnum()
