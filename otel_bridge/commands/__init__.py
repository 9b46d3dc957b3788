"""The command `otel-bridge`: one file a verb, imported when it is asked for; a failure is one line and exit code 1."""

import importlib
import sys

import click

from .. import __version__
from ..errors import BridgeError

VERBS = ("canary", "check", "collector", "compile", "drain", "off", "on", "preview", "sent", "status")


class Verbs(click.Group):
    """The verbs as files of this folder."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all verbs, sorted."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of a name, imported now; None when there is none."""
        if cmd_name not in VERBS:
            return None
        found: click.Command = importlib.import_module(f".{cmd_name}", __name__).command
        return found

    def invoke(self, ctx: click.Context) -> object:
        """Run a verb; what it cannot do is told on standard error, without a traceback."""
        try:
            return super().invoke(ctx)
        except BridgeError as problem:
            click.echo(str(problem), err=True)
            sys.exit(1)


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Usage telemetry that you can see, stop and trust."""


product_option = click.option("--product", required=True, help="The product, as its telemetry.yaml is compiled for.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
