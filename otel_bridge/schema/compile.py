"""Write a registry down as `_telemetry.py`: constants only, so that a run reads no YAML and a sender executes nothing."""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from pprint import pformat
from typing import Any
from zipfile import BadZipFile, ZipFile

from ..errors import SchemaError
from .registry import Event, Registry, Span, joined

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
    spans: dict[str, tuple[str, str, tuple[Any, ...]]] = field(default_factory=dict)  # name -> kind, scope, attributes
    commands: dict[str, str] = field(default_factory=dict)  # path of a command -> event recorded at the end of its runs


def render(registry: Registry, fingerprints: Mapping[str, str]) -> str:
    """The text of `_telemetry.py`; the same registry always gives the same text.

    `fingerprints` are those of the digests beside it, so that a digest of another time makes every name private.
    """
    product = registry.product
    names = {name: f"{name}.digest {fingerprint}" for name, fingerprint in sorted(fingerprints.items())}
    names.update({name: joined(found) for name, found in sorted(registry.names.items()) if len(found) <= COMPILED_IN})
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
        "RESOURCE": tuple(one.spec for one in registry.resource),
        "SPAN": tuple(one.spec for one in registry.span),
        "COMMON": tuple(one.spec for one in registry.common),
        "EVENTS": {event.name: tuple(one.spec for one in event.fields) for event in registry.events},
        "COMMANDS": {path: event.name for event in registry.events for path in event.command},
        "SPANS": {span.name: (span.kind, span.scope, tuple(one.spec for one in span.fields)) for span in registry.spans},
        "ABOUT": json.dumps(about(registry), separators=(",", ":"), sort_keys=True),  # one string: a run only carries it
    }
    body = "".join(f"{key} = {pformat(value, width=120, compact=True)}\n" for key, value in values.items())
    return f'{_HEAD}\nDIGEST = "{blake2b(body.encode(), digest_size=8).hexdigest()}"\n{body}'


def about(registry: Registry) -> dict[str, dict[str, dict[str, str]]]:
    """What is collected and why, for people: `attributes` and `events` by name, each with its brief, category and so on."""
    groups: tuple[Event | Span, ...] = (*registry.events, *registry.spans)
    fields = [*registry.resource, *registry.span, *registry.common, *(one for group in groups for one in group.fields)]
    return {
        "attributes": {
            one.key: {"brief": one.brief, "purpose": one.purpose, "category": one.category, "owner": one.owner} for one in fields
        },
        "events": {one.name: {"brief": one.brief, "category": one.category} for one in groups},
    }


def read(file: Path) -> Compiled:
    """A compiled registry, read as literals and never executed; raises SchemaError."""
    try:
        tree = ast.parse(_text(file))
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


def _text(file: Path) -> str:
    """What stands in a file, also in one of a zip application. Raises OSError."""
    try:
        return file.read_text(encoding="utf-8")
    except NotADirectoryError:
        archive = next(folder for folder in file.parents if folder.is_file())
        try:
            with ZipFile(archive) as packed:
                return packed.read(file.relative_to(archive).as_posix()).decode()
        except (BadZipFile, KeyError) as problem:
            raise OSError(0, str(problem)) from None
