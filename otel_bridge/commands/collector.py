"""`otel-bridge collector`: run or validate the collector on the merged YAML, and write its privacy step."""

import os
import subprocess
import sys
from pathlib import Path

import click

from .. import schema
from ..collector import binary, config_files
from ..collector.check import mistakes, secrets
from ..collector.obstacles import obstacles, prepared, stale
from ..collector.privacy_yaml import render
from ..errors import CollectorError
from . import put


@click.group("collector")
def command() -> None:
    """The OpenTelemetry Collector that listens. OTEL_BRIDGE_SINK, _SINK_2 and _OVERLAY choose what it does with events."""


def _ready() -> list[Path]:
    """The files to run, with their secrets in the environment. Raises CollectorError with a line for each thing in the way."""
    files = config_files()
    given = prepared(files)
    if "replay" in {file.stem for file in files}:
        os.environ.setdefault("OTEL_BRIDGE_BLOCK_ON_OVERFLOW", "true")  # the reader moves on when a full queue refuses
    memory = given.get("OTEL_BRIDGE_MEMORY_MIB", "")
    if memory.isdecimal() and int(memory):  # else the collector takes a part of what there is, or says what is wrong
        os.environ.setdefault("GOMEMLIMIT", f"{int(memory) * 16 // 15}MiB")  # 80 % where that is 75 %
    found = [*mistakes(files), *secrets(files), *obstacles(files)]
    if found:
        raise CollectorError("\n".join(found))
    return files


@command.command()
def run() -> None:
    """Run the collector in the foreground, in the place of this process."""
    program = str(binary())
    arguments = [f"--config={file}" for file in _ready()]
    sys.stdout.flush()
    os.execv(program, [program, *arguments])


@command.command()
@click.argument("registries", nargs=-1, type=click.Path(path_type=Path))
def validate(registries: tuple[Path, ...]) -> None:
    """Let the collector itself say whether the merged configuration is right; with REGISTRIES, whether privacy.yaml knows them."""
    files = _ready()
    if registries:
        found = stale(files[-1], [schema.load(registry) for registry in registries])
        if found:
            raise CollectorError(f"{found}; `otel-bridge collector privacy {' '.join(map(str, registries))} --out {files[-1]}`")
    done = subprocess.run([str(binary()), "validate", *(f"--config={file}" for file in files)], check=False)
    if done.returncode == 0:
        click.echo("valid: " + " ".join(map(str, files)))
    sys.exit(1 if done.returncode else 0)


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
