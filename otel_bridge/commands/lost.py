"""`otel-bridge lost`: show what was recorded or offered and did not arrive, by reason, and what is kept aside."""

import json
from pathlib import Path
from typing import Any

import click

from ..clock import moment
from ..export import quarantine
from ..export.drain import rows
from ..paths import state_dir
from . import json_option, scope_options, scoped
from .sent import names

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
    "spool_full": "more than the spool may hold waited; the oldest went",
    "too_old": "it waited longer than records may",
    "torn": "half a line, of a process that was killed",
    "undeclared_attribute": "the product offered what it has not declared",
    "undeclared_event": "the product offered an event that it has not declared",
    "undeclared_span": "the product took a step that it has not declared",
    "unfinished": "a run that never said how it ended: killed, or left at once",
    "unwritable": "the spool could not be written: rights, descriptors, a disk that is read-only",
}


@click.command("lost")
@scope_options
@json_option
def command(product: str, everything: bool, as_json: bool) -> None:
    """Show what did not arrive, and why; for records that the intake refused, what it said."""
    found = {one: told(one) for one in scoped(product, everything)}
    if as_json:
        click.echo(json.dumps(found[product] if product and not everything else found))
        return
    for one, lost in found.items():
        click.echo(f"{one}: {'nothing was lost' if not lost['reasons'] else ''}".rstrip())
        for reason, row in lost["reasons"].items():
            click.echo(f"  {row['lost']:8} {reason:22} {row['last'] or '':22} {REASONS.get(reason, '')}".rstrip())
        for entry in lost["aside"]:
            click.echo(f"  aside: {', '.join(names(entry))}, {entry['time']}, {entry['endpoint']}: {entry.get('answer', '')}")


def told(product: str) -> dict[str, Any]:
    """What `lost --json` prints: counts by reason with what the intake was told of them and when, and the records kept aside."""
    reasons = {
        reason: {"lost": row.lost, "told": row.told, "last": moment(row.last * 10**9) if row.last else None}
        for reason, row in rows(product).items()
    }
    return {"reasons": reasons, "aside": list(quarantine.entries(Path(state_dir(product))))}
