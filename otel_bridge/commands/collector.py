"""`otel-bridge collector`: run or validate the collector on the merged YAML, and write its privacy step."""

import os
import subprocess
import sys
from pathlib import Path

import click

from .. import schema
from ..collector import binary, config_files
from ..collector.privacy_yaml import render
from . import put


@click.group("collector")
def command() -> None:
    """The OpenTelemetry Collector that listens. OTEL_BRIDGE_SINK, _SINK_2 and _OVERLAY choose what it does with events."""


def _arguments() -> list[str]:
    return [f"--config={file}" for file in config_files()]


@command.command()
def run() -> None:
    """Run the collector in the foreground, in the place of this process."""
    program = str(binary())
    arguments = _arguments()
    sys.stdout.flush()
    os.execv(program, [program, *arguments])


@command.command()
def validate() -> None:
    """Let the collector itself say whether the merged configuration is right."""
    found = subprocess.run([str(binary()), "validate", *_arguments()], check=False)
    if found.returncode == 0:
        click.echo("valid: " + " ".join(map(str, config_files())))
    sys.exit(1 if found.returncode else 0)


@command.command()
@click.argument("registries", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The file to write; standard output without it.")
def privacy(registries: tuple[Path, ...], out: Path | None) -> None:
    """Write privacy.yaml, the collector's allow-list, from the REGISTRIES of one or more products."""
    text = render([schema.load(registry) for registry in registries])
    if out is None:
        click.echo(text, nl=False)
    else:
        put(out, text.encode())
        click.echo(f"{out}: written")
