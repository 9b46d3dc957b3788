"""`otel-bridge drain`: send now what waits."""

import json
import sys
from pathlib import Path

import click

from ..export import spool
from ..export.drain import Result, drain
from ..paths import state_dir
from ..progress import progress
from . import json_option, product_option


@click.command("drain")
@product_option
@click.option("--watch", is_flag=True, help="Show how far it has come, on standard error.")
@json_option
def command(product: str, watch: bool, as_json: bool) -> None:
    """Send what waits, and say what became of it."""
    result = _watched(product) if watch else drain(product)
    if as_json:
        click.echo(json.dumps(vars(result)))
    else:
        click.echo(f"sent {result.sent}, kept {result.kept}, lost {sum(result.lost.values())}")
        for reason, number in sorted(result.lost.items()):
            click.echo(f"  lost: {number} {reason}")
        if result.error:
            click.echo(result.error, err=True)
    sys.exit(1 if result.error else 0)


def _watched(product: str) -> Result:
    """Drain, and show how far it has come."""
    with progress(product, sum(spool.count(Path(state_dir(product))).values())) as told:
        return drain(product, watch=lambda result: told(result.sent + sum(result.lost.values())))
