"""`otel-bridge canary`: one event through endpoint and collector."""

import time
from pathlib import Path

import click

from ..collector.canary import seen, sing
from ..consent import decide
from ..errors import DeliveryError
from ..export.writer import declaration, endpoint_of
from ..schema.compile import read
from . import product_option


@click.command("canary")
@product_option
@click.option("--timeout", default=10.0, show_default=True, help="Seconds to look for it in the file.")
@click.option(
    "--file", "file", type=click.Path(path_type=Path), help="The collector's logs.jsonl; without it, acceptance is enough."
)
@click.option("--registry", type=click.Path(path_type=Path), help="The product's _telemetry.py, if it has not run here yet.")
def command(product: str, timeout: float, file: Path | None, registry: Path | None) -> None:
    """Send one event that says nothing, and say whether it was `accepted` or, with --file, `seen`."""
    if decide(product).source in ("DO_NOT_TRACK", "OTEL_SDK_DISABLED"):
        raise DeliveryError(f"nothing was sent: {decide(product).reason}")
    declared = read(registry) if registry else declaration(product)
    started = time.monotonic()
    uid = sing(declared, endpoint_of(declared))
    if file is not None and not seen(uid, file, timeout):
        raise DeliveryError(f"accepted, but not in {file} after {timeout:g} s")
    click.echo(f"{'seen' if file else 'accepted'} {uid} after {time.monotonic() - started:.1f} s")
