"""`otel-bridge run`: run a command of any language and record how it went."""

import sys

import click

from .. import program
from . import product_option


@click.command("run", context_settings={"allow_interspersed_args": False})
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND [ARGS]...")
@product_option
def command(words: tuple[str, ...], product: str) -> None:
    """Run COMMAND as it would run by itself, and record how it went, for a registered product.

    Of its words nothing is told but the name of the program and of the sub-command, where they are declared.
    """
    sys.exit(program.run(product, list(words)))
