"""`otel-bridge off`: keep the choice, stop a sender in the middle of its work, and delete what waits to be sent."""

from pathlib import Path

import click

from ..consent import OFF
from ..consent.choice import choose, mode_of, refusals
from ..errors import SettingsError
from ..export.stop import stop
from ..export.writer import products
from ..paths import state_dir
from ..record import losses
from ..record.folder import discard
from . import json_option, scope_options
from .on import named, refusing_options, tell


@click.command("off")
@scope_options
@refusing_options
@json_option
def command(product: str, everything: bool, categories: tuple[str, ...], events: tuple[str, ...], as_json: bool) -> None:
    """Stop telemetry, and delete what waits to be sent; with --category or --event, refuse that part alone."""
    scope = "" if everything else product
    parts = named(categories, events)
    if parts:
        path = choose(scope, mode_of(scope), [*refusals(scope), *parts])
    else:
        path = choose(scope, OFF)
        clear(scope)
    tell(scope, path, as_json)


def clear(scope: str) -> None:
    """Stop the senders of a product, or of all, and delete what was recorded and not sent. Raises SettingsError, DeliveryError."""
    for product in [scope] if scope else products():
        folder = Path(state_dir(product))
        stop(product)
        losses.forgive(str(folder))
        (folder / "view.html").unlink(missing_ok=True)  # it shows what is deleted now
        for waiting in (folder / "spool", folder / "quarantine", folder / "running"):
            try:
                discard(str(waiting))
            except OSError as problem:
                raise SettingsError(f"{waiting}: the choice holds, but this cannot be deleted: {problem.strerror}") from None
