"""`otel-bridge on`: keep the person's choice; also how `off` keeps it."""

import click

from ..clock import moment, now
from ..consent import ON
from ..errors import SettingsError
from ..paths import choice_for_all, rewrite, state_dir


@click.command("on")
@click.option("--product", default="", help="Only this product; without it, all products.")
def command(product: str) -> None:
    """Let telemetry be recorded and sent."""
    click.echo(f"{product or 'all products'}: on ({choose(product, ON)})")


def choose(product: str, mode: str) -> str:
    """Write a choice down, with the moment from which it holds; returns its file. Raises SettingsError."""
    try:
        path = state_dir(product) + "/choice" if product else choice_for_all()
        rewrite(path, f"telemetry = {mode}\nsince = {moment(now())}\n")
    except OSError as problem:
        raise SettingsError(f"the choice cannot be kept: {problem}") from None
    return path
