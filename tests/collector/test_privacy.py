"""The third privacy check, in the genuine collector: whoever posts raw OTLP past the client gets nothing private into a file."""

import copy
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from conftest import PROBE, ROOT, World, in_file

from otel_bridge import schema
from otel_bridge.collector.privacy_yaml import render
from otel_bridge.collector.process import Running, running

MARKER = "marker-7f3a@example.org"
KITCHEN = ROOT / "examples/kitchen/telemetry.yaml"
Change = Callable[[dict, dict, dict, dict], object]  # request group, scope group, record, resource


def text(value: object = MARKER) -> dict:
    return {"stringValue": value}


def attribute(key: str, value: dict) -> dict:
    return {"key": key, "value": value}


NESTED = {"kvlistValue": {"values": [{"key": MARKER, "value": {"arrayValue": {"values": [text()]}}}]}}
LIST = {"arrayValue": {"values": [text("--driver"), text()]}}
BYTES = {"bytesValue": "bWFya2VyLTdmM2FAZXhhbXBsZS5vcmc="}  # the marker
VALUES = {"text": text(), "nested": NESTED, "list": LIST, "bytes": BYTES}


def set_attribute(holder: dict, key: str, value: dict) -> None:
    for one in holder["attributes"]:
        if one["key"] == key:
            one["value"] = value
            return
    holder["attributes"].append(attribute(key, value))


COMMON: dict[str, Change] = {
    "resource schema url": lambda group, scope, one, resource: group.update(schemaUrl=MARKER),
    "scope name": lambda group, scope, one, resource: scope["scope"].update(name=MARKER),
    "scope version": lambda group, scope, one, resource: scope["scope"].update(version=MARKER),
    "scope attributes": lambda group, scope, one, resource: scope["scope"].update(attributes=[attribute(MARKER, text())]),
    "scope schema url": lambda group, scope, one, resource: scope.update(schemaUrl=MARKER),
    "entity references": lambda group, scope, one, resource: resource.update(
        entityRefs=[{"schemaUrl": MARKER, "type": MARKER, "idKeys": [MARKER], "descriptionKeys": [MARKER]}]
    ),
    "attribute key": lambda group, scope, one, resource: one["attributes"].append(attribute(MARKER, text("x"))),
    "resource key": lambda group, scope, one, resource: resource["attributes"].append(attribute(MARKER, text("x"))),
    "product": lambda group, scope, one, resource: set_attribute(resource, "service.name", text()),
    "product twice": lambda group, scope, one, resource: resource["attributes"].append(attribute("service.name", text())),
}
for kind, planted in VALUES.items():
    COMMON[f"undeclared attribute, {kind}"] = lambda group, scope, one, resource, v=planted: one["attributes"].append(
        attribute("a.b", v)
    )
    COMMON[f"host name, {kind}"] = lambda group, scope, one, resource, v=planted: resource["attributes"].append(
        attribute("host.name", v)
    )
LOGS: dict[str, Change] = {
    "event name": lambda group, scope, one, resource: one.update(eventName=MARKER),
    "severity text": lambda group, scope, one, resource: one.update(severityText=MARKER),
    "uid": lambda group, scope, one, resource: set_attribute(one, "log.record.uid", text()),
}
for kind, planted in VALUES.items():
    LOGS[f"body, {kind}"] = lambda group, scope, one, resource, v=planted: one.update(body=v)
SPANS: dict[str, Change] = {
    "span name": lambda group, scope, one, resource: one.update(name=MARKER),
    "status message": lambda group, scope, one, resource: one.update(status={"code": 2, "message": MARKER}),
    "trace state": lambda group, scope, one, resource: one.update(traceState=f"a={MARKER}"),
    "span event": lambda group, scope, one, resource: one.update(
        events=[
            {"timeUnixNano": one["endTimeUnixNano"], "name": "exception", "attributes": [attribute("exception.message", text())]}
        ]
    ),
    "span event name": lambda group, scope, one, resource: one.update(
        events=[{"name": MARKER, "attributes": [attribute("a", NESTED)]}]
    ),
    "link": lambda group, scope, one, resource: one.update(
        links=[
            {
                "traceId": "0" * 31 + "1",
                "spanId": "0" * 15 + "1",
                "traceState": f"a={MARKER}",
                "attributes": [attribute("a", text())],
            }
        ]
    ),
}
REGISTRY = schema.load(KITCHEN)
for field in REGISTRY.resource:
    for kind, planted in VALUES.items():
        COMMON[f"resource {field.key}, {kind}"] = lambda group, scope, one, resource, k=field.key, v=planted: set_attribute(
            resource, k, v
        )
for declared in sorted({field.key for event in REGISTRY.events for field in (*event.fields, *REGISTRY.common)}):
    for kind, planted in VALUES.items():
        LOGS[f"{declared}, {kind}"] = lambda group, scope, one, resource, k=declared, v=planted: set_attribute(one, k, v)
for field in REGISTRY.span:
    for kind, planted in VALUES.items():
        SPANS[f"{field.key}, {kind}"] = lambda group, scope, one, resource, k=field.key, v=planted: set_attribute(one, k, v)
