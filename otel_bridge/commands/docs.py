"""`otel-bridge docs`: write a registry down for people, as TELEMETRY.md and a page for each event."""

import sys
from pathlib import Path
from typing import Any

import click

from .. import schema
from ..errors import SchemaError
from ..privacy import clean
from ..privacy.names import fingerprint
from ..schema.pages import GENERATED, event_pages, groups, telemetry
from ..schema.registry import Field, Registry, joined
from ..schema.words import EVERYTHING
from . import put, stale

_MADE = ("pseudonym", "frames")  # of a machine's own secret, of a stack: no example could be true


@click.command("docs")
@click.argument("file", type=click.Path(path_type=Path), default=Path("telemetry.yaml"))
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 when a page is not current.")
def command(file: Path, only_check: bool) -> None:
    """Write what the registry FILE says for people: TELEMETRY.md, and a page for each event in docs/events/."""
    registry = schema.load(file)
    wanted = outputs(registry)
    found = stale(wanted)
    gone = surplus(registry.product.root, wanted)
    if only_check:
        for path in (*found, *gone):
            click.echo(f"{path}: not current; run `otel-bridge docs`")
        sys.exit(1 if found or gone else 0)
    for path in found:
        if path.exists() and not ours(path):
            raise SchemaError(f"{path}: somebody else has written it; move it away, then run `otel-bridge docs` again")
    for path in found:
        put(path, wanted[path])
        click.echo(f"{path}: written")
    for path in gone:
        path.unlink()
        click.echo(f"{path}: removed")


def outputs(registry: Registry) -> dict[Path, bytes]:
    """Every page that there should be, with what belongs into it."""
    root, shown = registry.product.root, examples(registry)
    pages = {root / "docs" / "events" / name: text for name, text in sorted(event_pages(registry, shown).items())}
    return {path: text.encode() for path, text in {root / "TELEMETRY.md": telemetry(registry, shown), **pages}.items()}


def surplus(root: Path, wanted: dict[Path, bytes]) -> list[Path]:
    """The pages of events that are gone; pages that somebody else has written are left alone."""
    return [path for path in sorted((root / "docs" / "events").glob("*.md")) if path not in wanted and ours(path)]


def ours(path: Path) -> bool:
    """Whether `otel-bridge docs` has written a file."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    return any(GENERATED in line for line in (*lines[:1], *lines[-1:]))


def examples(registry: Registry) -> dict[str, dict[str, Any]]:
    """What the policies leave of an example of each attribute, by event or span and key."""
    found = {EVERYTHING: _left(registry, (*registry.resource, *registry.common))}
    return {**found, **{group.name: _left(registry, group.fields) for group in groups(registry)}}


def _left(registry: Registry, fields: tuple[Field, ...]) -> dict[str, Any]:
    """What is kept of the examples by the very function that a run calls."""
    names = {name: joined(found) for name, found in registry.names.items()}
    names |= {name: f"{registry.product.registries[name]} {fingerprint(content)}" for name, content in registry.digests.items()}
    given = {one.key: value for one in fields if (value := _example(one)) is not None}
    return dict(clean(tuple(one.spec for one in fields), given, names)[0])


def _example(one: Field) -> Any:
    """A value to begin with: the declared example, else the first that the policy names."""
    if one.policy in _MADE:
        return None
    for declared in one.examples:
        return declared
    first = one.parameters[0] if one.parameters else None
    known = {"boolean": True, "count": 1, "bucket": first, "enum": first, "default_only": first}.get(one.policy)
    if isinstance(known, tuple):
        known = known[0] if known else None
        return known if one.type != "string[]" or known is None else [known]
    return known
