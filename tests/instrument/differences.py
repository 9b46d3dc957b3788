"""The differences between a program and the same one with telemetry that cannot be avoided; nothing else may differ."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass

FRAME = re.compile(rb'  File "[^"\n]*/otel_bridge/[^"\n]*", line \d+,? in \w+\n(?:    .*\n)*')


@dataclass(frozen=True)
class Known:
    """A difference that cannot be avoided: why, what makes both outputs equal, and in which variants it is."""

    reason: str
    equal: Callable[[bytes], bytes]
    variants: tuple[str, ...] = ("on", "due")


def changed(*pairs: tuple[str, str]) -> Callable[[bytes], bytes]:
    """What puts other text in the place of ours, by patterns."""

    def equal(text: bytes) -> bytes:
        for ours, bare in pairs:
            text = re.sub(ours.encode(), bare.encode(), text, flags=re.MULTILINE)
        return text

    return equal


def frames(number: int) -> Callable[[bytes], bytes]:
    """What takes a number of frames of ours out of what was printed."""
    return lambda text: FRAME.sub(b"", text) if len(FRAME.findall(text)) == number else text


def without_standard_modules(text: bytes) -> bytes:
    """What takes all modules of Python's own library out of a list of modules."""
    words = text.decode().partition("\n[")[0].split()
    return " ".join(word for word in words if word.partition(".")[0] not in sys.stdlib_module_names).encode()


WARNED = r".*: DeprecationWarning: told to the caller\n.*\n"
STACK = "a program that prints its own whole call stack sees the two functions of ours that called it"
DEPTH = "the limit is raised by our two frames, so that main has the depth it had; a limit of its own, and other threads, show it"
CALLER = "a warning for the caller of main is one for us"
LATER = "a finder waits for the parser that main may import, until main has returned"
FIRST = "the first run of all makes an identity, and imports for that what Python brings along"
PROFILE = "a profiler that main leaves behind sees our two functions return, and none that they call"
KNOWN = {
    "stacks print_stack": Known(STACK, frames(2)),
    "stacks inspect": Known(STACK, frames(2)),
    "stacks faulthandler": Known(STACK, frames(2)),
    "stacks recursion": Known(STACK, frames(2)),
    "stacks crash": Known(STACK, frames(2)),
    "stacks timeout": Known(STACK, frames(2)),
    "click_group where": Known(STACK, frames(2)),
    "argparse_commands act --stack": Known(STACK, frames(2)),
    "interpreter limits": Known(DEPTH, changed(("^1002 ", "1000 "))),
    "interpreter PYTHONTRACEMALLOC=3 limits": Known(DEPTH, changed(("^1002 ", "1000 "))),
    "interpreter PYTHONINSPECT=1 limits": Known(DEPTH, changed(("^1002 ", "1000 "))),
    "recursion caught": Known(DEPTH, changed(("\n1002\n", "\n1000\n"))),
    "recursion limited": Known(DEPTH, changed(("194 ", "196 "))),
    "recursion raised": Known(DEPTH, changed(("2994 ", "2996 "))),
    "recursion deep-caught": Known(DEPTH, changed(("19994 ", "19996 "))),
    "recursion thread": Known(DEPTH, changed(("997 ", "995 "))),
    "recursion too-low": Known(DEPTH, changed(("depth 5", "depth 3"), ("[45] cannot.*\n", ""), ("6 is", "4 is"))),
    "warns caller": Known(CALLER, changed((WARNED, ""))),
    "warns PYTHONWARNINGS=always caller": Known(CALLER, changed((WARNED, ""))),
    "changes_python profile": Known(PROFILE, changed((r"^c_\w+ run\n", ""), (r"^\w+ (run|entry)\n", ""))),
    "interpreter hooks": Known(LATER, changed(("'Later', ", ""))),
    "interpreter PYTHONDEVMODE=1 hooks": Known(LATER, changed(("'Later', ", ""))),
    "process exit": Known("the sender is the one child that is left", changed((r"children \d+ ", "children ")), ("due",)),
    "interpreter modules": Known(FIRST, without_standard_modules, ("due",)),
    "interpreter modules exit": Known(FIRST, without_standard_modules, ("due",)),
    "interpreter PYTHONDEVMODE=1 modules exit": Known(FIRST, without_standard_modules, ("due",)),
}
