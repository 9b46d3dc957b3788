"""`otel-bridge list`: show what a product collects, and why."""

import json
from typing import Any

import click

from ..consent.agreed import RUN, rate
from ..export.writer import declaration
from ..schema.compile import Compiled
from ..schema.words import A_RUN, EVERYTHING, keeps, sampled, until
from . import json_option, scope_options, scoped

Specs = tuple[tuple[Any, ...], ...]


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
            if event["sample_rate"] < 1:
                click.echo(f"    told {sampled(event['sample_rate'])}")
            for key in event["attributes"]:
                one = told["attributes"][key]
                end = f" (until {one['expires']})" if one["expires"] else ""
                click.echo(f"    {key:34} {one['keeps']}{end}\n    {'':34} {one['purpose']}{_category(one['category'])}")


def _category(name: str) -> str:
    return f" [{name}]" if name else ""


def collects(declared: Compiled) -> dict[str, Any]:
    """What `list --json` prints: `events` with the keys of their attributes, and `attributes` by key."""
    about = json.loads(declared.about)
    places = _places(declared)
    told = {EVERYTHING: {"brief": "Product and platform, with everything else.", "category": ""}}
    told[RUN] = {"brief": A_RUN, "category": ""}
    events = [
        {
            "name": name,
            **told.get(name, about["events"].get(name, {})),
            "sample_rate": rate(each),
            "attributes": [one[0] for one in each],
        }
        for name, each in places.items()
    ]
    keys = sorted({one[0] for each in places.values() for one in each})
    attributes = {
        key: {**about["attributes"][key], **_reduced(declared, [one for each in places.values() for one in each if one[0] == key])}
        for key in keys
    }
    named = {"product": declared.product, "version": declared.version, "notice": declared.notice}
    return {**named, "documentation": declared.documentation, "events": events, "attributes": attributes}


def _places(declared: Compiled) -> dict[str, Specs]:
    """The attributes that are told together: with everything, of a run, of a span of a long-lived program, of an event."""
    run = tuple(one for one in declared.span if one not in declared.common)
    spans = {name: one[2] for name, one in sorted(declared.spans.items())}
    return {EVERYTHING: (*declared.resource, *declared.common), RUN: run, **spans, **dict(sorted(declared.events.items()))}


def _reduced(declared: Compiled, specs: list[tuple[Any, ...]]) -> dict[str, str]:
    """What is kept of an attribute, in each form that it has in one place or another, and until when."""
    forms = dict.fromkeys(keeps(one[2], one[3], one[1], declared.identity) for one in specs)
    expires = 0 if any(one[4] == 0 for one in specs) else max(one[4] for one in specs)
    return {"policy": specs[0][2], "keeps": " or ".join(forms), "type": specs[0][1], "expires": until(expires)}
