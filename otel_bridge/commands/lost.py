"""`otel-bridge lost`: show what was recorded or offered and did not arrive, by reason."""

import json

import click

from ..export.drain import losses
from . import json_option, scope_options, scoped

REASONS = {
    "before_consent": "recorded before you said on; never sent",
    "busy": "another process held the spool for too long",
    "disk_full": "the disk was full",
    "ledger": "it was sent, but the ledger could not be written",
    "malformed": "what stood in the spool is no record",
    "opted_out": "you have refused this event or category",
    "record_failed": "a failure of ours; OTEL_BRIDGE_DEBUG=1 shows it",
    "refused": "the intake refused this record while it took others",
    "rejected": "the intake said that it did not take it",
    "renamed_build": "a build of the product under another name recorded it",
    "spool_full": "more than the spool may hold waited",
    "torn": "half a line, of a process that was killed",
    "undeclared_attribute": "the product offered what it has not declared",
    "undeclared_event": "the product offered an event that it has not declared",
    "undeclared_span": "the product took a step that it has not declared",
    "unfinished": "a run that never said how it ended: killed, or left at once",
}


@click.command("lost")
@scope_options
@json_option
def command(product: str, everything: bool, as_json: bool) -> None:
    """Show what did not arrive, and why."""
    found = {one: dict(sorted(losses(one).items())) for one in scoped(product, everything)}
    if as_json:
        click.echo(json.dumps(found[product] if product and not everything else found))
        return
    for one, reasons in found.items():
        click.echo(f"{one}: {'nothing was lost' if not reasons else ''}".rstrip())
        for reason, number in reasons.items():
            click.echo(f"  {number:8} {reason:22} {REASONS.get(reason, '')}".rstrip())
