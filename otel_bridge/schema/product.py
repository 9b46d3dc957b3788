"""Find what a product decides for itself: `[tool.otel-bridge]` of its pyproject.toml, or its otel-bridge.toml."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import SchemaError

RESOLUTIONS = {"minute": 60, "hour": 3600, "day": 86400}
DEFAULTS = ("opt_in", "opt_out")
IDENTITIES = ("quarter", "month", "year", "none")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")  # it becomes the name of a folder
_KEYS = (
    *("product", "family", "package", "distribution", "endpoint", "default"),
    *("notice", "documentation", "identity", "resolution", "registries"),
)


@dataclass(frozen=True)
class Product:
    """A product's own settings; `registries` maps a registry to the text file of its names, `scripts` are its commands."""

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
        for name in ("otel-bridge.toml", "pyproject.toml"):
            file = folder / name
            if file.is_file():
                table = _read(file)
                tool = table.get("tool", {})
                mine = table if name == "otel-bridge.toml" else tool.get("otel-bridge") if isinstance(tool, dict) else None
                if mine is not None:
                    return _product(file, mine, table.get("project", {}))
    raise SchemaError(f"{near}: no `[tool.otel-bridge]` in a pyproject.toml above it; write one with `product` and `package`")


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SchemaError(f"{file}: not TOML: {problem}") from None


def _product(file: Path, mine: Any, project: Any) -> Product:
    if not isinstance(mine, dict) or not isinstance(project, dict):
        raise SchemaError(f"{file}: `[tool.otel-bridge]` and `[project]` must be tables")
    problems = [f"`{key}` is not a setting; write one of {', '.join(_KEYS)}" for key in mine if key not in _KEYS]
    problems += [f"`{key}` must be a text" for key in _KEYS if key != "registries" and not isinstance(mine.get(key, ""), str)]
    registries, scripts = mine.get("registries", {}), project.get("scripts", {})
    if not isinstance(registries, dict) or not all(_NAME.fullmatch(name) for name in registries):
        problems.append('`registries` must be a table of lower-case names and files, as `plugins = "plugins.txt"`')
    if not isinstance(scripts, dict):
        problems.append("`[project.scripts]` must be a table")
    package = str(mine.get("package", ""))
    if package and not all(part.isidentifier() for part in package.split(".")):
        problems.append(f"`package` must be the name that Python imports, as `my_tool`; {package!r} is none")
    if not re.fullmatch(r"|https?://[^/@\s]+(/[^@\s]*)?", str(mine.get("endpoint", ""))):
        problems.append("`endpoint` must be a URL such as https://host:4318, without a name or a password in it")
    problems += [f"`{key}` is missing" for key in ("product", "package") if not mine.get(key)]
    if str(mine.get("default", "opt_in")) not in DEFAULTS:
        problems.append("`default` must be opt_in or opt_out")
    problems += [
        f"`{key}` must be lower-case letters, digits, dots and hyphens"
        for key in ("product", "family")
        if mine.get(key) and not _NAME.fullmatch(str(mine[key]))
    ]
    if str(mine.get("identity", "quarter")) not in IDENTITIES:
        problems.append("`identity` must be quarter, month, year or none")
    if str(mine.get("resolution", "minute")) not in RESOLUTIONS:
        problems.append("`resolution` must be minute, hour or day")
    if problems:
        raise SchemaError("\n".join(f"{file}: [tool.otel-bridge]: {problem}" for problem in problems))
    return Product(
        product=str(mine["product"]),
        package=str(mine["package"]),
        root=file.parent,
        family=str(mine.get("family", mine["product"])),
        distribution=str(mine.get("distribution", project.get("name", ""))),
        version=str(project.get("version", "0")),
        endpoint=str(mine.get("endpoint", "")),
        default=str(mine.get("default", "opt_in")),
        notice=" ".join(str(mine.get("notice", "")).split()),
        documentation=str(mine.get("documentation", "")),
        identity=str(mine.get("identity", "quarter")),
        resolution=RESOLUTIONS[str(mine.get("resolution", "minute"))],
        registries={name: file.parent / str(path) for name, path in registries.items()},
        scripts=tuple(sorted(name for name, target in scripts.items() if str(target).startswith("otel_bridge.auto."))),
    )
