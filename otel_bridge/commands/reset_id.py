"""`otel-bridge reset-id`: be somebody else to the intake from now on."""

import json
from pathlib import Path

import click

from ..consent import identity
from ..errors import SettingsError
from ..paths import mine, state_dir
from . import json_option, scope_options, scoped


@click.command("reset-id")
@scope_options
@json_option
def command(product: str, everything: bool, as_json: bool) -> None:
    """Make new random secrets: the next run has another installation id and begins another session."""
    done = []
    for one in scoped(product, everything):
        folder = state_dir(one)
        try:
            if not mine(folder):
                raise PermissionError("this home belongs to somebody else; run it as that person")
            if Path(folder).is_dir():
                identity.reset(folder)
                done.append(one)
        except OSError as problem:
            raise SettingsError(f"{one}: the id cannot be reset: {problem.strerror or problem}") from None
    identity.end_session()
    if as_json:
        click.echo(json.dumps({"reset": done}))
        return
    for one in done:
        click.echo(f"{one}: the next run has a new id")
    if not done:
        click.echo("there was no id yet")
