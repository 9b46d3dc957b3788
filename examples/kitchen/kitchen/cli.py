"""The command line of kitchen, written with click; all it knows of telemetry is the last line."""

import json
import subprocess

import click

import otel_bridge

from . import __version__, actions
from .instances import KitchenError, load


class _Group(click.Group):
    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except KitchenError as problem:
            raise click.ClickException(str(problem)) from None


@click.group(cls=_Group)
@click.version_option(__version__)
@click.option("--config", default=".kitchen.yml", show_default=True, help="The file that lists platforms and suites.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warn", "error"]), default="info", help="How much to tell.")
@click.pass_context
def main(ctx: click.Context, config: str, log_level: str) -> None:
    """Create, converge, verify and destroy sandboxes."""
    ctx.obj = {"config": config, "quiet": log_level in ("warn", "error")}


def _each(ctx: click.Context, action, only: str, concurrency: int) -> None:
    def one(instance) -> None:
        told = action(instance)
        if not ctx.obj["quiet"]:
            click.echo(told)

    actions.each(one, load(ctx.obj["config"], only), concurrency)


def _several(command):
    command = click.option("--concurrency", "-c", type=int, default=1, help="How many instances at a time.")(command)
    return click.argument("only", default="")(command)


@main.command()
@_several
@click.option("--driver", help="The driver to use instead of the configured one.")
@click.option("--target", help="The box to create instead of the driver's own choice.")
@click.pass_context
def create(ctx: click.Context, only: str, concurrency: int, driver: str | None, target: str | None) -> None:
    """Make instances."""
    _each(ctx, lambda instance: actions.create(instance, driver, target), only, concurrency)


@main.command()
@_several
@click.pass_context
def converge(ctx: click.Context, only: str, concurrency: int) -> None:
    """Bring instances into the state that their provisioner describes."""
    _each(ctx, actions.converge, only, concurrency)


@main.command()
@_several
@click.pass_context
def verify(ctx: click.Context, only: str, concurrency: int) -> None:
    """Run the tests of instances."""
    _each(ctx, actions.verify, only, concurrency)


@main.command()
@_several
@click.pass_context
def destroy(ctx: click.Context, only: str, concurrency: int) -> None:
    """Remove instances."""
    _each(ctx, actions.destroy, only, concurrency)


@main.command("test")
@_several
@click.option("--destroy", "when", type=click.Choice(["passing", "always", "never"]), default="passing", help="When to remove.")
@click.pass_context
def test(ctx: click.Context, only: str, concurrency: int, when: str) -> None:
    """Destroy, create, converge, verify, and destroy again."""

    def whole(instance) -> str:
        try:
            for action in (actions.destroy, actions.create, actions.converge, actions.verify):
                action(instance)
        except KitchenError:
            if when == "always":
                actions.destroy(instance)
            raise
        if when != "never":
            actions.destroy(instance)
        return f"tested {instance.name}"

    _each(ctx, whole, only, concurrency)


@main.command("list")
@click.argument("only", default="")
@click.option("--json", "as_json", is_flag=True, help="As one line of JSON.")
@click.pass_context
def list_(ctx: click.Context, only: str, as_json: bool) -> None:
    """Show instances and how far they have come."""
    found = {instance.name: instance.state.get("last_action", "-") for instance in load(ctx.obj["config"], only)}
    if as_json:
        click.echo(json.dumps(found))
    else:
        for name, action in found.items():
            click.echo(f"{name:32} {action}")


@main.command()
@click.argument("only")
@click.option("--command", default="/bin/sh", help="What to run there instead of a shell.")
@click.pass_context
def login(ctx: click.Context, only: str, command: str) -> None:
    """Open a shell in the sandbox of an instance."""
    instance = load(ctx.obj["config"], only)[0]
    if not instance.state:
        raise KitchenError(f"{instance.name} does not exist yet; `kitchen create {only}` makes it")
    ctx.exit(subprocess.run(command, shell=True, cwd=instance.sandbox, check=False).returncode)


main.add_command(otel_bridge.mount.click_group())  # kitchen telemetry status|on|off|preview|sent|forget...
