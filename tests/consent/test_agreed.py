"""What is left of a declaration when a part of it is refused, and what counts as more than before."""

import json
from types import SimpleNamespace

import pytest
from conftest import World, attributes, uid

from otel_bridge.consent.agreed import agreed, more
from otel_bridge.export.prepare import plain

OLD = ("k", "string", "enum", ("\nred\nblue\n", "__other__"), 0)


ABOUT = {"attributes": {"k": {"category": "platform"}}, "events": {}}
SETTINGS = {"IDENTITY": "quarter", "RESOLUTION": 60, "ENDPOINT": "https://a", "FAMILY": "f"}


def declared(*specs: tuple[object, ...], **settings: object) -> SimpleNamespace:
    about = {"ABOUT": json.dumps(ABOUT)}
    return SimpleNamespace(**{**SETTINGS, **about, **settings}, RESOURCE=(), SPAN=(), COMMON=(), EVENTS={"e": specs})


def told(*specs: tuple[object, ...]) -> dict:
    every = {"RESOURCE": {}, "SPAN": {}, "COMMON": {}, "e": {one[0]: one[1:] for one in specs}}
    every["SETTINGS"] = {**SETTINGS, "CATEGORIES": {"k": "platform"}}
    return json.loads(json.dumps(every))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (OLD, OLD, False),
        (OLD, ("k", "string", "enum", ("\nred\n", "__other__"), 0), False),
        (OLD, ("k", "string", "enum", ("\nred\ngreen\n", "__other__"), 0), True),
        (OLD, ("k", "string", "registry", ("plugins", "__private__"), 0), True),
        (OLD, ("k", "string", "drop", (), 0), False),
        (OLD, ("other", "string", "enum", ("\nred\n", "__other__"), 0), True),
        (("k", "int", "bucket", ((1, 10),), 0), ("k", "int", "bucket", ((1,),), 0), False),
        (("k", "int", "bucket", ((1, 10),), 0), ("k", "int", "bucket", ((1, 5, 10),), 0), True),
        (("k", "int", "count", (5,), 0), ("k", "int", "count", (4,), 0), False),
        (("k", "int", "count", (5,), 0), ("k", "int", "count", (6,), 0), True),
        (("k", "string", "version", (2, ""), 0), ("k", "string", "version", (1, ""), 0), False),
        (("k", "string", "version", (2, ""), 0), ("k", "string", "version", (3, ""), 0), True),
        (("k", "boolean", "boolean", (), 5), ("k", "boolean", "boolean", (), 4), False),
        (("k", "boolean", "boolean", (), 5), ("k", "boolean", "boolean", (), 0), True),
        (("k", "string", "version", (3, "name"), 0), ("k", "string", "version", (3, ""), 0), True),
        (("k", "string", "registry", ("a", "x"), 0), ("k", "string", "registry", ("b", "x"), 0), True),
        (("k", "string", "day", ("day",), 0), ("k", "string", "day", ("week",), 0), False),
        (("k", "string", "day", ("week",), 0), ("k", "string", "day", ("day",), 0), True),
        (("k", "string", "pseudonym", ("quarter", "p"), 0), ("k", "string", "pseudonym", ("month", "p"), 0), False),
        (("k", "string", "pseudonym", ("month", "p"), 0), ("k", "string", "pseudonym", ("year", "p"), 0), True),
        (("k", "string[]", "frames", ("\na\nb\n", 9), 0), ("k", "string[]", "frames", ("\na\n", 8), 0), False),
        (("k", "string[]", "frames", ("\na\n", 8), 0), ("k", "string[]", "frames", ("\na\nb\n", 8), 0), True),
        (("k", "string[]", "frames", ("\na\n", 8), 0), ("k", "string[]", "frames", ("\na\n", 9), 0), True),
    ],
)
def test_what_counts_as_more(old: tuple, new: tuple, expected: bool) -> None:
    """New keys, values, digits, another policy or a later expiry are more; anything taken away is not."""
    assert more(declared(new), told(old)) is expected


def test_a_new_event_is_more() -> None:
    """And one that is gone is not."""
    before = told()
    del before["e"]
    assert more(declared(), before)
    gone = declared()
    gone.EVENTS = {}
    assert not more(gone, told(OLD))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, False),
        ({"IDENTITY": "year"}, True),
        ({"IDENTITY": "month"}, False),
        ({"IDENTITY": "none"}, False),
        ({"RESOLUTION": 3600}, False),
        ({"RESOLUTION": 1}, True),
        ({"ENDPOINT": "https://b"}, True),
        ({"FAMILY": "g"}, True),
        ({"ABOUT": json.dumps({"attributes": {"k": {"category": "interaction"}}, "events": {}})}, True),
    ],
)
def test_where_it_goes_and_under_which_id_counts_too(settings: dict, expected: bool) -> None:
    """Another server or family, an id that lives longer, a finer clock, another category: more. Less of any of them is not."""
    assert more(declared(OLD, **settings), told(OLD)) is expected


