"""Find the declaration that `otel-bridge register` has put into the person's data folder, for a tool that carries none itself.

A run loads this file only when it needs it, so it imports next to nothing. What it finds is executed, as the interpreter would
execute a module of a package (constants, with their bytecode kept beside them). So it has to belong to the effective user, and
nobody else may write it: with `sudo` in a person's home nothing is found.
"""

import os
from _frozen_importlib_external import SourceFileLoader

from .paths import _home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

_CACHE = "/__pycache__"
PACKAGES = ".packages"  # a folder of links: the name of a package, to the folder of the product that it belongs to


def folder() -> str:
    """The folder of everything registered, one folder a product. Raises FileNotFoundError without a home."""
    return _home(b"XDG_DATA_HOME", "/.local/share") + "/otel-bridge"


def products() -> "list[str]":
    """The names of all registered products."""
    try:
        return [name for name in os.listdir(folder()) if file_of(name)]
    except OSError:
        return []


def file_of(product: str) -> str:
    """The file of the declaration of a product; empty when there is none, or somebody else could have written it."""
    try:
        root = folder()
        here = f"{root}/{product}"
        places = root, here, here + "/_telemetry.py", here + _CACHE
        return places[2] if "/" not in product and product[:1] not in ("", ".") and all(map(_mine, places)) else ""
    except (AttributeError, OSError):  # Windows, where nothing is recorded; there is no home, or nothing there
        return ""


def of_product(name: str) -> "ModuleType | None":
    """The declaration of a product, as a module with `__file__`, PRODUCT and so on; None when there is none to be trusted.

    Raises SyntaxError and the like for a file that somebody has edited.
    """
    file = file_of(name)
    if not file:
        return None
    loader = SourceFileLoader("otel_bridge.registered." + name, file)
    module = type(os)(loader.name)
    module.__file__ = file
    exec(loader.get_code(loader.name), module.__dict__)  # type: ignore[arg-type]
    return module


def of_package(name: str) -> "ModuleType | None":
    """The declaration of the product that a package belongs to, found without a look at any other; None as for `of_product`."""
    try:
        product = os.readlink(f"{folder()}/{PACKAGES}/{name}")[len("../") :]
    except OSError:
        return None
    found = of_product(product)
    return found if found is not None and name == found.PACKAGE else None


def of_module(name: str, problem: ImportError) -> "ModuleType":
    """The declaration of the product that a module belongs to, by the nearest package above it; raises `problem` for none."""
    while name:
        found = of_package(name)
        if found is not None:
            return found
        name = name.rpartition(".")[0]
    raise problem


def of_another_process(resource: str) -> str:
    """What `record` has written of product and platform, as JSON, for a process of ours: without our interpreter."""
    begins = '{"key":'  # in no value, for a quote in a text is escaped there
    kept = [begins + one.rstrip(",") for one in resource[1:-1].split(begins)[1:] if not one.startswith('"process.runtime.')]
    return "[" + ",".join(kept) + "]"


def _mine(path: str) -> bool:
    """Whether nobody but the effective user can have made or changed a file or folder. Raises OSError where there is none."""
    try:
        held = os.stat(path)
    except FileNotFoundError:
        if path.endswith(_CACHE):  # the first time
            return True
        raise
    return held.st_uid == os.geteuid() and not held.st_mode & 0o022
