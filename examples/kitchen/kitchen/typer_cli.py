"""One command of kitchen written with typer: the twin that shows a third parser at work."""

from enum import StrEnum
from typing import Annotated

import typer

from . import __version__, actions
from .instances import KitchenError, load

main = typer.Typer()


class _Level(StrEnum):
    debug = "debug"
    info = "info"
    warn = "warn"
    error = "error"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@main.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
    log_level: Annotated[_Level, typer.Option(help="How much to tell.")] = _Level.info,
) -> None:
    """Create sandboxes."""  # a callback of its own makes the only command a sub-command


@main.command()
def create(
    only: Annotated[str, typer.Argument()] = "",
    driver: Annotated[str | None, typer.Option(help="The driver to use instead of the configured one.")] = None,
    target: Annotated[str | None, typer.Option(help="The box to create instead of the driver's own choice.")] = None,
) -> None:
    """Make instances."""
    try:
        for instance in load(only=only):
            typer.echo(actions.create(instance, driver, target))
    except KitchenError as problem:
        typer.echo(f"Error: {problem}", err=True)
        raise typer.Exit(1) from None
