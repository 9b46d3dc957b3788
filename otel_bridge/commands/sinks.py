"""`otel-bridge sinks`: which sinks there are, which are active, what each needs; `sinks check` says what is wrong."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..collector import binary, config_files, config_folder
from ..collector.check import mistakes, secrets
from ..collector.obstacles import obstacles, prepared
from ..collector.sinks import Told, active, every, fields
from . import json_option


@click.group("sinks", invoke_without_command=True)
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Show where the collector can write, where it writes now, and what each place needs."""
    if ctx.invoked_subcommand is not None:
        return
    kinds = {kind: (active(kind), every(kind)) for kind in ("sinks", "overlays", "scale")}
    if as_json:
        told: dict[str, Any] = {"config": str(config_folder())}
        for kind, (chosen, found) in kinds.items():
            told[kind] = [{**described(one), "active": one.name in chosen} for one in found]
        click.echo(json.dumps(told))
        return
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    now = {kind: " and ".join(chosen) or "none" for kind, (chosen, _) in kinds.items()}
    overlay = now["scale"] if now["scale"] != "none" else now["overlays"]
    console.print(f"{config_folder()}: active {now['sinks']}, overlay {overlay}", markup=False)
    table = Table(box=None, pad_edge=False)
    for column in ("", "sink", "what it is", "what it needs"):
        table.add_column(column)
    for kind, (chosen, found) in kinds.items():
        for one in found if kind == "sinks" else [one for one in found if one.name in chosen]:
            needs = "\n".join(f"{row.name} ({'set' if row.is_set else 'missing'})" for row in one.needs)
            table.add_row("*" if one.name in chosen else "", one.name, escape(one.what), needs)
    console.print(table)


def described(one: Told) -> dict[str, Any]:
    """A file as `--json` has it; values of variables are never shown."""
    return {
        "name": one.name,
        "file": str(one.file),
        "what": one.what,
        "needs": [{"variable": row.name, "what": row.what, "set": row.is_set} for row in one.needs],
        "may": [{"variable": row.name, "what": row.what, "default": row.default, "set": row.is_set} for row in one.may],
        "lost": list(one.lost),
    }


@command.command()
@json_option
def check(as_json: bool) -> None:
    """Say whether privacy is before every sink, every secret is there, and the collector takes the merged files."""
    files = config_files()
    prepared(files)
    found = [*mistakes(files), *secrets(files), *obstacles(files)]
    if not found:  # the collector's own words come last: they are long, and name no file
        found += refused(files)
    if as_json:
        click.echo(json.dumps({"files": [str(file) for file in files], "mistakes": found}))
    else:
        for line in found:
            click.echo(line, err=True)
        if not found:
            click.echo("good: " + " ".join(map(str, files)))
    sys.exit(1 if found else 0)


def refused(files: list[Path]) -> list[str]:
    """What the collector itself says against the merged files; each line with the files that it may come from."""
    words = [str(binary()), "validate", *(f"--config={file}" for file in files)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    said = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    place = _place(files, " ".join(said))
    return [f"{place}: the collector refuses it: {' '.join(said[:6])}"[:600]]


def _place(files: list[Path], said: str) -> str:
    """The file that the collector's words are about: the last that defines the component which they name, else the first sink."""
    named = set(re.findall(r"[\w.]+(?:/\w+)?", said))
    for file in reversed(files):
        keys = re.findall(r"^  (\w+(?:/\w+)?):", file.read_text(encoding="utf-8"), re.MULTILINE)
        if named & {key for key in keys if key not in ("extensions", "telemetry", "pipelines")} and file.name != "privacy.yaml":
            return str(file)
    return str(files[min(1, len(files) - 1)])


@command.command("fields")
def fields_conf() -> None:
    """Print Splunk's fields.conf for the attributes that privacy.yaml lets through."""
    click.echo(fields(config_folder() / "privacy.yaml"), nl=False)
