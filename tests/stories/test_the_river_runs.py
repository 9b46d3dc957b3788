"""The main path, end to end: the installed kitchen, its spool, the sender, a genuine collector, its file."""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, World, attributes, in_file, uid

from otel_bridge.collector.process import Running, running
from otel_bridge.export import spool

DRAIN = ("otel-bridge", "drain", "--product", "kitchen", "--json")
STATUS = ("otel-bridge", "status", "--product", "kitchen", "--json")


def records(lines: str) -> list[str]:
    """Each record of OTLP/JSON lines with its resource and scope, in one order and one spelling."""
    found = []
    for line in lines.splitlines():
        document = json.loads(line)
        for groups, scopes, each in (("resourceLogs", "scopeLogs", "logRecords"), ("resourceSpans", "scopeSpans", "spans")):
            for group in document.get(groups, []):
                for scope in group[scopes]:
                    found += [[group["resource"], scope["scope"], one] for one in scope[each]]
    for resource, _, one in found:  # a list in JSON, a map in OTLP: without order
        for holder in (resource, one):
            holder["attributes"].sort(key=lambda attribute: attribute["key"])
    return sorted(json.dumps(one, sort_keys=True) for one in found)


def test_exactly_what_was_recorded_arrives_once(world: World, collector: Running) -> None:
    """Every uid, trace id and span id on disk stands in the collector's file, once, and nothing waits any more."""
    world.on()
    world.run("kitchen", "create", "debian")
    world.run("kitchen", "test", "--destroy", "never")
    world.run("kitchen", "login", "nowhere", ok=False)
    world.run("kitchen-argparse", "create")
    recorded = world.waiting()
    result = world.json(*DRAIN, OTEL_BRIDGE_ENDPOINT=collector.endpoint)
    assert result == {"sent": len(recorded), "kept": 0, "quarantined": 0, "lost": {}, "error": ""}
    logs, spans = in_file(collector, "logs"), in_file(collector, "traces")
    assert sorted(map(uid, logs)) == sorted(uid(item) for item in recorded if item.signal == "logs")
    ids = [(item.body["traceId"], item.body["spanId"]) for item in spans]
    assert sorted(ids) == sorted((item.body["traceId"], item.body["spanId"]) for item in recorded if item.signal == "traces")
    assert len(set(ids)) == len(ids) == 4
    assert {(item.body["traceId"], item.body["spanId"]) for item in logs} <= set(ids)
    status = world.json(*STATUS)
    assert (status["pending"], status["lost"], status["error"]) == ({"logs": 0, "traces": 0}, {}, None)
    assert world.json(*DRAIN, OTEL_BRIDGE_ENDPOINT=collector.endpoint)["sent"] == 0


def test_the_events_of_a_test_run_say_what_rfc_95_asks(world: World, collector: Running) -> None:
    """Which driver, target, provisioner, product version, resolver and verifier, in order, in one trace."""
    (world.work / ".kitchen.yml").write_text((ROOT / "examples/kitchen/.kitchen.yml").read_text())
    world.on()
    world.run("kitchen", "test", "debian")
    world.json(*DRAIN, OTEL_BRIDGE_ENDPOINT=collector.endpoint)
    told = sorted(in_file(collector, "logs"), key=lambda item: attributes(item)["otel_bridge.sequence"])
    kept = [(item.body["eventName"], {k: v for k, v in attributes(item).items() if k.startswith("kitchen.")}) for item in told]
    converge = dict(kept)["kitchen.converge"]
    assert converge.pop("kitchen.seconds") in (0.3, 1.0, 3.0, 10.0)
    assert kept == [
        ("kitchen.destroy", {"kitchen.platform": "debian-12"}),
        (
            "kitchen.create",
            {
                "kitchen.driver.name": "vagrant",
                "kitchen.driver.version": "1.14.2",
                "kitchen.platform": "debian-12",
                "kitchen.target": "bento/debian-12",
                "kitchen.transport": "ssh",
            },
        ),
        (
            "kitchen.converge",
            {
                "kitchen.provisioner.channel": "stable",
                "kitchen.provisioner.name": "chef_zero",
                "kitchen.provisioner.product": "chef",
                "kitchen.provisioner.product_version": "17",
                "kitchen.provisioner.resolver": "policyfile",
                "kitchen.succeeded": True,
            },
        ),
        ("kitchen.verify", {"kitchen.succeeded": True, "kitchen.verifier.name": "inspec", "kitchen.verifier.version": "2.6.4"}),
        ("kitchen.destroy", {"kitchen.platform": "debian-12"}),
    ]
    assert {attributes(item)["otel_bridge.command"] for item in told} == {"test"}
    assert {item.body["body"]["stringValue"] for item in told} == {item.body["eventName"] for item in told}