TOP = {"logs": ("resourceLogs", "scopeLogs", "logRecords"), "traces": ("resourceSpans", "scopeSpans", "spans")}
PLACES = [("logs", name, change) for name, change in {**COMMON, **LOGS}.items()]
PLACES += [("traces", name, change) for name, change in {**COMMON, **SPANS}.items()]


@pytest.fixture(scope="module")
def intake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("intake"), {"OTEL_BRIDGE_LOG_LEVEL": "warn"}) as started:
        yield started


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """One request of each signal, as a real run recorded it."""
    world = World(tmp_path_factory.mktemp("honest"))
    world.home.mkdir()
    world.work.mkdir()
    world.on()
    world.run("kitchen", "create", "debian", "--driver", "vagrant")
    return {item.signal: json.loads(item.line) for item in world.waiting()}


def post(intake: Running, signal: str, document: dict) -> int:
    request = urllib.request.Request(
        f"{intake.endpoint}/v1/{signal}", json.dumps(document).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as problem:
        return problem.code


def parts(signal: str, document: dict) -> tuple[dict, dict, dict, dict]:
    groups, scopes, records = TOP[signal]
    group = document[groups][0]
    scope = group[scopes][0]
    return group, scope, scope[records][0], group["resource"]


def written(intake: Running) -> bytes:
    return b"".join(file.read_bytes() for file in intake.files.iterdir())


def test_there_are_enough_places() -> None:
    """Every declared attribute of each channel and every field of the protocol that can hold text is tried."""
    assert len(PLACES) > 200


def test_a_marker_anywhere_is_in_no_file(intake: Running, honest: dict[str, dict]) -> None:
    """Each place in a request of its own, which is taken or refused as a whole; the honest request beside it arrives."""
    refused = []
    for signal, name, change in PLACES:
        document = copy.deepcopy(honest[signal])
        change(*parts(signal, document))
        assert MARKER in json.dumps(document) or BYTES["bytesValue"] in json.dumps(document), name
        status = post(intake, signal, document)
        if status != 200:
            refused.append((signal, name, status))
    assert not refused
    for signal in TOP:
        before = len(in_file(intake, signal))
        assert post(intake, signal, honest[signal]) == 200
        assert len(in_file(intake, signal)) == before + 1
    found = written(intake)
    for trace in (MARKER, MARKER.partition("@")[0], BYTES["bytesValue"]):
        assert trace.encode() not in found
    assert b"vagrant" in found


def test_a_record_that_is_repaired_still_arrives(intake: Running, honest: dict[str, dict]) -> None:
    """An undeclared attribute costs itself: the record beside it is in the file."""
    for signal in TOP:
        document = copy.deepcopy(honest[signal])
        _, _, one, _ = parts(signal, document)
        one["attributes"].append(attribute("a.b", text()))
        before = len(in_file(intake, signal))
        assert post(intake, signal, document) == 200
        after = in_file(intake, signal)
        assert len(after) == before + 1
        kept = {entry["key"] for entry in after[-1].body["attributes"]}
        assert kept == {entry["key"] for entry in one["attributes"]} - {"a.b"}


@pytest.mark.parametrize(
    "value",
    [{"boolValue": True}, {"boolValue": False}, text("no"), {"intValue": "0"}, NESTED, {}],
    ids=lambda v: next(iter(v), "empty"),
)
@pytest.mark.parametrize("where", ["record", "resource", "scope"])
def test_an_opt_out_of_any_type_anywhere_drops_the_record(
    intake: Running, honest: dict[str, dict], where: str, value: dict
) -> None:
    """`otel_bridge.opt_out` on a record, a span, a resource or a scope, even without a value: it is not stored."""
    for signal in TOP:
        document = copy.deepcopy(honest[signal])
        _, scope, one, resource = parts(signal, document)
        holder = {"record": one, "resource": resource, "scope": scope["scope"]}[where]
        holder.setdefault("attributes", []).append(attribute("otel_bridge.opt_out", value))
        before = len(in_file(intake, signal))
        assert post(intake, signal, document) == 200
        assert len(in_file(intake, signal)) == before


def test_the_collector_takes_what_the_client_sends_unchanged(intake: Running, honest: dict[str, dict]) -> None:
    """Nothing that the declaration lets through is lost in the collector: its list of statements is the same declaration."""
    for signal in TOP:
        assert post(intake, signal, honest[signal]) == 200
        stored = in_file(intake, signal)[-1]
        _, scope, one, resource = parts(signal, honest[signal])
        sort = lambda holder: sorted(holder["attributes"], key=lambda entry: entry["key"])  # noqa: E731
        assert sort(stored.body) == sort(one)
        assert sort(stored.resource) == sort(resource)
        assert stored.scope == scope["scope"]


def test_two_products_share_a_collector(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The allow-lists of several registries are joined; each product's events and names are let through."""
    folder = tmp_path_factory.mktemp("probe")
    (folder / "telemetry.yaml").write_text(PROBE)
    (folder / "pyproject.toml").write_text('[tool.otel-bridge]\nproduct = "probe"\npackage = "probe"\n')
    joined = render([schema.load(KITCHEN), schema.load(folder / "telemetry.yaml")])
    assert "^(kitchen.converge|" not in joined
    assert "probe[.]step" in joined
    assert "kitchen[.]create" in joined
