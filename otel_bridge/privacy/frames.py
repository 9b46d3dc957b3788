"""Reduce an exception to the public part of its stack: module, function and line of the standard library and of listed
distributions; whatever else stands between them is `<private>`, and the message is never looked at.

What a frame says of itself is not believed: the file of its code must be a file of the standard library or one that a listed
distribution has installed, its module is named after that file, and its globals must be those of that module.
"""

import os
import sys
import sysconfig
from importlib.metadata import Distribution, PackageNotFoundError
from types import FrameType, TracebackType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import Facts, Parameters, Scalar

HIDDEN = "<private>"
LONGEST = 60  # characters of a module or a function: what the collector's pattern can count for 16 frames
DEEPEST = 10_000  # frames that are looked at
_LIBRARY = os.path.realpath(sysconfig.get_path("stdlib"))
_THIRD = ("site-packages", "dist-packages", "__pycache__")


def reduce(value: object, parameters: "Parameters", facts: "Facts") -> "list[Scalar] | None":
    """(distributions, max): `module:function:line`, the innermost last and at most `max`, of an exception or a traceback."""
    try:
        if issubclass(type(value), BaseException):
            value = vars(BaseException)["__traceback__"].__get__(value)  # no property of a stranger's class
        if type(value) is not TracebackType:
            return None
        distributions, most = parameters
        return _told(value, distributions.split("\n")[1:-1], most)
    except Exception:
        return None


def _told(traceback: TracebackType | None, distributions: "list[str]", most: int) -> "list[Scalar]":
    found: list[Scalar] = []
    installed = _installed(distributions)
    for _ in range(DEEPEST):
        if traceback is None:
            break
        told = _public(traceback.tb_frame, traceback.tb_lineno, installed)
        if told != HIDDEN or found[-1:] != [HIDDEN]:  # how many private frames there are is private too
            found.append(told)
        traceback = traceback.tb_next
    return found[-most:]


def _public(frame: FrameType, line: int | None, installed: dict[str, str]) -> str:
    """A frame as `module:function:line` when its code is public."""
    code = frame.f_code
    if "\0" in code.co_filename:  # no path at all
        return HIDDEN
    name = _library_module(code.co_filename) or installed.get(os.path.realpath(code.co_filename), "")
    module = sys.modules.get(name)
    if not name or module is None or vars(module) is not frame.f_globals or type(line) is not int:
        return HIDDEN
    words = (name, code.co_qualname)
    if not all(0 < len(word) <= LONGEST and word.isascii() and not set(word) - _LETTERS for word in words):
        return HIDDEN
    return f"{name}:{code.co_qualname}:{line}"


def stand(value: object, parameters: "Parameters") -> bool:
    """Whether a list says what this policy could have said: of modules installed here, with functions and lines that they have."""
    distributions, most = parameters
    if type(value) is not list or len(value) > most:
        return False
    try:
        files = {module: file for file, module in _installed(distributions.split("\n")[1:-1]).items()}
        return all(type(frame) is str and (frame == HIDDEN or _stands(frame, files)) for frame in value)
    except (OSError, ValueError):  # gone since, or no path at all
        return False


def _stands(frame: str, files: dict[str, str]) -> bool:
    name, _, rest = frame.partition(":")
    function, _, line = rest.partition(":")
    path = os.path.join(_LIBRARY, *name.split("."))
    found = next((one for one in (path + ".py", os.path.join(path, "__init__.py")) if os.path.isfile(one)), "")
    file = found if found and _library_module(found) == name else files.get(name, "")
    if not file or not function.isascii() or not line.isdigit():
        return False
    with open(file, encoding="utf-8", errors="replace") as source:
        text = source.read()
    words = [word for word in function.split(".") if word not in _MADE]
    return int(line[:9]) <= text.count("\n") + 1 and all(word.isidentifier() and word in text for word in words)


_MADE = ("<module>", "<lambda>", "<locals>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
_LETTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.<>")


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
    return name if top in sys.stdlib_module_names and top not in _THIRD else ""


def _installed(distributions: "list[str]") -> dict[str, str]:
    """The module that each file is that one of these distributions says it has installed."""
    found = {}
    for name in distributions:
        try:
            one = Distribution.from_name(name)
        except (PackageNotFoundError, ValueError):
            continue
        for file in one.files or ():
            if file.suffix == ".py" and ".." not in file.parts:
                found[os.path.realpath(str(file.locate()))] = _dotted(str(file))
    return found


def _dotted(relative: str) -> str:
    """`json/decoder.py` as `json.decoder`; empty for what is no source file."""
    if not relative.endswith(".py"):
        return ""
    return relative[: -len(".py")].replace(os.sep, ".").removesuffix(".__init__")
