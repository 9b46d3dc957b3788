"""Write a registry down as `_telemetry.py`: constants only, so that a run reads no YAML and a sender executes nothing."""

import ast
import json
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from pprint import pformat
from typing import Any

from ..errors import SchemaError
from .registry import Registry, joined

COMPILED_IN = 500  # names of a registry that still go into the module; more are looked up in the digest beside it
_HEAD = '"""Compiled from telemetry.yaml by `otel-bridge compile`; do not edit."""\n'


@dataclass(frozen=True)
class Compiled:
    """A compiled registry as a sender reads it; the fields are those of `_telemetry.py` in lower case."""

    file: Path
    product: str
    package: str
    family: str
    distribution: str
    version: str
    endpoint: str
    default: str
    notice: str
    documentation: str
    identity: str
    resolution: int
    digest: str
    names: dict[str, Any]
    resource: tuple[Any, ...]
    span: tuple[Any, ...]
    common: tuple[Any, ...]
    events: dict[str, tuple[Any, ...]]
    about: str  # JSON for people, see `about`


def render(registry: Registry) -> str:
    """The text of `_telemetry.py`; the same registry always gives the same text."""
    product = registry.product
    names = {
        name: joined(found) if len(found) <= COMPILED_IN else f"{name}.digest" for name, found in sorted(registry.names.items())
    }
    values: dict[str, object] = {
        "PRODUCT": product.product,
        "PACKAGE": product.package,
        "FAMILY": product.family,
        "DISTRIBUTION": product.distribution,
        "VERSION": product.version,
        "ENDPOINT": product.endpoint,
        "DEFAULT": product.default,
        "NOTICE": product.notice,
        "DOCUMENTATION": product.documentation,
        "IDENTITY": product.identity,
        "RESOLUTION": product.resolution,
        "NAMES": names,
        "RESOURCE": tuple(field.spec for field in registry.resource),
        "SPAN": tuple(field.spec for field in registry.span),
        "COMMON": tuple(field.spec for field in registry.common),
        "EVENTS": {event.name: tuple(field.spec for field in event.fields) for event in registry.events},
        "ABOUT": json.dumps(about(registry), separators=(",", ":"), sort_keys=True),  # one string: a run only carries it
    }
    body = "".join(f"{key} = {pformat(value, width=120, compact=True)}\n" for key, value in values.items())
    return f'{_HEAD}\nDIGEST = "{blake2b(body.encode(), digest_size=8).hexdigest()}"\n{body}'


def about(registry: Registry) -> dict[str, dict[str, dict[str, str]]]:
    """What is collected and why, for people: `attributes` and `events` by name, each with its brief, category and so on."""
    fields = [*registry.resource, *registry.span, *registry.common, *(one for event in registry.events for one in event.fields)]
    return {
        "attributes": {
            one.key: {"brief": one.brief, "purpose": one.purpose, "category": one.category, "owner": one.owner} for one in fields
        },
        "events": {event.name: {"brief": event.brief, "category": event.category} for event in registry.events},
    }


def read(file: Path) -> Compiled:
    """A compiled registry, read as literals and never executed; raises SchemaError."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        values = {
            node.targets[0].id.lower(): ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        return Compiled(file=file, **values)
    except OSError as problem:
        raise SchemaError(f"{file}: the compiled registry is gone ({problem.strerror}); run the product once more") from None
    except (SyntaxError, ValueError, TypeError) as problem:
        raise SchemaError(f"{file}: not a compiled registry ({problem}); run `otel-bridge compile` again") from None
