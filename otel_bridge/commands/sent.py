"""`otel-bridge sent`: show what left this machine."""

import json
from pathlib import Path
from typing import Any

import click

from ..export import ledger
from ..paths import state_dir
from . import json_option, scope_options, scoped


@click.command("sent")
@scope_options
@json_option
def command(product: str, everything: bool, as_json: bool) -> None:
    """Show the requests that left: when, where to, with which answer, and what they said."""
    for one in scoped(product, everything):
        for entry in ledger.entries(Path(state_dir(one))):
            if as_json:
                click.echo(json.dumps(entry, separators=(",", ":")))
                continue
            click.echo(f"{entry['time']}  {entry['endpoint']}  {entry['status']}  sha256 {entry['sha256']}")
            for name in names(entry):
                click.echo(f"    {name}")


def names(entry: dict[str, Any]) -> list[str]:
    """The names of the events and spans in an entry of the ledger; of one of another shape, those that can be understood."""
    found = []
    for groups, scopes, records in (("resourceLogs", "scopeLogs", "logRecords"), ("resourceSpans", "scopeSpans", "spans")):
        for group in _members(entry, groups):
            for scope in _members(group, scopes):
                found += [str(record.get("eventName") or record.get("name", "?")) for record in _members(scope, records)]
    return found


def _members(layer: dict[str, Any], key: str) -> list[dict[str, Any]]:
    members = layer.get(key)
    return [one for one in members if isinstance(one, dict)] if isinstance(members, list) else []
