"""`otel-bridge off`: keep the choice, and delete what waits to be sent."""

import shutil
from pathlib import Path

import click

from ..consent import OFF
from ..paths import state_dir
from .on import choose


@click.command("off")
@click.option("--product", default="", help="Only this product; without it, all products.")
def command(product: str) -> None:
    """Stop telemetry, and delete what was recorded and not sent."""
    path = choose(product, OFF)
    folder = Path(state_dir(product))
    for spool in [folder / "spool"] if product else sorted(folder.glob("*/spool")):
        shutil.rmtree(spool, ignore_errors=True)
    click.echo(f"{product or 'all products'}: off ({path})")
