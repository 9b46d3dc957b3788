"""What each policy leaves passes the genuine collector unchanged, and nothing else does under its key."""

import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, attributes, in_file

from otel_bridge import schema
from otel_bridge.clock import now
from otel_bridge.collector.privacy_yaml import render
from otel_bridge.collector.process import Running, running
from otel_bridge.consent import identity
from otel_bridge.privacy import clean, names
from otel_bridge.record import attributes as written
from otel_bridge.schema.registry import Registry, joined

BENCH = ROOT / "benchmarks/privacy/telemetry.yaml"
MARK = "mRk3rQ7x"
UID = "2f5ba7a2-66a5-4b6c-9d6b-1d1f6c3e9a11"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """The declaration of every policy, its public names as a digest as well."""
    folder = tmp_path_factory.mktemp("bench")
    for name in ("telemetry.yaml", "otel-bridge.toml", "plugins.txt"):
        shutil.copy(BENCH.with_name(name), folder / name)
    (folder / "many.digest").write_bytes(names.build(["Some_Package", "other"], "pypi"))
    with (folder / "otel-bridge.toml").open("a") as file:
        file.write('many = "many.digest"\n')
    text = (folder / "telemetry.yaml").read_text()
    declared = """\
  - key: bench.package
    type: string
    brief: A package, when it is a public one.
    annotations: {privacy: {policy: registry, registry: many, purpose: "Which package?", category: usage, owner: telemetry@example.org}}
"""
    text = text.replace("events:\n", declared + "events:\n", 1)
    text = text.replace(
        "    annotations: {privacy: {category: reliability}}\n",
        "    annotations: {privacy: {category: reliability, sample_rate: 0.5}}\n",
        1,
    )
    text = text.replace(
        "    attributes: &all\n", "    attributes: &all\n      - {ref: bench.package, requirement_level: recommended}\n"
    )
    text = text.replace("bounds: [0.1, 1, 10, 100]", "bounds: [0.00001, 0.1, 1, 10, 100, 1.0e+17]")  # OTTL knows no 1e-05
    (folder / "telemetry.yaml").write_text(text)
    return schema.load(folder / "telemetry.yaml")


@pytest.fixture(scope="module")
def intake(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    config = tmp_path_factory.mktemp("config") / "collector-config"
    shutil.copytree(ROOT / "collector-config", config)
    (config / "privacy.yaml").write_text(render([registry]))
    told = {"OTEL_BRIDGE_LOG_LEVEL": "warn", "OTEL_BRIDGE_COLLECTOR_CONFIG": str(config)}
    with running(tmp_path_factory.mktemp("intake"), told) as started:
        yield started


@pytest.fixture
def kept(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the policies leave of a full event of the benchmark's product."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    identity.secret_of(str(tmp_path / "otel-bridge" / registry.product.product))
    try:
        json.loads("[1,")
    except ValueError as raised:
        error = raised
    given = {
        "bench.nothing": "x",
        "bench.yes": True,
        "bench.word": "red",
        "bench.words": ["red", "x"],
        "bench.plugin": "vagrant",
        "bench.plugins": ["vagrant", "x"],
        "bench.target": "local",
        "bench.targets": ["local", "x"],
        "bench.version": "1.2.3",
        "bench.versions": ["1.2", "3"],
        "bench.plugin_version": "1.14.2",
        "bench.seconds": 0.5,
        "bench.files": 7,
        "bench.day": 1_700_000_000,
        "bench.week": 1_700_000_000,
        "bench.project": "x",
        "bench.projects": ["x", "y"],
        "bench.frames": error,
        "bench.package": "SOME.package",
        "otel_bridge.sample_rate": 0.5,
    }
    event = next(one for one in registry.events if one.name == "bench.failed")
    found = {name: joined(known) for name, known in registry.names.items()}
    for name, content in registry.digests.items():
        found[name] = f"{registry.product.registries[name]} {names.fingerprint(content)}"
    left = dict(clean(tuple(field.spec for field in event.fields), given, found)[0])
    assert sorted(left) == sorted(set(given) - {"bench.nothing"})
    assert left["bench.package"] == "some-package"
    assert left["bench.frames"][0] == "<private>"
    return left


def stored(intake: Running, product: str, told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The attributes of a record after the collector; nothing when it kept none."""
    uid = {"key": "log.record.uid", "value": {"stringValue": UID}}
    record = {"timeUnixNano": str(now()), "attributes": [*told, uid], "eventName": "bench.failed"}
    about = [{"key": "service.name", "value": {"stringValue": product}}, {"key": "service.version", "value": {"stringValue": "1"}}]
    document = {"resourceLogs": [{"resource": {"attributes": about}, "scopeLogs": [{"logRecords": [record]}]}]}
    before = len(in_file(intake, "logs"))
    request = urllib.request.Request(
        f"{intake.endpoint}/v1/logs", json.dumps(document).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 200
    return [{k: v for k, v in attributes(item).items() if k != "log.record.uid"} for item in in_file(intake, "logs")[before:]]


def test_what_the_policies_leave_passes_unchanged(intake: Running, registry: Registry, kept: dict[str, Any]) -> None:
    """Every policy on every type that it serves, also `<private>` in frames, which Go's JSON writes in another way."""
    told = json.loads(written(list(kept.items())))
    assert stored(intake, registry.product.product, told) == [kept]


def test_a_rate_of_another_release_passes(intake: Running, registry: Registry) -> None:
    """Whoever drew by an older rate, or of an event that is told always now, tells that rate; what is none does not pass."""
    for value, passes in ((0.25, True), (0.0001, True), (1.0, True), (0.12345, False), (0.0, False), (1.5, False), (-0.5, False)):
        (left,) = stored(intake, registry.product.product, [{"key": "otel_bridge.sample_rate", "value": {"doubleValue": value}}])
        assert left == ({"otel_bridge.sample_rate": value} if passes else {})


def test_nothing_else_passes_under_a_declared_key(intake: Running, registry: Registry, kept: dict[str, Any]) -> None:
    """A marker as text, in a list, beside what is good, with another type or as a map: each costs its attribute alone."""
    product = registry.product.product
    bad: list[dict[str, Any]] = [
        {"stringValue": MARK},
        {"arrayValue": {"values": [{"stringValue": MARK}]}},
        {"stringValue": f"red\n{MARK}"},
    ]
    bad += [{"stringValue": f'"],["{MARK}'}, {"kvlistValue": {"values": [{"key": MARK, "value": {"boolValue": True}}]}}]
    bad += [{"bytesValue": "bVJrM3JRN3g="}, {"intValue": "-8"}, {"doubleValue": 0.12345}, {"boolValue": True}]
    good = json.loads(written(list(kept.items())))
    for key in (*kept, "bench.nothing"):
        for value in bad:
            if ("boolValue" in value and key == "bench.yes") or (value == {"stringValue": MARK} and key == "bench.package"):
                continue  # a truth where one is declared; a name where the collector knows the shape of names alone
            (left,) = stored(intake, product, [{"key": key, "value": value}])
            assert left == {}, (key, value)
        others = [one for one in good if one["key"] == key and "arrayValue" in one["value"]]
        for one in others:
            more = {"values": [*one["value"]["arrayValue"]["values"], {"stringValue": MARK}]}
            assert stored(intake, product, [{"key": key, "value": {"arrayValue": more}}]) == [{}], key
    assert MARK.encode() not in b"".join(file.read_bytes() for file in intake.files.iterdir())
