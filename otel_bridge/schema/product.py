"""Find what a product decides for itself: `[tool.otel-bridge]` of its pyproject.toml, or its otel-bridge.toml."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import SchemaError
from .reserved import masked

RESOLUTIONS = {"minute": 60, "hour": 3600, "day": 86400}
DEFAULTS = ("opt_in", "opt_out")
IDENTITIES = ("quarter", "month", "year", "none")
OWN = "otel-bridge.toml"  # the file of a product in another language, which has no pyproject.toml
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")  # it becomes the name of a folder
_SCRIPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_TEXTS = (
    *("product", "family", "package", "distribution", "version", "endpoint", "default"),
    *("notice", "documentation", "identity", "resolution"),
)
_KEYS = (*_TEXTS, "registries", "scripts")


@dataclass(frozen=True)
class Product:
    """A product's own settings; `registries` maps a registry to the text file of its names, `scripts` are its program files."""

    product: str
    package: str
    root: Path
    family: str = ""
    distribution: str = ""
    version: str = "0"
    endpoint: str = ""
    default: str = "opt_in"
    notice: str = ""
    documentation: str = ""
    identity: str = "quarter"
    resolution: int = 60
    registries: dict[str, Path] = field(default_factory=dict)
    scripts: tuple[str, ...] = ()


def find(near: Path) -> Product:
    """The product whose pyproject.toml or otel-bridge.toml is the nearest above a file; raises SchemaError."""
    for folder in near.absolute().parents:
        for name in (OWN, "pyproject.toml"):
            file = folder / name
            if file.is_file():
                table = _read(file)
                tool = table.get("tool", {})
                mine = table if name == OWN else tool.get("otel-bridge") if isinstance(tool, dict) else None
                if mine is not None:
                    return _product(file, mine, {} if name == OWN else table.get("project", {}))
    instead = "write one with `product` and `package`, or, for another language, an otel-bridge.toml with `product`"
    raise SchemaError(f"{near}: no `[tool.otel-bridge]` in a pyproject.toml above it; {instead}")


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SchemaError(f"{file}: not TOML: {problem}") from None


def _product(file: Path, mine: Any, project: Any) -> Product:
    where = f"{file}:" if file.name == OWN else f"{file}: [tool.otel-bridge]:"
    if not isinstance(mine, dict) or not isinstance(project, dict):
        raise SchemaError(f"{file}: `[tool.otel-bridge]` and `[project]` must be tables")
    if file.name == OWN and isinstance(mine.get("product"), str):
        mine = {"package": re.sub(r"[^a-z0-9]", "_", re.sub(r"^(?=[0-9])", "_", mine["product"])), **mine}
    problems = [*_forms(mine, project), *_words(mine)]
    if problems:
        raise SchemaError("\n".join(f"{where} {problem}" for problem in problems))
    scripts = {name for name, target in project.get("scripts", {}).items() if str(target).startswith("otel_bridge.auto.")}
    return Product(
        product=mine["product"],
        package=mine["package"],
        root=file.parent,
        family=mine.get("family", mine["product"]),
        distribution=mine.get("distribution", str(project.get("name", ""))),
        version=mine.get("version", str(project.get("version", "0"))),
        endpoint=mine.get("endpoint", ""),
        default=mine.get("default", "opt_in"),
        notice=" ".join(mine.get("notice", "").split()),
        documentation=mine.get("documentation", ""),
        identity=mine.get("identity", "quarter"),
        resolution=RESOLUTIONS[mine.get("resolution", "minute")],
        registries={name: file.parent / str(path) for name, path in mine.get("registries", {}).items()},
        scripts=tuple(sorted(scripts | set(mine.get("scripts", ())))),
    )


def _forms(mine: dict[str, Any], project: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the settings that there are, and with the form of each."""
    for key in mine:
        if key not in _KEYS:
            yield f"`{key}` is not a setting; write one of {', '.join(_KEYS)}"
    for key in _TEXTS:
        if not isinstance(mine.get(key, ""), str):
            yield f"`{key}` must be a text"
    registries, scripts = mine.get("registries", {}), mine.get("scripts", [])
    if not isinstance(registries, dict) or not all(_NAME.fullmatch(name) for name in registries):
        yield '`registries` must be a table of lower-case names and files, as `plugins = "plugins.txt"`'
    if not isinstance(scripts, list) or not all(map(_script, scripts)):
        yield '`scripts` must be a list of the names of program files, without a folder, as `["my-tool"]`'
    if not isinstance(project.get("scripts", {}), dict):
        yield "`[project.scripts]` must be a table"
    for key in ("product", "package"):
        if not mine.get(key):
            yield f"`{key}` is missing"


def _words(mine: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the texts, each by itself."""
    package = str(mine.get("package", ""))
    if package and not all(part.isidentifier() for part in package.split(".")):
        yield f"`package` must be the name that Python imports, as `my_tool`; {package!r} is none"
    if not re.fullmatch(r"|https?://[^/@\s]+(/[^@\s]*)?", str(mine.get("endpoint", ""))):
        yield "`endpoint` must be a URL such as https://host:4318, without a name or a password in it"
    if not re.fullmatch(r"[0-9][!-~]*", str(mine.get("version", "0"))):
        yield "`version` must begin with a number, as `1.2.3`"
    for key in ("product", "family"):
        if mine.get(key) and not _NAME.fullmatch(str(mine[key])):
            yield f"`{key}` must be lower-case letters, digits, dots and hyphens"
    if str(mine.get("default", "opt_in")) not in DEFAULTS:
        yield "`default` must be opt_in or opt_out"
    if str(mine.get("identity", "quarter")) not in IDENTITIES:
        yield "`identity` must be quarter, month, year or none"
    if str(mine.get("resolution", "minute")) not in RESOLUTIONS:
        yield "`resolution` must be minute, hour or day"


def _script(name: object) -> bool:
    return isinstance(name, str) and _SCRIPT.fullmatch(name) is not None and not masked(name)
