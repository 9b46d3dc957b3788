"""`otel-bridge local`: record for the person's own use, and send nothing."""

import click

from ..consent import LOCAL
from ..consent.choice import choose
from . import json_option, scope_options
from .off import clear
from .on import tell


@click.command("local")
@scope_options
@json_option
def command(product: str, everything: bool, as_json: bool) -> None:
    """Record for your own use, in a folder of its own; nothing of it is ever sent."""
    scope = "" if everything else product
    path = choose(scope, LOCAL)
    clear(scope)
    tell(scope, path, as_json)
