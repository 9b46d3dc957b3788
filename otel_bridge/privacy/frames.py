"""Reduce an exception to the public part of its stack: module, function and line of the standard library and of listed
distributions; whatever else stands between them is `<private>`, and the message is never looked at.

What a frame says of itself is not believed: the file of its code must be a file of the standard library or one that a listed
distribution has installed, its module is named after that file, and its globals must be those of that module.
"""

import os
import sys
import sysconfig
from collections import deque
from functools import lru_cache
from importlib.metadata import Distribution, PackageNotFoundError
from types import FrameType, TracebackType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import Facts, Parameters, Scalar

HIDDEN = "<private>"
LONGEST = 60  # characters of a module or a function: what the collector's pattern can count for 16 frames
DEEPEST = 200  # frames that are looked at, from the innermost
_LIBRARY = os.path.realpath(sysconfig.get_path("stdlib"))


def reduce(value: object, parameters: "Parameters", facts: "Facts") -> "list[Scalar] | None":
    """(distributions, max): `module:function:line`, the innermost last and at most `max`, of an exception or a traceback."""
    try:
        if issubclass(type(value), BaseException):
            value = vars(BaseException)["__traceback__"].__get__(value)  # no property of a stranger's class
        if type(value) is not TracebackType:
            return None
        distributions, most = parameters
        return _told(value, distributions, most)
    except Exception:
        return None


def _told(traceback: TracebackType | None, distributions: str, most: int) -> "list[Scalar]":
    """The frames that are public, in order."""
    installed = _installed(distributions)
    found: deque[tuple[FrameType, int | None]] = deque(maxlen=DEEPEST)  # the innermost
    while traceback is not None:
        found.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    return list(_standing([_public(frame, line, installed) for frame, line in found], distributions)[-most:])


def _public(frame: FrameType, line: int | None, installed: dict[str, str]) -> str:
    """A frame as `module:function:line` when its code is public."""
    code = frame.f_code
    if "\0" in code.co_filename:  # no path at all
        return HIDDEN
    name = _library_module(code.co_filename) or installed.get(os.path.realpath(code.co_filename), "")
    module = sys.modules.get(name)
    if not name or module is None or vars(module) is not frame.f_globals:
        return HIDDEN
    if line not in {one for _, _, one in code.co_lines()}:  # a traceback can be made with any number in it
        return HIDDEN
    return f"{name}:{code.co_qualname}:{line}"


def standing(value: object, parameters: "Parameters") -> "list[str] | None":
    """What this policy could have said, of a list: a frame that is not of a module installed here, with a function and a line that
    it has, is `<private>` (a library that was upgraded since); None for what is no such list."""
    distributions, most = parameters
    if type(value) is not list or len(value) > most or not all(type(frame) is str for frame in value):
        return None
    return _standing(value, distributions)


def _standing(told: "list[str]", distributions: str) -> "list[str]":
    """Frames that public source has, and one `<private>` for all others in a row: how many there are is private too."""
    files = {module: file for file, module in _installed(distributions).items()}
    frames = [frame if _stands(frame, files) else HIDDEN for frame in told]
    return [frame for at, frame in enumerate(frames) if frame != HIDDEN or frames[at - 1 : at] != [HIDDEN]]


def _stands(frame: str, files: dict[str, str]) -> bool:
    """Whether the public source of a module has such a function, and so many lines."""
    name, _, rest = frame.partition(":")
    function, _, line = rest.partition(":")
    if not 0 < len(name) <= LONGEST or not 0 < len(function) <= LONGEST or set(name + function) - _LETTERS or not line.isdecimal():
        return False
    path = os.path.join(_LIBRARY, *name.split("."))
    found = next((one for one in (path + ".py", os.path.join(path, "__init__.py")) if os.path.isfile(one)), "")
    file = found if found and _library_module(found) == name else files.get(name, "")
    words = [word for word in function.split(".") if word not in _MADE]
    text = _source(file) if file else ""
    return 0 < int(line[:9]) <= text.count("\n") + 1 and all(word.isidentifier() and word in text for word in words)


@lru_cache(maxsize=64)
def _source(file: str) -> str:
    try:
        with open(file, encoding="utf-8", errors="replace") as source:
            return source.read()
    except OSError:
        return ""


_MADE = ("<module>", "<lambda>", "<locals>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
_LETTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.<>")


@lru_cache(maxsize=1024)
def _library_module(file: str) -> str:
    """The module of the standard library that a file is; empty when it is none."""
    if file.startswith("<frozen ") and file.endswith(">"):
        name = file[len("<frozen ") : -1]
    else:
        path = os.path.realpath(file)
        if not path.startswith(_LIBRARY + os.sep):
            return ""
        name = _dotted(os.path.relpath(path, _LIBRARY))
    top = name.partition(".")[0]
    return name if top in sys.stdlib_module_names else ""


@lru_cache(maxsize=16)
def _installed(distributions: str) -> dict[str, str]:
    """The module that each file is that one of these distributions has installed, and that has still the size it says."""
    found = {}
    for name in distributions.split("\n")[1:-1]:
        try:
            one = Distribution.from_name(name)
        except (PackageNotFoundError, ValueError):
            continue
        for file in one.files or ():
            path = os.path.realpath(str(file.locate()))
            if file.suffix == ".py" and ".." not in file.parts and os.path.isfile(path) and os.path.getsize(path) == file.size:
                found[path] = _dotted(str(file))
    return found


def _dotted(relative: str) -> str:
    """`json/decoder.py` as `json.decoder`; empty for what is no source file."""
    if not relative.endswith(".py"):
        return ""
    return relative[: -len(".py")].replace(os.sep, ".").removesuffix(".__init__")
