"""`otel-bridge preview`: show what a sender would send next, by the sender's own code, and send nothing."""

from collections.abc import Iterator
from pathlib import Path

import click

from ..consent import ON, Decision, decide
from ..export import build, otlp_json, spool, told
from ..export.portions import portions
from ..export.prepare import Check, Ready
from ..export.writer import declaration
from ..paths import state_dir
from . import json_option, scope_options, scoped


@click.command("preview")
@scope_options
@click.option("--format", "form", type=click.Choice(["human", "json"]), default="human", help="For reading, or OTLP/JSON lines.")
@json_option
def command(product: str, everything: bool, form: str, as_json: bool) -> None:
    """Show what would be sent next."""
    for one in scoped(product, everything):
        decision = decide(one)
        if decision.mode != ON:
            click.echo(f"nothing would be sent: telemetry of {one} is {decision.mode} ({decision.reason})", err=True)
            continue
        batches = list(waiting(one, decision))
        for signal, batch in batches:
            if as_json or form == "json":
                click.echo(otlp_json.body(signal, batch))
            else:
                click.echo("\n".join(_lines(batch)))
        if not batches:
            click.echo(f"{one}: nothing waits", err=True)


def waiting(product: str, decision: Decision) -> Iterator[tuple[str, list[Ready]]]:
    """The requests that a sender would make of what waits now, in its order. Raises DeliveryError, SchemaError."""
    declared = declaration(product)
    renamed = build.renamed(declared)
    if renamed:
        click.echo(f"nothing would be sent: {product} is {renamed}", err=True)
        return
    folder = Path(state_dir(product))
    owed = told.owed(str(folder), declared, decision)
    if owed:
        yield "logs", owed
    check = Check(declared, decision)
    for signal in spool.SIGNALS:
        for file in spool.files(folder, signal):
            for portion in portions(file, check):
                if portion.batch:
                    yield signal, [ready for _, ready in portion.batch]


def _lines(batch: list[Ready]) -> Iterator[str]:
    for one in batch:
        yield f"{one.name}  (product and platform: {', '.join(map(str, one.resource.values()))})"
        for key, value in one.attributes.items():
            yield f"    {key:34} {', '.join(value) if isinstance(value, list) else value}"
