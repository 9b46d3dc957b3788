"""`otel-bridge status`: what is on and why, what waits, what was lost, and what keeps it here."""

import json
from pathlib import Path

import click

from ..clock import moment
from ..consent import decide
from ..errors import BridgeError
from ..export import backoff, spool
from ..export.drain import endpoint_of, losses
from ..export.writer import declaration
from ..paths import state_dir
from ..settings import setting
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
    for key in ("source", "since", "endpoint", "last_drain", "next_drain", "error"):
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
        last = backoff.recall(Path(state_dir(product)))
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
        "last_drain": _time(last.get("last")),
        "next_drain": _time(last.get("not_before") or _ordinary(last.get("last"))),
        "endpoint": endpoint,
        "error": last.get("error") or None,
    }


def _time(seconds: str | None) -> str | None:
    return moment(int(seconds) * 10**9) if seconds else None


def _ordinary(last: str | None) -> str | None:
    every = setting("drain_every")
    return str(int(last) + int(every)) if last and every.isdigit() else None