def test_preview_file_and_ledger_are_equal_record_by_record(world: World, collector: Running) -> None:
    """What `preview` printed before is what the collector's file holds afterwards, and what `sent` shows."""
    world.on()
    world.run("kitchen", "test")
    world.run("kitchen", "create", "--driver", "acme-internal-cloud")
    preview = world.run("otel-bridge", "preview", "--product", "kitchen", "--format", "json").stdout
    world.json(*DRAIN, OTEL_BRIDGE_ENDPOINT=collector.endpoint)
    sent = world.run("otel-bridge", "sent", "--product", "kitchen", "--json").stdout
    files = "".join((collector.files / f"{name}.jsonl").read_text() for name in spool.SIGNALS)
    assert records(preview) == records(sent) == records(files)
    assert len(records(preview)) == 8
    for line in map(json.loads, sent.splitlines()):
        assert (line["endpoint"], line["status"]) == (collector.endpoint, 200)
        assert len(line["sha256"]) == 64
    assert "kitchen.create" in world.run("otel-bridge", "sent", "--product", "kitchen").stdout


@pytest.mark.parametrize("k", range(1, 11))
def test_killed_right_after_the_kth_event_exactly_k_arrive(
    world: World, probe: Callable[[str], list[str]], tmp_path: Path, k: int
) -> None:
    """SIGKILL the moment `event` returned: its k events are on disk, arrive once, and no more; and that the run never ended is told."""
    program = f"""
import os, signal, otel_bridge
def main():
    for step in range(1, 100):
        otel_bridge.event("probe.step", {{"probe.step": step}})
        if step == {k}:
            os.kill(os.getpid(), signal.SIGKILL)
"""
    done = world.run(*probe(program), ok=None, PROBE_TELEMETRY="on")
    assert done.returncode == -signal.SIGKILL
    drain = ("otel-bridge", "drain", "--product", "probe", "--json")
    config = tmp_path / "collector-config"
    shutil.copytree(ROOT / "collector-config", config)
    registry = str(world.root / "probe-src/telemetry.yaml")
    world.run("otel-bridge", "collector", "privacy", registry, "--out", str(config / "privacy.yaml"))
    with running(tmp_path / "collector", {"OTEL_BRIDGE_COLLECTOR_CONFIG": str(config)}) as collector:
        results = [world.json(*drain, PROBE_TELEMETRY="on", OTEL_BRIDGE_ENDPOINT=collector.endpoint) for _ in range(2)]
    assert [(result["sent"], result["lost"]) for result in results] == [(k, {}), (0, {})]
    told, *arrived = in_file(collector, "logs")
    assert sorted(attributes(item)["probe.step"] for item in arrived) == list(range(1, k + 1))
    assert len({uid(item) for item in arrived}) == k
    dropped = {"otel_bridge.dropped.reason": "unfinished", "otel_bridge.dropped.count": 1, "log.record.uid": uid(told)}
    assert (told.body["eventName"], attributes(told)) == ("telemetry.dropped", dropped)


def test_private_names_reach_neither_disk_nor_collector(world: World, collector: Running) -> None:
    """A private driver and a target that the person named are nowhere in what was written or sent."""
    world.on()
    world.run("kitchen", "create", "debian", "--driver", "acme-internal-cloud", "--target", "acme/secret-box", "--concurrency", "2")
    world.run("kitchen-argparse", "create", "--driver", "acme-internal-cloud", "--target", "acme/secret-box")
    world.run("kitchen", "create", "acme-secret-name", "--config", "acme/secret.yml", ok=False)
    before = world.bytes_in(".local")
    world.json(*DRAIN, OTEL_BRIDGE_ENDPOINT=collector.endpoint)
    files = b"".join(file.read_bytes() for file in collector.files.iterdir())
    assert len(in_file(collector, "logs")) == 2
    for item in in_file(collector, "logs"):
        told = attributes(item)
        assert (told["kitchen.driver.name"], told["kitchen.target"]) == ("__private__", "__custom__")
    for name in (b"acme", b"secret-box", b"secret-name", b"secret.yml"):
        assert name not in before
        assert name not in files
        assert name not in world.bytes_in(".local")


def everything(world: World) -> list[str]:
    return sorted(str(path.relative_to(world.root)) for path in world.root.rglob("*"))


