"""`otel-bridge status`: what is on and why, what waits, what was lost, and what keeps it here."""

import json
from pathlib import Path

import click

from ..consent import decide
from ..errors import BridgeError
from ..export import spool
from ..export.drain import endpoint_of, losses, remembered
from ..export.writer import declaration
from ..paths import state_dir
from . import json_option, product_option


@click.command("status")
@product_option
@json_option
def command(product: str, as_json: bool) -> None:
    """Say whether telemetry is on, by which rule, and how it fares."""
    told = status(product)
    if as_json:
        click.echo(json.dumps(told))
        return
    click.echo(f"{product}: {told['mode']} ({told['reason']})")
    for key in ("source", "since", "endpoint", "last_drain", "error"):
        if told[key]:
            click.echo(f"  {key.replace('_', ' '):12} {told[key]}")
    waiting, lost = told["pending"], told["lost"]
    assert isinstance(waiting, dict) and isinstance(lost, dict)
    click.echo(f"  {'waiting':12} {waiting['logs']} events, {waiting['traces']} runs")
    for reason, number in lost.items():
        click.echo(f"  {'lost':12} {number} {reason}")


def status(product: str) -> dict[str, object]:
    """Everything that `status --json` prints; nothing is written, whatever the answer."""
    decision = decide(product)
    waiting: dict[str, list[spool.Item]] = {signal: [] for signal in spool.SIGNALS}
    last: dict[str, str] = {}
    lost: dict[str, int] = {}
    endpoint = None
    try:
        waiting = spool.waiting(Path(state_dir(product)))
        last = remembered(product)
        lost = dict(sorted(losses(product).items()))
        endpoint = endpoint_of(declaration(product))
    except (BridgeError, OSError):  # nothing recorded yet, or no home: what is known is told
        pass
    return {
        "product": product,
        "mode": decision.mode,
        "reason": decision.reason,
        "source": decision.source,
        "since": decision.since or None,
        "notice_shown": None,
        "installation_id": None,
        "pending": {signal: len(items) for signal, items in waiting.items()},
        "lost": lost,
        "last_drain": last.get("last"),
        "next_drain": None,
        "endpoint": endpoint,
        "error": last.get("error") or None,
    }
