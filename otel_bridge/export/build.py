"""Tell a product's own build from a fork or a rebuild that carries its declaration under another name."""

import importlib.metadata
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..schema.compile import Compiled


def renamed(declared: Compiled) -> str:
    """Why this build is not the one that was declared, or an empty string.

    Compares the distribution that was compiled in with those that have installed this very file; where none is known to (a
    checkout, a zip file) nothing can be compared.
    """
    if not declared.distribution:
        return ""
    found = sorted({one.name for one in _owners(declared.file)})
    if not found or _plain(declared.distribution) in map(_plain, found):
        return ""
    return f"installed as {found[0]}, which has not declared itself; it was declared for {declared.distribution}"


def _owners(file: Path) -> Iterator[importlib.metadata.Distribution]:
    """The distributions that have installed a file, beside it or, editable, in this environment."""
    folders = [str(folder) for folder in file.parents] + sys.path
    for one in importlib.metadata.distributions(path=folders):
        listed = {Path(str(one.locate_file(path))).resolve() for path in one.files or () if path.name == file.name}
        if file.resolve() in listed or any(_within(file.resolve(), folder) for folder in _editable(one)):
            yield one


def _within(file: Path, folder: Path) -> bool:
    """Whether a file belongs to the project in a folder, and not to another one that lies in it."""
    between = [one for one in file.parents if one != folder and one.is_relative_to(folder)]
    return file.is_relative_to(folder) and not any((one / "pyproject.toml").exists() for one in between)


def _editable(one: importlib.metadata.Distribution) -> list[Path]:
    """The folder that an editable installation points to (PEP 610)."""
    try:
        told = json.loads(one.read_text("direct_url.json") or "{}")
        url = urlsplit(told["url"])
        return [Path(unquote(url.path))] if url.scheme == "file" and told["dir_info"]["editable"] else []
    except (ValueError, TypeError, KeyError, AttributeError, OSError):  # not editable, or somebody's own form
        return []


def _plain(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