def test_what_was_told_and_cannot_be_read_was_not_told() -> None:
    """A broken file is no agreement."""
    assert more(declared(OLD), {})


def test_a_refused_event_is_not_recorded_and_not_lost(world: World) -> None:
    """`off --event`: the others go on, `status` names it, and it is no loss that anybody should mend."""
    world.on()
    world.run("otel-bridge", "off", "--product", "kitchen", "--event", "kitchen.create")
    kitchen(world, "create", "debian")
    kitchen(world, "destroy", "debian")
    assert [item.body.get("eventName", item.body.get("name")) for item in world.waiting()] == ["kitchen.destroy"] + ["cli.run"] * 2
    status = world.json("otel-bridge", "status", "--product", "kitchen", "--json")
    assert (status["mode"], status["refused"], status["lost"]) == ("on", ["event:kitchen.create"], {})


def kitchen(world: World, *words: str) -> None:
    (world.work / ".kitchen.yml").write_text(
        "driver: {name: vagrant}\nprovisioner: {name: chef_zero}\nverifier: {name: inspec}\n"
        "platforms: [{name: debian-12}]\nsuites: [{name: default}]\n"
    )
    world.run("kitchen", *words)


def test_a_refused_category_takes_its_attributes_and_events(world: World) -> None:
    """`off --category platform` leaves product and version, without which no record has a sense; `--category interaction` all events."""
    world.on()
    world.run("otel-bridge", "off", "--product", "kitchen", "--category", "platform")
    kitchen(world, "create", "debian")
    resource = plain(world.waiting()[0].resource["attributes"])
    assert sorted(resource) == ["service.name", "service.version"]
    world.run("otel-bridge", "off", "--category", "interaction")
    kitchen(world, "create", "debian")
    last = [item for item in world.waiting() if item.signal == "traces"][-1]
    assert sorted(attributes(last)) == ["process.exit.code"]
    assert len([item for item in world.waiting() if item.signal == "logs"]) == 1
    world.run("otel-bridge", "on", "--product", "kitchen", "--category", "platform")
    world.run("otel-bridge", "on", "--all", "--category", "interaction")
    kitchen(world, "create", "debian")
    last = [item for item in world.waiting() if item.signal == "logs"][-1]
    assert "os.type" in plain(last.resource["attributes"]) and "otel_bridge.command" in attributes(last)


def test_what_was_recorded_before_a_refusal_does_not_leave(world: World) -> None:
    """The sender asks again: preview shows neither the event nor the category, and the event is dropped, told as `opted_out`."""
    world.on()
    kitchen(world, "create", "debian")
    kitchen(world, "destroy", "debian")
    gone = uid(world.waiting()[0])
    world.run("otel-bridge", "off", "--product", "kitchen", "--event", "kitchen.create", "--category", "reliability")
    shown = world.run("otel-bridge", "preview", "--product", "kitchen", "--json").stdout
    assert gone not in shown and "process.exit.code" not in shown and "kitchen.destroy" in shown
    result = world.json(
        "otel-bridge", "drain", "--product", "kitchen", "--json", ok=False, OTEL_BRIDGE_ENDPOINT="http://127.0.0.1:1"
    )
    assert result["lost"] == {"opted_out": 1}


@pytest.mark.parametrize("name", ["", "a b", "a,b"])
def test_a_refusal_needs_a_name(world: World, name: str) -> None:
    """One clear line, exit code 1, and no choice was written."""
    done = world.run("otel-bridge", "off", "--product", "kitchen", "--event", name, ok=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"`event:{name}` is no name;")
    assert not world.state.exists()


def rare(rate: float) -> tuple[object, ...]:
    return ("otel_bridge.sample_rate", "double", "bucket", ((rate,),), 0)


@pytest.mark.parametrize(
    ("old", "new", "expected", "rate"),
    [
        ((rare(0.5),), (rare(0.5),), False, 0.5),
        ((rare(0.5),), (rare(0.1),), False, 0.1),
        ((rare(0.1),), (rare(0.5),), True, 0.1),
        ((), (rare(0.5),), False, 0.5),
        ((rare(0.5),), (), True, 0.5),
    ],
)
def test_an_event_that_is_told_more_often_is_more(old: tuple, new: tuple, expected: bool, rate: float) -> None:
    """Until the person was told the old share holds; a smaller one holds at once."""
    assert more(declared(*new), told(*old)) is expected
    kept = agreed(vars(declared(*new)), "", told(*old))["EVENTS"]["e"]
    assert [spec[3][0][0] for spec in kept] == [rate]


def test_a_share_stays_when_its_category_is_refused() -> None:
    """Without its rate an event would count for one."""
    fields = vars(declared(rare(0.5)))
    fields["ABOUT"] = json.dumps({"attributes": {"otel_bridge.sample_rate": {"category": "interaction"}}, "events": {}})
    assert agreed(fields, "category:interaction", None)["EVENTS"]["e"] == (rare(0.5),)
