"""`otel-bridge check`: every mistake of a registry at once."""

import sys
from pathlib import Path

import click

from .. import schema


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path), default=Path("telemetry.yaml"))
def command(file: Path) -> None:
    """Check the registry FILE: each mistake as `file:line: what, and what to write instead`."""
    mistakes = schema.check(file)
    for mistake in mistakes:
        click.echo(str(mistake))
    if mistakes:
        sys.exit(1)
    click.echo(f"{file}: no mistakes", err=True)
