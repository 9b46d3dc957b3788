"""Our verbs in a product's own command line: `kitchen telemetry status`, mounted with one line.

click      main.add_command(otel_bridge.mount.click_group())
typer      app.add_typer(otel_bridge.mount.typer_app(), name="telemetry")
argparse   otel_bridge.mount.argparse_parser(parser.add_subparsers())

Each takes the product's top package, by default the caller's. `otel_bridge.mount.click_group` is there without loading this
file, and this file loads the verbs only when one is asked for: a run that passes by does not pay for them.
"""

from __future__ import annotations

import otel_bridge

from . import _caller
from . import _click_group as click_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

    import click

__all__ = ["argparse_parser", "click_group", "names", "run", "typer_app", "verb"]


def argparse_parser(commands: Any, package: str = "", name: str = "telemetry") -> argparse.ArgumentParser:
    """A parser of our verbs below what `add_subparsers` returned; it runs them while arguments are parsed, and leaves."""
    otel_bridge.mounted, package = name, package or _caller()
    parser: argparse.ArgumentParser = commands.add_parser(name, help=otel_bridge._HELP, add_help=False)
    parser.parse_known_args = lambda words=None, namespace=None: run(package, parser.prog, words or ())  # type: ignore[method-assign, assignment]
    return parser


def typer_app(package: str = "", name: str = "telemetry") -> Any:
    """A typer application of our verbs, for `add_typer`."""
    import typer
    from typer.core import TyperGroup

    from .commands import PERSONAL

    class Verbs(TyperGroup):
        def make_context(self, *args: Any, **kwargs: Any) -> Any:
            names()  # before typer answers for help and misspelt verbs by itself
            return super().make_context(*args, **kwargs)

    otel_bridge.mounted, package = name, package or _caller()
    app = typer.Typer(name=name, help=otel_bridge._HELP, no_args_is_help=True, cls=Verbs)
    passed_on = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    for one, told in PERSONAL.items():
        app.command(one, context_settings=passed_on, help=told)(_passing(package, one, typer.Context))
    return app


def _passing(package: str, name: str, context: type) -> Any:
    """A function that typer takes for a command, which hands all words to the verb."""

    def passing(ctx: Any) -> None:
        run(package, ctx.command_path.rpartition(" ")[0], [name, *ctx.args])

    passing.__annotations__["ctx"] = context
    return passing


def names() -> list[str]:
    """The verbs that can be mounted."""
    from .commands import PERSONAL

    otel_bridge.current = None  # asking about telemetry is not usage of the product: this run is not recorded
    return list(PERSONAL)


def verb(package: str, name: str) -> click.Command | None:
    """A verb of `otel-bridge` bound to the product of a package; None when there is no such verb."""
    import functools
    import importlib

    import click

    from .commands import find, told_in_a_line

    if name not in names():
        return None
    original = find(name)
    product = importlib.import_module(package + "._telemetry").PRODUCT
    given = {"product": product, "everything": False}
    asked = {one.name for one in original.params}

    @functools.wraps(original.callback or int)
    def bound(**others: object) -> object:
        with told_in_a_line():
            return original.callback(**others, **{key: value for key, value in given.items() if key in asked})  # type: ignore[misc]

    params = [one for one in original.params if one.name not in given]
    return click.Command(name, callback=bound, params=params, help=original.help)


def run(package: str, program: str, words: Sequence[str]) -> None:
    """Run a verb from a command line that click does not parse, and leave with its exit code."""
    import click

    group = click.Group(help=otel_bridge._HELP, context_settings={"help_option_names": ["-h", "--help"]})
    for name in names():
        found = verb(package, name)
        assert found is not None
        group.add_command(found)
    group.main(list(words), prog_name=program)
