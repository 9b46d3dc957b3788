"""docker-compose.yml on a real engine: what an operator starts, switches, stops and starts again, with every record counted."""

import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import engine
import numbered
import pytest
from collectors import eventually
from conftest import ROOT, World, uid
from engine import Deployment

from otel_bridge.collector.process import Peer
from otel_bridge.export import spool

WITH_PEER = {"COMPOSE_PROFILES": "hec-peer"}


@pytest.fixture(scope="module")
def docker() -> Iterator[Mapping[str, str]]:
    with engine.engine_with_image() as told:
        yield told


@pytest.fixture
def deployed(docker: Mapping[str, str], tmp_path: Path) -> Iterator[Deployment]:
    with engine.deployment(docker, tmp_path / "deployment") as made:
        yield made


def in_archive(deployed: Deployment) -> Counter[int]:
    return numbered.in_files(deployed.files().glob("logs*.jsonl"))


def archive_files(deployed: Deployment) -> dict[str, bytes]:
    """The archive's own files; the health check leaves one of its own beside them every few seconds."""
    return {file.name: file.read_bytes() for file in deployed.files().glob("*.jsonl")}


def at_peer(deployed: Deployment) -> Counter[int]:
    events = Peer({}, deployed.files("hec-peer") / "hec-peer.jsonl").events()
    return Counter(numbered.number(event["log.record.uid"]) for event in events)


