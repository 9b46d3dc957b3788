"""The command `otel-bridge`: one file a verb, imported when it is asked for; a failure is one line and exit code 1."""

import importlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from .. import __version__
from ..errors import BridgeError, SchemaError, SettingsError

PERSONAL = {  # said here too, so that a product's own command line knows them without loading them
    "status": "Say whether telemetry is on, by which rule, and how it fares.",
    "on": "Let telemetry be recorded and sent.",
    "off": "Stop telemetry, and delete what waits to be sent.",
    "local": "Record for your own use; nothing is ever sent.",
    "list": "Show what is collected, and why.",
    "preview": "Show what would be sent next.",
    "sent": "Show what left, when and where to.",
    "lost": "Show what did not arrive, and why.",
    "view": "Show all of this as one local page.",
    "export": "Write everything that is held here as JSON.",
    "forget": "Have the intake delete your records, then delete everything here.",
    "reset-id": "Be somebody else to the intake from now on.",
}
VERBS = tuple(
    sorted(
        (
            *PERSONAL,
            "canary",
            "check",
            "collector",
            "compile",
            "docs",
            "drain",
            "emit",
            "init",
            "names",
            "register",
            "replay",
            "run",
            "sinks",
        )
    )
)


class Verbs(click.Group):
    """The verbs as files of this folder."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all verbs, sorted."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of a name, imported now; None when there is none."""
        return find(cmd_name) if cmd_name in VERBS else None

    def invoke(self, ctx: click.Context) -> object:
        """Run a verb; what it cannot do is told on standard error, without a traceback."""
        with told_in_a_line():
            return super().invoke(ctx)


@contextmanager
def told_in_a_line() -> Iterator[None]:
    """Answer what cannot be done with one line on standard error and exit code 1."""
    try:
        yield
    except BridgeError as problem:
        click.echo(str(problem), err=True)
        sys.exit(1)
    except BrokenPipeError:  # `otel-bridge list | head`
        raise
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as problem:  # a file of ours that somebody has edited
        if os.environ.get("OTEL_BRIDGE_DEBUG", "0") not in ("", "0"):
            raise
        what = f"{type(problem).__name__}: {problem}".splitlines()[0]
        anew = ", `forget` starts anew" if set(PERSONAL) & set(sys.argv[1:]) else ""
        click.echo(f"a file cannot be understood ({what}); OTEL_BRIDGE_DEBUG=1 shows where{anew}", err=True)
        sys.exit(1)


def find(verb: str) -> click.Command:
    """The command of a verb."""
    found: click.Command = importlib.import_module("." + verb.replace("-", "_"), __name__).command
    return found


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Usage telemetry that you can see, stop and trust."""


def _name(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str:
    if value and not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", value):
        raise click.BadParameter("a product is named with lower-case letters, digits, dots and hyphens")
    return value or ""


product_option = click.option(
    "--product", required=True, callback=_name, help="The product, as its telemetry.yaml is compiled for."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def stale(wanted: dict[Path, bytes]) -> list[Path]:
    """The generated files that are missing, or not what they should be."""
    return [path for path, content in wanted.items() if not path.exists() or path.read_bytes() != content]


def put(path: Path, content: bytes) -> None:
    """Write a file in one step: a half one never lies there, and a program that has the old one mapped keeps it.

    Written in place, a digest of names that is in use would end its reader (SIGBUS). Raises SchemaError.
    """
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as problem:
        raise SchemaError(f"{path}: cannot be written ({problem.strerror}); name another place, or make room") from None
    finally:
        with suppress(OSError):  # a disk that cannot be written to at all
            new.unlink(missing_ok=True)


def scope_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--product P` or `--all`, for a verb that is about one product or about every product of this person."""
    command = click.option("--all", "everything", is_flag=True, help="Every product of this person.")(command)
    return click.option("--product", callback=_name, help="Only this product.")(command)


def scoped(product: str, everything: bool) -> list[str]:
    """The products that a verb is about: the one named, else all that are known here. Raises SettingsError when none is."""
    from ..export.writer import products

    if product and not everything:
        return [product]
    found = products()
    if not found:
        raise SettingsError("no product is known here yet; name one with --product")
    return found
