"""`otel-bridge drain`: send now what waits."""

import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..export import spool
from ..export.drain import Result, drain
from ..paths import state_dir
from . import json_option, product_option

LINES = 10  # of progress where there is no terminal


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
    """Drain with a bar on a terminal, with some lines elsewhere."""
    total = sum(spool.count(Path(state_dir(product))).values())
    console = Console(stderr=True)
    if not console.is_terminal:
        told = [0]

        def line(result: Result) -> None:
            done = _done(result)
            if done * LINES >= (told[0] + 1) * total:
                told[0] = done * LINES // max(total, 1)
                click.echo(f"{done} of {total}", err=True)

        return drain(product, watch=line)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(product, total=total)
        return drain(product, watch=lambda result: progress.update(bar, completed=_done(result)))


def _done(result: Result) -> int:
    return result.sent + sum(result.lost.values())
