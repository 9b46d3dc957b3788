"""`otel-bridge sent`: show what left this machine."""

import json
from pathlib import Path

import click

from ..export import ledger
from ..paths import state_dir
from . import json_option, product_option


@click.command("sent")
@product_option
@json_option
def command(product: str, as_json: bool) -> None:
    """Show the requests that left: when, where to, with which answer, and what they said."""
    for entry in ledger.entries(Path(state_dir(product))):
        if as_json:
            click.echo(json.dumps(entry, separators=(",", ":")))
            continue
        click.echo(f"{entry['time']}  {entry['endpoint']}  {entry['status']}  sha256 {entry['sha256']}")
        for name in _names(entry):
            click.echo(f"    {name}")


def _names(entry: dict[str, object]) -> list[str]:
    found = []
    for groups, scopes, records in (("resourceLogs", "scopeLogs", "logRecords"), ("resourceSpans", "scopeSpans", "spans")):
        for group in entry.get(groups, []):  # type: ignore[attr-defined]
            for scope in group[scopes]:
                found += [record.get("eventName") or record["name"] for record in scope[records]]
    return found
