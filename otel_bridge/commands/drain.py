"""`otel-bridge drain`: send now what waits."""

import json
import sys

import click

from ..export.drain import drain
from . import json_option, product_option


@click.command("drain")
@product_option
@json_option
def command(product: str, as_json: bool) -> None:
    """Send what waits, and say what became of it."""
    result = drain(product)
    if as_json:
        click.echo(json.dumps(vars(result)))
    else:
        click.echo(f"sent {result.sent}, kept {result.kept}, lost {sum(result.lost.values())}")
        for reason, number in sorted(result.lost.items()):
            click.echo(f"  lost: {number} {reason}")
        if result.error:
            click.echo(result.error, err=True)
    sys.exit(1 if result.error else 0)
