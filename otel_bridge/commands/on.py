"""`otel-bridge on`: keep the person's choice; also how `off` keeps it."""

import os
from pathlib import Path

import click

from ..clock import moment, now
from ..consent import ON
from ..errors import SettingsError
from ..paths import choice_for_all, opened, state_dir


@click.command("on")
@click.option("--product", default="", help="Only this product; without it, all products.")
def command(product: str) -> None:
    """Let telemetry be recorded and sent."""
    click.echo(f"{product or 'all products'}: on ({choose(product, ON)})")


def choose(product: str, mode: str) -> Path:
    """Write a choice down, with the moment from which it holds; returns its file. Raises SettingsError."""
    try:
        path = Path(state_dir(product) + "/choice" if product else choice_for_all())
        new = path.with_name("choice.new")
        fd = opened(str(new), os.O_WRONLY | os.O_TRUNC)
        try:
            os.write(fd, f"telemetry = {mode}\nsince = {moment(now())}\n".encode())
        finally:
            os.close(fd)
        new.replace(path)
    except OSError as problem:
        raise SettingsError(f"the choice cannot be kept: {problem}") from None
    return path