@pytest.mark.parametrize("variable", ["DO_NOT_TRACK", "KITCHEN_TELEMETRY_OPTOUT"])
def test_do_not_track_leaves_the_files_that_the_bare_twin_leaves(tmp_path: Path, variable: str) -> None:
    """Under home, XDG folders, working directory and TMPDIR nothing of ours appears; `status` names the variable."""
    left = {}
    for script in ("kitchen", "kitchen-bare"):
        world = World(tmp_path / script)
        world.root.mkdir()
        for folder in ("home", "work", "tmp", "config", "state", "data", "cache"):
            (world.root / folder).mkdir()
        xdg = {f"XDG_{name.upper()}_HOME": str(world.root / name) for name in ("config", "state", "data", "cache")}
        told = world.run(script, "create", "debian", **xdg, **{variable: "1"})
        status = world.json(*STATUS, **xdg, **{variable: "1"})
        left[script] = (everything(world), told.stdout, told.stderr)
        assert (status["mode"], status["source"]) == ("off", variable)
        assert variable in world.run(*STATUS[:-1], **xdg, **{variable: "1"}).stdout
    assert left["kitchen"] == left["kitchen-bare"]


def test_while_nobody_listens_records_stay_and_status_says_why(world: World, tmp_path: Path) -> None:
    """A collector that is absent costs nothing: the records wait, and arrive when it is there."""
    world.on()
    world.run("kitchen", "create", "debian")
    failed = world.json(*DRAIN, ok=False, OTEL_BRIDGE_ENDPOINT="http://127.0.0.1:1")
    assert (failed["sent"], failed["kept"]) == (0, 2)
    status = world.json(*STATUS)
    assert "http://127.0.0.1:1: no answer" in status["error"]
    assert status["pending"] == {"logs": 1, "traces": 1}
    world.run("kitchen", "create", "debian")
    with running(tmp_path / "late", {"OTEL_BRIDGE_LOG_LEVEL": "warn"}) as collector:
        assert world.json(*DRAIN, OTEL_BRIDGE_ENDPOINT=collector.endpoint)["sent"] == 4
        assert len(in_file(collector, "logs")) == 2


def test_a_half_written_line_is_skipped_counted_and_the_rest_goes(world: World, collector: Running) -> None:
    """A torn last line, as a full disk leaves it, costs itself and nothing else."""
    world.on()
    world.run("kitchen", "create", "debian")
    file = world.state / "kitchen/spool/logs.jsonl"
    file.write_text(file.read_text() + file.read_text()[:300])
    world.run("kitchen", "create", "debian")
    result = world.json(*DRAIN, OTEL_BRIDGE_ENDPOINT=collector.endpoint)
    assert (result["sent"], result["lost"]) == (4, {"torn": 1})
    assert len(in_file(collector, "logs")) == 2
    assert world.json(*STATUS)["lost"] == {"torn": 1}


def test_turning_off_deletes_what_waits(world: World) -> None:
    """After `off` nothing waits, nothing is sent, and runs record nothing."""
    world.on()
    world.run("kitchen", "create", "debian")
    assert len(world.waiting()) == 2
    world.run("otel-bridge", "off", "--product", "kitchen")
    world.run("kitchen", "create", "debian")
    assert world.waiting() == []
    assert "is off: your choice for kitchen" in world.json(*DRAIN, ok=False)["error"]
    world.on()
    world.run("kitchen", "create", "debian")
    world.run("otel-bridge", "off")
    assert world.waiting() == []


def test_local_is_recorded_apart_and_never_sent(world: World, collector: Running) -> None:
    """Under `local` the person's own copy grows in a folder that no sender reads."""
    world.run("kitchen", "create", "debian", KITCHEN_TELEMETRY="local")
    world.on()
    assert world.json(*DRAIN, ok=None, OTEL_BRIDGE_ENDPOINT=collector.endpoint)["sent"] == 0
    assert len(spool.waiting(world.state / "kitchen/local")["logs"]) == 1


def test_kitchen_does_what_it_says_with_telemetry_and_without(world: World) -> None:
    """The instrumented click program and its bare twin print the same and leave the same."""
    (world.work / ".kitchen.yml").write_text((ROOT / "examples/kitchen/.kitchen.yml").read_text())
    runs = [
        ["list"], ["create"], ["converge", "debian"], ["list", "--json"], ["verify", "-c", "1"], ["login", "debian", "--command", "cat state.txt"],
        ["destroy"], ["list"], ["create", "nothing"], ["--help"], ["create", "--no-such"], ["--version"], [],
    ]  # fmt: skip
    world.on()
    told = {}
    for script in ("kitchen", "kitchen-bare"):
        done = [world.run(script, *words, ok=None) for words in runs]
        told[script] = [
            (one.returncode, one.stdout.replace("kitchen-bare", "kitchen"), one.stderr.replace("kitchen-bare", "kitchen"))
            for one in done
        ]
    assert told["kitchen"] == told["kitchen-bare"]
    assert told["kitchen"][5][1] == "configured\n"
    assert [code for code, _, _ in told["kitchen"]] == [0] * 8 + [1, 0, 2, 0, 2]
