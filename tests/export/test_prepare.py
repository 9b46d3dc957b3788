"""The second privacy check: a spool that somebody edited says nothing more than the declaration."""

import copy
import json

import pytest
from conftest import ROOT, World

from otel_bridge.consent import Decision
from otel_bridge.export import spool
from otel_bridge.export.otlp_json import body, canonical, request
from otel_bridge.export.prepare import prepare
from otel_bridge.schema.compile import read

MARKER = "marker-7f3a"
ON = Decision("on", "because", "test")


@pytest.fixture
def items(world: World) -> list[spool.Item]:
    """What one real run leaves on disk."""
    world.on()
    world.run("kitchen", "create", "debian")
    return world.waiting()


def edited(item: spool.Item, change) -> spool.Item:
    document = json.loads(item.line)
    made = copy.deepcopy(spool.Item(item.signal, item.resource, item.scope, item.body, json.dumps(document)))
    change(made)
    return made


def test_what_was_recorded_passes_whole(items: list[spool.Item]) -> None:
    """Nothing of an honest spool is lost in the second check."""
    declared = read(ROOT / "examples/kitchen/kitchen/_telemetry.py")
    ready, lost = prepare(items, declared, ON)
    assert len(ready) == len(items) == 2
    assert not lost
    assert [one.undeclared for one in ready] == [0, 0]


@pytest.mark.parametrize("signal", ["logs", "traces"])
@pytest.mark.parametrize(
    "change",
    [
        lambda item: item.body["attributes"].append({"key": MARKER, "value": {"stringValue": "x"}}),
        lambda item: item.body["attributes"].append({"key": "x", "value": {"stringValue": MARKER}}),
        lambda item: [
            one.update(value={"stringValue": MARKER}) for one in item.body["attributes"] if one["key"] != "log.record.uid"
        ],
        lambda item: item.resource["attributes"].append({"key": "host.name", "value": {"stringValue": MARKER}}),
        lambda item: [one.update(value={"stringValue": MARKER}) for one in item.resource["attributes"]],
        lambda item: item.scope.update(name=MARKER, version=MARKER, attributes=[{"key": MARKER, "value": {"stringValue": MARKER}}]),
        lambda item: item.body.update(body={"stringValue": MARKER}, severityText=MARKER, traceState=MARKER),
        lambda item: item.body.update(status={"code": 2, "message": MARKER}),
        lambda item: item.body.update(events=[{"name": MARKER}], links=[{"traceState": MARKER}]),
        lambda item: item.body.update({"eventName" if item.signal == "logs" else "name": MARKER}),
        lambda item: item.body.update(traceId=MARKER, spanId=MARKER),
        lambda item: item.body["attributes"].append({"key": "log.record.uid", "value": {"stringValue": MARKER}}),
        lambda item: item.body["attributes"].append({"key": "x", "value": {"kvlistValue": {"values": [{"key": MARKER}]}}}),
        lambda item: item.body["attributes"].append({"key": "x", "value": MARKER}),
    ],
)
def test_a_planted_marker_does_not_come_through(items: list[spool.Item], signal: str, change) -> None:
    """Wherever it is planted, it is in nothing that may leave."""
    declared = read(ROOT / "examples/kitchen/kitchen/_telemetry.py")
    item = edited(next(item for item in items if item.signal == signal), change)
    ready, lost = prepare([item], declared, ON)
    assert MARKER.encode() not in request(signal, ready).SerializeToString()
    assert MARKER.encode() not in body(signal, ready)
    assert len(ready) + sum(lost.values()) == 1


def test_the_json_that_leaves_says_what_the_protobuf_says(items: list[spool.Item]) -> None:
    """The two ways of writing a request are one: a batch of records of two resources and two versions, a failed span, a child."""
    declared = read(ROOT / "examples/kitchen/kitchen/_telemetry.py")
    for signal in spool.SIGNALS:
        item = next(item for item in items if item.signal == signal)
        changes = [
            lambda item: None,
            lambda item: item.body.update(status={"code": 2}, parentSpanId="1" * 16),
            lambda item: item.resource["attributes"].pop(attribute(item, "host.arch")),
            lambda item: item.scope.update(version="0.9"),
            lambda item: [item.body.pop(key) for key in ("traceId", "spanId") if item.signal == "logs"],
            lambda item: item.scope.update(version="rubbish"),
            lambda item: item.body["attributes"].append(
                {"key": "otel_bridge.options", "value": {"arrayValue": {"values": [{"stringValue": "--debug"}]}}}
            ),
            lambda item: item.body["attributes"].append({"key": "otel_bridge.options", "value": {"arrayValue": {}}}),
        ]
        ready, lost = prepare([edited(item, change) for change in changes], declared, ON)
        assert (len(ready), lost) == (len(changes), {})
        assert json.loads(body(signal, ready)) == canonical(request(signal, ready))


def test_consent_never_reaches_back(items: list[spool.Item]) -> None:
    """What was recorded before the choice that holds now is counted and not sent."""
    declared = read(ROOT / "examples/kitchen/kitchen/_telemetry.py")
    ready, lost = prepare(items, declared, Decision("on", "because", "test", "2099-01-01T00:00:00Z"))
    assert (ready, lost) == ([], {"before_consent": 2})


def test_the_rate_that_an_event_was_drawn_by_goes_with_it(items: list[spool.Item]) -> None:
    """An earlier release drew it, or the person has not been told of the new rate: its rate is told, and none that is no rate."""
    declared = read(ROOT / "examples/kitchen/kitchen/_telemetry.py")
    log = next(item for item in items if item.signal == "logs")
    for value, kept in (({"doubleValue": 0.25}, 0.25), ({"doubleValue": 7.5}, None), ({"stringValue": MARKER}, None)):
        rate = {"key": "otel_bridge.sample_rate", "value": value}
        ((ready,), lost) = prepare([edited(log, lambda item, one=rate: item.body["attributes"].append(one))], declared, ON)
        assert (ready.attributes.get("otel_bridge.sample_rate"), ready.undeclared, lost) == (kept, 0 if kept else 1, {})


def test_a_version_that_says_nothing_is_0(items: list[spool.Item]) -> None:
    """`__version__ = "unknown"`: no collector takes a record without a version, so the sender gives it one."""
    declared = read(ROOT / "examples/kitchen/kitchen/_telemetry.py")
    without = [edited(item, lambda one: one.resource["attributes"].pop(attribute(one, "service.version"))) for item in items]
    ready, lost = prepare(without, declared, ON)
    assert [one.resource["service.version"] for one in ready] == ["0", "0"]
    assert not lost


def attribute(item: spool.Item, key: str) -> int:
    return next(at for at, one in enumerate(item.resource["attributes"]) if one["key"] == key)
