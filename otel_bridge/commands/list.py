"""`otel-bridge list`: show what a product collects, and why."""

import json
from typing import Any

import click

from ..export.writer import declaration
from ..schema.compile import Compiled
from . import json_option, scope_options, scoped


@click.command("list")
@scope_options
@json_option
def command(product: str, everything: bool, as_json: bool) -> None:
    """Show what a product collects: every event and every attribute, with its purpose."""
    found = [collects(declaration(one)) for one in scoped(product, everything)]
    if as_json:
        click.echo(json.dumps(found[0] if product and not everything else found))
        return
    for told in found:
        click.echo(f"{told['product']} {told['version']} {told['notice']}".rstrip())
        for event in told["events"]:
            click.echo(f"\n{event['name']}  {event['brief']}{_category(event['category'])}")
            for key in event["attributes"]:
                one = told["attributes"][key]
                click.echo(f"    {key:34} {one['keeps']}\n    {'':34} {one['purpose']}{_category(one['category'])}")


def _category(name: str) -> str:
    return f" [{name}]" if name else ""


def collects(declared: Compiled) -> dict[str, Any]:
    """What `list --json` prints: `events` with the keys of their attributes, and `attributes` by key."""
    about = json.loads(declared.about)
    specs = {one[0]: one for one in (*declared.resource, *declared.span, *declared.common)}
    for event in declared.events.values():
        specs.update({one[0]: one for one in event})
    every = (*declared.resource, *declared.common)
    places = {"(every event and run)": every, "cli.run": tuple(one for one in declared.span if one not in declared.common)}
    events = [
        {"name": name, **_ABOUT.get(name, about["events"].get(name, {})), "attributes": [one[0] for one in each]}
        for name, each in (*places.items(), *sorted(declared.events.items()))
    ]
    attributes = {
        key: {**about["attributes"][key], "policy": policy, "keeps": keeps(policy, parameters), "type": kind}
        for key, kind, policy, parameters, _ in map(specs.__getitem__, sorted(specs))
    }
    named = {"product": declared.product, "version": declared.version, "notice": declared.notice}
    return {**named, "documentation": declared.documentation, "events": events, "attributes": attributes}


_ABOUT = {
    "(every event and run)": {"brief": "Product and platform, with everything else.", "category": ""},
    "cli.run": {"brief": "One run of the command line.", "category": ""},
}
_KEEPS = {
    "boolean": "true or false",
    "bucket": "the upper bound of its bucket: {0}",
    "count": "a whole number, at most {0}",
    "default_only": "the tool's own default ({0}), {1} when you chose another",
    "drop": "nothing",
    "enum": "one of {0}, else {1}",
    "identifier": "a random id, another one every {0}",
    "registry": "a public name (list `{0}`), else {1}",
    "version": "the first {0} numbers of a version",
}
MANY = 8


def keeps(policy: str, parameters: tuple[Any, ...]) -> str:
    """What a policy leaves of a value, in words."""
    return _KEEPS[policy].format(*map(_short, parameters))


def _short(value: Any) -> str:
    if isinstance(value, str) and value[:1] == "\n":
        value = tuple(value.split("\n")[1:-1])
    if not isinstance(value, tuple):
        return str(value)
    more = f" and {len(value) - MANY} more" if len(value) > MANY else ""
    return ", ".join(map(str, value[:MANY])) + more
