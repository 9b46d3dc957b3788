"""Ask a product's own parser, in a child process, which commands and options there are."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from . import walk

PATIENCE = 30.0  # seconds for a product to be imported, and to ask its parser
PARSERS = ("argparse", "click", "typer")


@dataclass(frozen=True)
class Parameter:
    """An option or an argument of a command.

    `option` is its canonical, longest spelling, empty for an argument. `values` is the set that the parser closes: empty for a
    flag, None where anything goes; `odd` says why a closed set cannot be told.
    """

    name: str
    option: str
    values: tuple[str, ...] | None
    many: bool = False
    odd: str = ""


@dataclass(frozen=True)
class Command:
    """A command by its path, "" for the program itself; `runs` when it does something without a sub-command."""

    path: str
    runs: bool
    parameters: tuple[Parameter, ...]


ALONE = (Command("", True, ()),)  # a product of which nothing is known


def discover(root: Path, package: Path, module: str, function: str) -> tuple[tuple[Command, ...], str]:
    """The commands behind an entry point, those above before those below, and why there are none.

    `root` is the folder that Python imports from, `package` that of the product's code. Never raises for what the product does.
    """
    with TemporaryDirectory() as folder:
        result = Path(folder) / "commands.json"
        words = (str(walk.__file__), str(root), module, function, ",".join(_named(package)), str(result))
        # The product asks no telemetry of its own whether it may, writes no bytecode, and finds no terminal.
        environment = {**os.environ, "DO_NOT_TRACK": "1", "OTEL_SDK_DISABLED": "true", "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                [sys.executable, "-P", *words],
                cwd=root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            return (), f"it did not answer within {PATIENCE:g} seconds"
        if not result.exists():
            return (), f"it left with status {done.returncode}"
        told = json.loads(result.read_text(encoding="utf-8"))
    found = (Command(one["path"], one["runs"], tuple(map(_parameter, one["parameters"]))) for one in told["commands"])
    return tuple(found), told["problem"]


def _parameter(told: dict[str, object]) -> Parameter:
    values = told["values"]
    closed = tuple(map(str, values)) if isinstance(values, list) else None
    return Parameter(str(told["name"]), str(told["option"]), closed, bool(told["many"]), str(told.get("odd", "")))


def _named(package: Path) -> list[str]:
    """The parsers that a package's code names."""
    text = b"\n".join(file.read_bytes() for file in sorted(package.rglob("*.py")) if file.is_file())
    return [one for one in PARSERS if one.encode() in text]


def joined(found: Iterable[Command]) -> tuple[Command, ...]:
    """The commands of several scripts of one product as those of one."""
    by_path: dict[str, Command] = {}
    for one in found:
        other = by_path.get(one.path, Command(one.path, False, ()))
        new = tuple(each for each in one.parameters if each not in other.parameters)
        by_path[one.path] = replace(other, runs=other.runs or one.runs, parameters=(*other.parameters, *new))
    return tuple(by_path.values())
