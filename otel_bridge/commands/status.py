"""`otel-bridge status`: what is on and why, what waits, what was lost, and what keeps it here."""

import json
from pathlib import Path
from typing import Any

import click

from ..clock import moment
from ..consent import SOURCES, decide, surroundings
from ..errors import BridgeError
from ..export import backoff, build, deletion, spool
from ..export.drain import losses
from ..export.writer import declaration, endpoint_of
from ..paths import read_flat, state_dir
from ..settings import setting
from . import json_option, scope_options, scoped


@click.command("status")
@scope_options
@json_option
def command(product: str, everything: bool, as_json: bool) -> None:
    """Say whether telemetry is on, by which rule, and how it fares."""
    found = [status(one) for one in scoped(product, everything)]
    if as_json:
        click.echo(json.dumps(found[0] if product and not everything else found))
        return
    for told in found:
        for line in lines(told):
            click.echo(line)


def lines(told: dict[str, Any]) -> list[str]:
    """A status for people."""
    found = [f"{told['product']}: {told['mode']} ({told['reason']})"]
    for key in ("source", "since", "refused", "notice_shown", "installation_id", "endpoint", "last_drain", "next_drain", "error"):
        if told[key]:
            value = ", ".join(told[key]) if isinstance(told[key], list) else told[key]
            found.append(f"  {key.replace('_', ' '):16} {value}")
    found.append(f"  {'waiting':16} {told['pending']['logs']} events, {told['pending']['traces']} runs")
    found += [f"  {'lost':16} {number} {reason}" for reason, number in told["lost"].items()]
    said = [f"{one['source']}: {one['says']}" for one in told["sources"] if one["says"]]
    silent = [one["source"] for one in told["sources"] if not one["says"]]
    found.append(f"  {'asked':16} {'; '.join(said) or 'nobody spoke'}")
    found.append(f"  {'silent':16} {'; '.join(silent)}")
    return found


def status(product: str) -> dict[str, Any]:
    """Everything that `status --json` prints; runs that died meanwhile are counted, else nothing is written."""
    decision = decide(product)
    pending = dict.fromkeys(spool.SIGNALS, 0)
    last: dict[str, str] = {}
    lost: dict[str, int] = {}
    identity: dict[str, str] = {}
    notice: dict[str, str] = {}
    endpoint, mode, reason, error = None, decision.mode, decision.reason, None
    try:
        folder = Path(state_dir(product))
        identity, notice = flat(folder / "identity"), flat(folder / "notice")
        pending = spool.count(folder)
        last = backoff.recall(folder)
        lost = losses(product)
        if deletion.waits(folder):
            error = "the deletion request waits; `forget` sends it again"
        declared = declaration(product)
        renamed = build.renamed(declared)
        if renamed:
            mode, reason = "off", renamed
        endpoint = endpoint_of(declared)
    except (BridgeError, OSError):  # nothing recorded yet, or no home: what is known is told
        pass
    return {
        "product": product,
        "mode": mode,
        "reason": reason,
        "source": decision.source,
        "since": decision.since or None,
        "refused": decision.refused.replace(",", " ").split(),
        "notice_shown": notice.get("shown"),
        "installation_id": None if "ci" in surroundings() else identity.get("installation"),
        "pending": pending,
        "lost": lost,
        "last_drain": _time(last.get("last")),
        "next_drain": _time(last.get("not_before") or _ordinary(last.get("last"))),
        "endpoint": endpoint,
        "error": error or last.get("error") or identity.get("problem"),
        "sources": asked(product),
    }


def asked(product: str) -> list[dict[str, str | None]]:
    """Every source in the order in which it is asked: what it says, and why; nothing for one that did not speak."""
    found = []
    for source in SOURCES:
        said = source(product)
        told = {"says": said.mode or "undecided", "reason": said.reason, "where": said.source} if said else {"says": None}
        found.append({"source": source.__doc__, **told})
    return found


def flat(path: Path | str) -> dict[str, str]:
    """The pairs of a file; none when there is no such file, or somebody has edited it beyond reading."""
    try:
        return read_flat(str(path)) or {}
    except (OSError, UnicodeDecodeError):
        return {}


def _time(seconds: str | None) -> str | None:
    return moment(backoff.whole(seconds) * 10**9) if backoff.whole(seconds) else None


def _ordinary(last: str | None) -> str | None:
    every = setting("drain_every")
    return str(backoff.whole(last) + int(every)) if backoff.whole(last) and every.isdigit() else None
