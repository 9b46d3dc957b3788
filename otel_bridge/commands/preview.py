"""`otel-bridge preview`: show what a sender would send next, by the sender's own code, and send nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import click

from ..consent import ON, decide
from ..export import otlp_json, spool
from ..export.drain import BATCH
from ..export.prepare import Ready, prepare
from ..export.writer import declaration
from ..paths import state_dir
from . import product_option


@click.command("preview")
@product_option
@click.option("--format", "form", type=click.Choice(["human", "json"]), default="human", help="For reading, or OTLP/JSON lines.")
def command(product: str, form: str) -> None:
    """Show what would be sent next."""
    decision = decide(product)
    if decision.mode != ON:
        click.echo(f"nothing would be sent: telemetry of {product} is {decision.mode} ({decision.reason})", err=True)
        return
    declared = declaration(product)
    empty = True
    for signal, items in spool.waiting(Path(state_dir(product))).items():
        ready, _ = prepare(items, declared, decision)
        empty = empty and not ready
        for begin in range(0, len(ready), BATCH):
            batch = ready[begin : begin + BATCH]
            if form == "json":
                click.echo(json.dumps(otlp_json.canonical(otlp_json.request(signal, batch)), separators=(",", ":")))
            else:
                for line in _lines(batch):
                    click.echo(line)
    if empty:
        click.echo("nothing waits", err=True)


def _lines(batch: list[Ready]) -> Iterator[str]:
    for one in batch:
        yield f"{one.name}  (product and platform: {', '.join(map(str, one.resource.values()))})"
        for key, value in one.attributes.items():
            yield f"    {key:34} {', '.join(value) if isinstance(value, list) else value}"
