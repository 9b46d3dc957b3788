"""`otel-bridge export`: hand over everything that is held about this installation, as one JSON file."""

import json
from pathlib import Path
from typing import Any

import click

from ..clock import moment, now
from ..consent import choice, identity
from ..errors import BridgeError, SettingsError
from ..export import ledger, spool
from ..export.prepare import plain
from ..export.writer import declaration
from ..paths import state_dir
from . import json_option, scope_options, scoped
from .list import collects
from .status import flat, status


@click.command("export")
@scope_options
@json_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file to write; standard output without it.")
def command(product: str, everything: bool, as_json: bool, out: Path | None) -> None:
    """Write everything held about this installation as JSON; only the secret that your ids are made with is left out."""
    told = [gather(one) for one in scoped(product, everything)]
    text = json.dumps(told[0] if product and not everything else told, indent=1) + "\n"
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise SettingsError(f"{out}: cannot be written: {problem.strerror}") from None
    click.echo(f"{out}: written", err=True)


def gather(product: str) -> dict[str, Any]:
    """Everything held about one product here: what it may collect, ids, choices, records and the ledger."""
    folder = Path(state_dir(product))
    try:
        collected = collects(declaration(product))
    except BridgeError as problem:
        collected = {"product": product, "problem": str(problem)}
    return {
        "product": product,
        "time": moment(now()),
        "status": status(product),
        "collects": collected,
        "choices": {"all products": flat(choice.file_of("")), "this product": flat(choice.file_of(product))},
        "notice": flat(str(folder / "notice")),
        "ids": {**flat(str(folder / "identity")), "all": identity.ids(str(folder)), "secret": "not exported"},
        "session": {"kept": Path(identity.session_file()).exists()},
        "waiting": _records(folder),
        "local": _records(folder / "local"),
        "quarantine": [_record(item) for item in _aside(folder)],
        "sent": list(ledger.entries(folder)),
        "deletion_request": [_record(item) for item in spool.read(folder / "deletion.jsonl", "logs")[0]],
    }


def _aside(folder: Path) -> list[spool.Item]:
    files = sorted((folder / "quarantine").glob("*.jsonl"))
    return [item for file in files for item in spool.read(file, file.name.partition(".")[0])[0]]


def _records(folder: Path) -> list[dict[str, Any]]:
    return [_record(item) for items in spool.waiting(folder).values() for item in items]


def _record(item: spool.Item) -> dict[str, Any]:
    """A record for people: its name, its moment and its attributes, those of its resource apart."""
    nanoseconds = item.body.get("timeUnixNano") or item.body.get("startTimeUnixNano") or 0
    return {
        "name": item.body.get("eventName") or item.body.get("name"),
        "time": _time(nanoseconds),
        "attributes": _plain(item.body),
        "resource": _plain(item.resource),
    }


def _time(nanoseconds: Any) -> str:
    try:
        return moment(int(nanoseconds))
    except (TypeError, ValueError, OverflowError):  # somebody has edited the spool
        return "?"


def _plain(one: dict[str, Any]) -> dict[str, Any]:
    try:
        return plain(one.get("attributes", []))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):  # somebody has edited the spool
        return {}
