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
    for folder in near.resolve().parents:
        for name in ("otel-bridge.toml", "pyproject.toml"):
            file = folder / name
            if file.is_file():
                table = _read(file)
                mine = table if name == "otel-bridge.toml" else table.get("tool", {}).get("otel-bridge")
                if mine is not None:
                    return _product(file, mine, table.get("project", {}))
    raise SchemaError(f"{near}: no `[tool.otel-bridge]` in a pyproject.toml above it; write one with `product` and `package`")


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SchemaError(f"{file}: not TOML: {problem}") from None


def _product(file: Path, mine: dict[str, object], project: dict[str, object]) -> Product:
    problems = [f"`{key}` is not a setting; write one of {', '.join(_KEYS)}" for key in mine if key not in _KEYS]
    problems += [f"`{key}` is missing" for key in ("product", "package") if not mine.get(key)]
    if mine.get("default", "opt_in") not in DEFAULTS:
        problems.append("`default` must be opt_in or opt_out")
    problems += [
        f"`{key}` must be lower-case letters, digits, dots and hyphens"
        for key in ("product", "family")
        if mine.get(key) and not _NAME.fullmatch(str(mine[key]))
    ]
    if mine.get("identity", "quarter") not in IDENTITIES:
        problems.append("`identity` must be quarter, month, year or none")
    if mine.get("resolution", "minute") not in RESOLUTIONS:
        problems.append("`resolution` must be minute, hour or day")
    if problems:
        raise SchemaError("\n".join(f"{file}: [tool.otel-bridge]: {problem}" for problem in problems))
    registries = mine.get("registries", {})
    scripts = project.get("scripts", {})
    assert isinstance(registries, dict) and isinstance(scripts, dict)
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
