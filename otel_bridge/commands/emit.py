"""`otel-bridge emit`: record an event from a shell script, make or CI."""

import sys

import click

from .. import program
from . import product_option


@click.command("emit")
@click.argument("event")
@click.argument("pairs", nargs=-1, metavar="[KEY=VALUE]...")
@product_option
def command(event: str, pairs: tuple[str, ...], product: str) -> None:
    """Record EVENT of a registered product, with its attributes as KEY=VALUE; silent where telemetry is off.

    A list is KEY=A,B or the KEY once more. What is not declared, or no value of the declared type, is told on standard error,
    and nothing is recorded.
    """
    told = [pair.partition("=") for pair in pairs]
    for key, equals, _ in told:
        if not (key and equals):
            raise click.UsageError(f"`{key}` is no attribute; write `KEY=VALUE`")
    sys.exit(program.emit(product, event, [(key, value) for key, _, value in told]))
