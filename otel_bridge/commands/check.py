"""`otel-bridge check`: every mistake of a registry at once."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from .. import schema
from ..errors import SchemaError
from ..schema.fingerprint import MOST, total
from . import json_option


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path), default=Path("telemetry.yaml"))
@json_option
def command(file: Path, as_json: bool) -> None:
    """Check the registry FILE: each mistake as `file:line: what, and what to write instead [name of the check]`."""
    try:
        mistakes, told = schema.examine(file)
    except SchemaError as problem:  # nothing that could be checked: the one line all the same
        if not as_json:
            raise
        mistakes, told = [schema.Mistake(str(file), 1, "unreadable", str(problem))], schema.Fingerprint((), ())
    if as_json:
        sums = {"added": total(told.added), "most": MOST, "built_in": total(told.built_in)}
        attributes = {key: round(bits, 1) for key, bits in (*told.added, *told.built_in)}
        click.echo(json.dumps({"mistakes": [asdict(one) for one in mistakes], "fingerprint": {**sums, "attributes": attributes}}))
    else:
        for mistake in mistakes:
            click.echo(str(mistake))
    if mistakes:
        sys.exit(1)
    if not as_json:
        beside = f"every record tells {total(told.added)} bits of at most {MOST:g}, {total(told.built_in)} built-in ones beside"
        click.echo(f"{file}: no mistakes; {beside}", err=True)
