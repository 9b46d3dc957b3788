"""`otel-bridge on`: keep the person's choice, for one product or for all."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..consent import ON, decide
from ..consent.choice import choose, mode_of, refusals
from ..errors import SettingsError
from ..export.writer import products
from ..paths import state_dir
from . import json_option, scope_options


def refusing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--category C` and `--event E`, for the verbs that let or refuse a part."""
    command = click.option("--event", "events", multiple=True, help="Only this event.")(command)
    return click.option("--category", "categories", multiple=True, help="Only what belongs to this category.")(command)


@click.command("on")
@scope_options
@refusing_options
@json_option
def command(product: str, everything: bool, categories: tuple[str, ...], events: tuple[str, ...], as_json: bool) -> None:
    """Let telemetry be recorded and sent; with --category or --event, no longer refuse that part."""
    scope = "" if everything else product
    parts = named(categories, events)
    if parts:
        path = choose(scope, mode_of(scope), [one for one in refusals(scope) if one not in parts])
    else:
        path = choose(scope, ON)
        forget_what_was_told(scope)
    tell(scope, path, as_json)


def named(categories: tuple[str, ...], events: tuple[str, ...]) -> list[str]:
    """The refusals that options name. Raises SettingsError for a name with a blank or a comma in it."""
    found = [f"category:{one}" for one in categories] + [f"event:{one}" for one in events]
    for one in found:
        if one.endswith(":") or len(one.replace(",", " ").split()) != 1:
            raise SettingsError(f"`{one}` is no name; `otel-bridge list` shows the categories and events of a product")
    return found


def forget_what_was_told(scope: str) -> None:
    """Who says on says it to what a product collects now; its next run writes that down."""
    for one in [scope] if scope else products():
        for name in ("told.json", "identity"):  # the second, so that the next run looks for the first
            Path(state_dir(one), name).unlink(missing_ok=True)


def tell(scope: str, path: str, as_json: bool) -> None:
    """Say what holds now, for every product that it is about: another rule may be stronger."""
    about = [scope] if scope else products()
    found = {one: decide(one) for one in about}
    if as_json:
        told = [{"product": one, "mode": each.mode, "source": each.source, "reason": each.reason} for one, each in found.items()]
        click.echo(json.dumps({"file": path, "telemetry": mode_of(scope), "refused": refusals(scope), "products": told}))
        return
    kept = " ".join(one for one in refusals(scope) if not one.startswith("deletion:"))
    click.echo(f"{scope or 'all products'}: {mode_of(scope) or 'undecided'}{f', without {kept}' if kept else ''} ({path})")
    for one, each in found.items():
        if each.source != path and each.mode != mode_of(scope):
            click.echo(f"  {one} is {each.mode} all the same: {each.reason}")