def test_up_is_healthy_within_30_seconds_and_may_do_next_to_nothing(deployed: Deployment) -> None:
    """`docker compose up -d`, no more: healthy; as the engine and the kernel see it not root, read-only, without a capability."""
    deployed.compose("up", "--detach")
    found = deployed.healthy(most=30)
    host = found["HostConfig"]
    assert {
        "user": found["Config"]["User"],
        "read-only": host["ReadonlyRootfs"],
        "privileged": host["Privileged"],
        "capabilities": (host["CapAdd"], host["CapDrop"]),
        "security": host["SecurityOpt"],
        "memory": (host["Memory"], host["MemorySwap"]),
        "processes": host["PidsLimit"],
        "log": host["LogConfig"],
        "stop": found["Config"]["StopTimeout"],
        "again": host["RestartPolicy"]["Name"],
        "published on": {one["HostIp"] for bound in host["PortBindings"].values() for one in bound},
        "writable": [one["Destination"] for one in found["Mounts"] if one["RW"]],
    } == {
        "user": "10001:10001",
        "read-only": True,
        "privileged": False,
        "capabilities": (None, ["ALL"]),
        "security": ["no-new-privileges:true"],
        "memory": (512 << 20, 512 << 20),
        "processes": 256,
        "log": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
        "stop": 30,
        "again": "unless-stopped",
        "published on": {"127.0.0.1"},
        "writable": ["/data"],
    }
    process = dict(line.split(":\t", 1) for line in Path(f"/proc/{found['State']['Pid']}/status").read_text().splitlines())
    assert process["Uid"].split() == process["Gid"].split() == ["10001"] * 4
    assert {process[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert process["NoNewPrivs"] == "1"


def test_make_up_and_make_down_do_it_all(deployed: Deployment) -> None:
    """`make up` builds the image, starts it and returns when it takes events; `make down` stops it, and the archive stays."""
    project = {"COMPOSE_PROJECT_NAME": deployed.project, "COMPOSE_ENV_FILES": str(ROOT / ".env.example")}
    told = deployed.environment(**project)
    for name in ("OTEL_BRIDGE_COLLECTOR_IMAGE", "MAKEFLAGS", "MAKELEVEL"):
        told.pop(name, None)
    subprocess.run(["make", "up"], cwd=ROOT, env=told, capture_output=True, check=True, timeout=300)
    sent = Counter(numbered.Poster(deployed.endpoint).send(50))
    assert in_archive(deployed) == sent
    subprocess.run(["make", "down"], cwd=ROOT, env=told, capture_output=True, check=True, timeout=120)
    assert deployed.docker("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={deployed.project}") == ""
    deployed.up()
    assert in_archive(deployed) == sent


def test_events_of_a_tool_on_the_host_arrive_in_the_volume(deployed: Deployment, world: World) -> None:
    """A run of kitchen, then `otel-bridge drain`: every uid and every span stands in the volume's files, once."""
    deployed.up()
    world.on()
    world.run("kitchen", "test", "--destroy", "never")
    world.run("kitchen", "login", "nowhere", ok=False)
    recorded = world.waiting()
    sent = world.json("otel-bridge", "drain", "--product", "kitchen", "--json", OTEL_BRIDGE_ENDPOINT=deployed.endpoint)
    assert sent == {"sent": len(recorded), "kept": 0, "quarantined": 0, "lost": {}, "error": ""}
    files = deployed.files()
    logs, spans = (spool.read(files / f"{name}.jsonl", name)[0] for name in ("logs", "traces"))
    assert sorted(map(uid, logs)) == sorted(uid(item) for item in recorded if item.signal == "logs")
    assert sorted(item.body["spanId"] for item in spans) == sorted(
        item.body["spanId"] for item in recorded if item.signal == "traces"
    )
    assert len(logs) >= 3 and len(spans) == 2


def test_one_variable_switches_the_sink_and_nothing_is_lost_in_between(deployed: Deployment) -> None:
    """`OTEL_BRIDGE_SINK=splunk docker compose up -d` and back, under a sender that never pauses: archive and peer together
    hold every number, each side what was sent while its sink was named; a number is twice only where a request had to be sent twice.
    What was left in Splunk's queue at the switch back is on disk, and goes when that sink is named once more.
    """
    deployed.up(**WITH_PEER)
    poster, stop = numbered.Poster(deployed.endpoint, each=10), threading.Event()

    def sends_on() -> None:
        while not stop.is_set():
            poster.send(10)

    sender = threading.Thread(target=sends_on)
    sender.start()
    marks = []
    try:
        for sink in ("file", "splunk", "file"):
            deployed.up(OTEL_BRIDGE_SINK=sink, **WITH_PEER)
            marks.append(poster.next)
            until = time.monotonic() + 30
            while poster.next < marks[-1] + 300 and time.monotonic() < until:
                time.sleep(0.05)
            marks.append(poster.next - 10)  # the last ones may still be under way
    finally:
        stop.set()
        sender.join()
    sent = set(range(poster.next))
    assert poster.acknowledged == sent
    first, splunk, last = (set(range(*marks[at : at + 2])) for at in (0, 2, 4))
    assert all(len(part) >= 200 for part in (first, splunk, last))
    archive = in_archive(deployed)
    deployed.up(OTEL_BRIDGE_SINK="splunk", **WITH_PEER)
    peer = eventually(lambda: at_peer(deployed), sent - set(archive))
    assert {*archive, *peer} == sent
    assert first | last <= set(archive) and not splunk & set(archive)
    assert splunk <= set(peer) and not (first | last) & set(peer)
    assert numbered.repeated(archive + peer) <= poster.refused * poster.each


def test_both_sinks_at_once_hold_everything(deployed: Deployment) -> None:
    """File and Splunk: 200 of 200 on both sides, none twice."""
    deployed.up(OTEL_BRIDGE_SINK="file", OTEL_BRIDGE_SINK_2="splunk", **WITH_PEER)
    sent = Counter(numbered.Poster(deployed.endpoint).send(200))
    assert eventually(lambda: at_peer(deployed), set(sent)) == sent
    assert in_archive(deployed) == sent


def test_down_and_up_keep_the_archive_and_the_queue(deployed: Deployment) -> None:
    """With no peer there, `down`, then `up` beside the peer: the archive is as it was, and the backlog arrives, all of it."""
    both = {"OTEL_BRIDGE_SINK": "file", "OTEL_BRIDGE_SINK_2": "splunk"}
    deployed.up(**both)
    sent = Counter(numbered.Poster(deployed.endpoint).send(300))
    before = archive_files(deployed)
    deployed.compose("down", **both)
    assert deployed.docker("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={deployed.project}") == ""
    deployed.up(**both, **WITH_PEER)
    assert set(eventually(lambda: at_peer(deployed), set(sent))) == set(sent)
    assert archive_files(deployed) == before
    assert in_archive(deployed) == sent


def test_the_profile_replay_brings_the_archive_to_another_sink(deployed: Deployment, tmp_path: Path) -> None:
    """200 records in files, copied out of the volume, then `up replay` beside the peer: 200 of 200 there, the archive untouched."""
    deployed.up()
    sent = Counter(numbered.Poster(deployed.endpoint).send(200))
    deployed.compose("cp", "collector:/data/out", str(tmp_path / "replay"))
    for path in (tmp_path / "replay", *(tmp_path / "replay").iterdir()):
        os.chown(path, 10001, 10001)
    told = {"COMPOSE_PROFILES": "hec-peer,replay", "OTEL_BRIDGE_REPLAY_DIR": str(tmp_path / "replay")}
    deployed.up("hec-peer", "replay", **told)
    assert eventually(lambda: at_peer(deployed), set(sent)) == sent == in_archive(deployed)
