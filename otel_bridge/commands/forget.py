"""`otel-bridge forget`: have the intake delete what it holds, then delete it here."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from ..consent import identity
from ..errors import BridgeError, SettingsError
from ..export import deletion, spool
from ..export.stop import stop
from ..paths import state_dir
from . import json_option, scope_options, scoped


@click.command("forget")
@scope_options
@json_option
def command(product: str, everything: bool, as_json: bool) -> None:
    """Turn a product off, ask its intake to delete your records, and delete everything here but that choice."""
    if not product and not everything:
        raise SettingsError("say which product with --product, or --all")
    told = [_forget(one) for one in scoped(product, everything)]
    if as_json:
        click.echo(json.dumps(told[0] if product and not everything else told))
    else:
        for one in told:
            click.echo(f"{one['product']}: off; {one['done']}")
    for one in told:
        if one["error"] and not as_json:
            click.echo(one["error"], err=True)
    sys.exit(1 if any(one["error"] for one in told) else 0)


def _forget(product: str) -> dict[str, Any]:
    """What became of one product: how many ids the intake was asked to delete, and what keeps it from being done."""
    folder = Path(state_dir(product))
    told: dict[str, Any] = {"product": product, "ids": 0, "done": "nothing was held", "error": ""}
    try:
        stop(product)
        told["ids"] = deletion.request(product)
        identity.end_session()
        told["done"] = "everything here is deleted but this choice"
        if deletion.waits(folder):
            told["done"] += "; the deletion request waits"
            with spool.only_sender(folder, 5.0):
                deletion.deliver(product)
            told["done"] = "the intake took the deletion request, and everything here is deleted but this choice"
    except (BridgeError, OSError) as problem:
        told["error"] = str(problem)
    return told
