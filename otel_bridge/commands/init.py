"""`otel-bridge init`: propose what makes a product's command line tell something, from its pyproject.toml and its parser."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from .. import schema
from ..errors import SchemaError
from ..scaffold import pyproject
from ..scaffold.declare import declare
from ..scaffold.discover import ALONE, Command, discover, joined
from ..schema.product import OWN, find
from . import put, stale
from .compile import outputs, package_of

_ENDPOINT = '# endpoint = "https://telemetry.example.org:4318"   # where records go: nowhere, until this names your collector'


@dataclass(frozen=True)
class Scripts:
    """The scripts of a product that are to be recorded: name, module and function of each, all in one package."""

    package: str
    folder: Path
    entries: tuple[tuple[str, str, str], ...]


@click.command("init")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--write", is_flag=True, help="Write the files; without this they are only shown.")
def command(folder: Path, write: bool) -> None:
    """Propose everything that the product in DIR needs, as one diff: scripts, settings, telemetry.yaml and what is compiled."""
    root = folder.absolute()
    notes: list[str] = []
    product, wanted = propose(folder, notes)
    found = stale(wanted)
    if not found:
        click.echo(f"{folder / 'pyproject.toml'}: nothing to propose; all of it is there", err=True)
        return
    for path in found:
        click.echo(_diff(path, wanted[path], str(path.relative_to(root).as_posix())), nl=False)
    notes += [f"{path.relative_to(root)}: a digest of public names, not shown" for path in found if path.suffix == ".digest"]
    for note in notes:
        click.echo(f"note: {note}", err=True)
    for path in reversed(found) if write else ():  # no script starts under our name before its declaration is there
        put(path, wanted[path])
        click.echo(f"{path.relative_to(root)}: written", err=True)
    if write:
        click.echo(f"next:\n  pip install --editable {folder}\n  otel-bridge on --product {product.product}", err=True)
    else:
        click.echo("nothing is written yet; `otel-bridge init --write` does that", err=True)


def propose(folder: Path, notes: list[str]) -> tuple[schema.Product, dict[Path, bytes]]:
    """The product, and every file that it needs with what belongs into it, pyproject.toml first; `notes` get what is to be told."""
    root, file = folder.absolute(), folder / "pyproject.toml"
    before, table = pyproject.read(file)
    entries = pyproject.scripts(file, table)
    tool = table.get("tool", {})
    settled = (folder / OWN).is_file() or (isinstance(tool, dict) and "otel-bridge" in tool)
    scripts = _scripts(file, entries, find(root / "telemetry.yaml").package if settled else "", table, notes)
    after = before
    for name, _, _ in scripts.entries:
        after = pyproject.instrumented(file, after, name)
    after = pyproject.depending(file, after)
    if pyproject.dynamic(table):
        notes.append(f"{file}: the dependencies are dynamic; add `{pyproject.NEEDED}` where they come from")
    if not settled:
        name = _product_name(table, scripts)
        settings = {"product": name, "family": name, "package": scripts.package, "default": "opt_in"}
        after = pyproject.with_settings(file, after, settings, _ENDPOINT)
    with TemporaryDirectory() as place:
        product = _as_written(root, Path(place), after)
        declared, wanted = root / "telemetry.yaml", {}
        if not declared.exists():
            text, left_out = declare(product, _commands(scripts, notes), _owner(table, product.product))
            notes += left_out
            wanted[declared], declared = text.encode(), Path(place) / "telemetry.yaml"
            declared.write_bytes(text.encode())
        compiled = outputs(schema.load(declared, product), scripts.folder)
    return product, {root / "pyproject.toml": after.encode(), **wanted, **compiled}


def _scripts(
    file: Path, entries: Mapping[str, tuple[str, str]], package: str, table: Mapping[str, Any], notes: list[str]
) -> Scripts:
    """The scripts of the product's package: the one in its settings, else that of its first script; raises SchemaError."""
    first = str(table["project"].get("name", "")) if table["project"].get("name", "") in entries else next(iter(entries))
    package = package or entries[first][0].partition(".")[0]
    chosen = []
    for name, (module, function) in entries.items():
        if module.partition(".")[0] != package.partition(".")[0]:
            notes.append(f"`{name}` stays as it is: it runs `{module}`, and the product's package is `{package}`")
        elif "." in function:
            notes.append(f"`{name}` stays as it is: `{function}` is an attribute of something else; name a function of the module")
        else:
            chosen.append((name, module, function))
    if not chosen:
        raise SchemaError(f"{file}: no script runs a function of the package `{package}`; write one, or correct `package`")
    folder = package_of(schema.Product("", package, file.parent.absolute())) if _there(file.parent, package) else None
    if folder is None:
        what = f"the package `{package}` of the script `{chosen[0][0]}` is no folder here or in `src`"
        raise SchemaError(f"{file}: {what}; move it there, or start the program with `otel-bridge run`")
    return Scripts(package, folder, tuple(chosen))


def _there(folder: Path, package: str) -> bool:
    parts = Path(*package.split("."))
    return (folder / parts).is_dir() or (folder / "src" / parts).is_dir()


def _product_name(table: Mapping[str, Any], scripts: Scripts) -> str:
    """The name of the project as a product has it; of the first script where it has none."""
    said = str(table["project"].get("name", "")) or scripts.entries[0][0]
    plain = "".join(one if one.isascii() and (one.isalnum() or one in ".-") else "-" for one in said.lower())
    return plain.strip(".-") or "product"


def _owner(table: Mapping[str, Any], product: str) -> str:
    """Who answers for what is told: whoever pyproject.toml names first."""
    project = table["project"]
    for people in (project.get("maintainers"), project.get("authors")):
        for one in people if isinstance(people, list) else []:
            if isinstance(one, dict) and (one.get("email") or one.get("name")):
                return str(one.get("email") or one["name"])
    return f"the maintainers of {product}"


def _as_written(root: Path, place: Path, text: str) -> schema.Product:
    """The product as it will be read from the changed file."""
    (place / "pyproject.toml").write_bytes(text.encode())
    if (root / OWN).is_file():
        (place / OWN).write_bytes((root / OWN).read_bytes())
    found = find(place / "telemetry.yaml")
    files = {
        name: root / path.relative_to(place) if path.is_relative_to(place) else path for name, path in found.registries.items()
    }
    return replace(found, root=root, registries=files)


def _commands(scripts: Scripts, notes: list[str]) -> tuple[Command, ...]:
    """The commands of all scripts; of one whose parser cannot be asked, the whole program."""
    root = scripts.folder.parents[len(scripts.package.split(".")) - 1]
    found: list[Command] = []
    for name, module, function in scripts.entries:
        commands, problem = discover(root, scripts.folder, module, function)
        if problem:
            instead = "; install the product beside otel-bridge, then run init again" if "ModuleNotFoundError" in problem else ""
            notes.append(f"the commands of `{name}` are not known, it has one event for all: {problem}{instead}")
        found += commands or ALONE
    return joined(found)


def _diff(path: Path, content: bytes, name: str) -> str:
    """What changes in a file, as `git apply` and `patch -p1` read it; nothing of a digest of names, which is no text."""
    if path.suffix == ".digest":
        return ""
    before, origin = (path.read_bytes().decode(), f"a/{name}") if path.exists() else ("", "/dev/null")
    return "".join(_ended(unified_diff(before.splitlines(True), content.decode().splitlines(True), origin, f"b/{name}")))


def _ended(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
