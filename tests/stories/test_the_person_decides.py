"""What a person does to telemetry holds: local never leaves, off stops a request in its middle, forget forgets at both ends."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import BIN, PROBE, World, attributes

sys.path.insert(0, str(Path(__file__).parents[1] / "export"))
from test_otlp import answering

from otel_bridge.export import spool
from otel_bridge.export.otlp_json import canonical, decoded

MARKER = "marker-c0ffee"


def names(items: list[spool.Item]) -> list[str]:
    return [item.body.get("eventName") or item.body["name"] for item in items]


def test_what_was_recorded_under_local_never_leaves(world: World) -> None:
    """Local, then on, then drained: nothing of the first; what comes after goes, and what was local is still there."""
    world.run("otel-bridge", "local", "--product", "kitchen")
    world.run("kitchen", "list")
    assert world.waiting() == []
    local = {item.line for items in spool.waiting(world.state / "kitchen/local").values() for item in items}
    assert len(local) == 1
    world.on()
    with answering(200, {}, b"") as server:
        drained = world.json("otel-bridge", "drain", "--product", "kitchen", "--json", OTEL_BRIDGE_ENDPOINT=server.endpoint)
        assert (drained["sent"], drained["lost"], server.requests) == (0, {}, [])
        world.run("kitchen", "list")
        drained = world.json("otel-bridge", "drain", "--product", "kitchen", "--json", OTEL_BRIDGE_ENDPOINT=server.endpoint)
    assert (drained["sent"], drained["lost"]) == (1, {})
    (_, _, body), *rest = server.requests
    assert not rest
    trace = json.loads(next(iter(local)))["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"]
    assert trace not in json.dumps(canonical(decoded("traces", body)))
    assert {item.line for items in spool.waiting(world.state / "kitchen/local").values() for item in items} == local


class Hanging:
    """A server that reads, never answers, and knows how much it has read."""

    def __init__(self, stops_at: int) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.endpoint = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.stops_at, self.read, self.stopped, self.released = stops_at, 0, threading.Event(), threading.Event()
        self.rest, self.ended = 0, threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        connection, _ = self.server.accept()
        with connection:
            self.hold(connection)

    def hold(self, connection: socket.socket) -> None:
        connection.settimeout(1.5)
        while self.read < self.stops_at:
            try:
                data = connection.recv(min(512, self.stops_at - self.read))
            except TimeoutError:  # all of the request is here
                break
            if not data:
                break
            self.read += len(data)
        self.stopped.set()
        assert self.released.wait(300)
        try:
            while data := connection.recv(65536):
                self.rest += len(data)
        except ConnectionResetError:
            pass
        self.ended.set()


@pytest.fixture
def hanging() -> Iterator[Callable[[int], Hanging]]:
    made: list[Hanging] = []

    def make(stops_at: int) -> Hanging:
        made.append(Hanging(stops_at))
        return made[-1]

    yield make
    for one in made:
        one.released.set()
        one.server.close()


@pytest.mark.parametrize("verb", ["off", "local", "forget"])
def test_off_ends_a_request_in_its_middle(world: World, hanging: Callable[[int], Hanging], verb: str) -> None:
    """A detached sender waits for an answer that never comes: after `off` the server reads nothing more, and the spool is gone."""
    world.on()
    server = hanging(1 << 30)
    world.run("kitchen", "list", OTEL_BRIDGE_DETACH="1", OTEL_BRIDGE_DRAIN_EVERY="0", OTEL_BRIDGE_ENDPOINT=server.endpoint)
    assert server.stopped.wait(120) and server.read > 500
    world.run("otel-bridge", verb, "--product", "kitchen", ok=None, OTEL_BRIDGE_ENDPOINT="http://127.0.0.1:1")
    server.released.set()
    assert server.ended.wait(60)
    assert server.rest == 0
    assert not (world.state / "kitchen/spool").exists()
    time.sleep(0.5)
    assert not (world.state / "kitchen/spool").exists()


def test_off_takes_back_what_the_kernel_still_held(world: World, hanging: Callable[[int], Hanging]) -> None:
    """A server that reads 1 kB of a large request and stops: of the rest it gets at most what its own buffer held already."""
    world.on()
    world.run("kitchen", "list")
    file = world.state / "kitchen/spool/traces.jsonl"
    file.write_text(file.read_text() * 400)
    server = hanging(1024)
    before = world.environment(OTEL_BRIDGE_ENDPOINT=server.endpoint)
    pid = os.spawnve(os.P_NOWAIT, str(BIN / "otel-bridge"), ["otel-bridge", "drain", "--product", "kitchen"], before)
    assert server.stopped.wait(120)
    time.sleep(1)
    world.run("otel-bridge", "off", "--product", "kitchen")
    os.waitpid(pid, 0)
    server.released.set()
    assert server.ended.wait(60)
    assert server.rest < 40_000  # of some 85 kB a request; without the reset all of it arrives
    assert not (world.state / "kitchen/spool").exists()


def test_a_run_that_outlives_off_writes_nothing(world: World, probe: Callable[[str], list[str]]) -> None:
    """A tool that was started before `off` and ends after it leaves no spool behind."""
    world.on("probe")
    program = f"""
import otel_bridge, subprocess
def main():
    otel_bridge.event('probe.step', {{'probe.step': 1}})
    subprocess.run([{str(BIN / "otel-bridge")!r}, 'off', '--product', 'probe'], check=True)
    otel_bridge.event('probe.step', {{'probe.step': 2}})
"""
    world.run(*probe(program), OTEL_BRIDGE_DEBUG="1")
    assert not list((world.state / "probe/spool").glob("*"))


def test_forget_is_kept_until_it_is_taken(world: World) -> None:
    """Refused first, accepted later: the request arrives once, with all ids, and then nothing is left but the choice."""
    world.on()
    world.run("kitchen", "list")
    world.run("otel-bridge", "reset-id", "--product", "kitchen")
    world.run("kitchen", "list")
    ids = sorted((world.state / "kitchen/ids").read_text().split())
    assert len(ids) == 2
    with answering(503, {}, b"") as refusing:
        done = world.run("otel-bridge", "forget", "--product", "kitchen", ok=False, OTEL_BRIDGE_ENDPOINT=refusing.endpoint)
    assert done.returncode == 1
    assert "the deletion request waits: " in done.stderr and "503" in done.stderr
    assert {path.name for path in (world.state / "kitchen").iterdir()} <= {
        "choice",
        "deletion.jsonl",
        "writer",
        "drain",
        "sender.lock",
    }
    status = world.json("otel-bridge", "status", "--product", "kitchen", "--json")
    assert (status["mode"], status["error"]) == ("off", "the deletion request waits; `forget` sends it again")
    with answering(200, {}, b"") as taking:
        world.run("otel-bridge", "forget", "--product", "kitchen", OTEL_BRIDGE_ENDPOINT=taking.endpoint)
        world.run("otel-bridge", "forget", "--product", "kitchen", OTEL_BRIDGE_ENDPOINT=taking.endpoint)
    (path, _, body), *rest = taking.requests
    assert (path, rest) == ("/v1/logs", [])
    (group,) = canonical(decoded("logs", body))["resourceLogs"]
    (record,) = group["scopeLogs"][0]["logRecords"]
    assert record["eventName"] == "deletion.request"
    told = {one["key"]: one["value"] for one in record["attributes"]}
    assert [one["stringValue"] for one in told["otel_bridge.deletion.ids"]["arrayValue"]["values"]] == ids
    assert [one["key"] for one in group["resource"]["attributes"]] == ["service.name", "service.version"]
    left = sorted(str(path.relative_to(world.home)) for path in world.home.rglob("*") if path.is_file())
    assert left == [".local/state/otel-bridge/kitchen/choice"]
    assert (world.state / "kitchen/choice").read_text().startswith("telemetry = off\nsince = ")


def test_a_deletion_request_is_sent_by_later_runs(world: World) -> None:
    """The intake was down when the person said forget: the next run of the tool, off as it is, has it sent."""
    world.on()
    world.run("kitchen", "list")
    world.run("otel-bridge", "forget", "--product", "kitchen", ok=False, OTEL_BRIDGE_ENDPOINT="http://127.0.0.1:1")
    (world.state / "kitchen/drain").unlink()  # its time of waiting is over
    with answering(200, {}, b"") as taking:
        world.run("kitchen", "list", OTEL_BRIDGE_DETACH="1", OTEL_BRIDGE_DRAIN_EVERY="0", OTEL_BRIDGE_ENDPOINT=taking.endpoint)
        until = time.monotonic() + 90
        while time.monotonic() < until and (world.state / "kitchen/deletion.jsonl").exists():
            time.sleep(0.1)
    assert [path for path, _, _ in taking.requests] == ["/v1/logs"]
    until = time.monotonic() + 30
    while time.monotonic() < until and len(list((world.state / "kitchen").iterdir())) > 1:
        time.sleep(0.1)
    assert [path.name for path in (world.state / "kitchen").iterdir()] == ["choice"]


def test_saying_on_again_while_a_deletion_waits(world: World) -> None:
    """The request is sent for the old ids; what was recorded since, under another id, is sent as well and not deleted."""
    world.on()
    world.run("kitchen", "list")
    old = (world.state / "kitchen/ids").read_text()
    world.run("otel-bridge", "forget", "--product", "kitchen", ok=False, OTEL_BRIDGE_ENDPOINT="http://127.0.0.1:1")
    assert world.run("otel-bridge", "on", "--product", "kitchen").stdout.startswith("kitchen: on (")
    world.run("kitchen", "list")
    with answering(200, {}, b"") as server:
        result = world.json("otel-bridge", "drain", "--product", "kitchen", "--json", OTEL_BRIDGE_ENDPOINT=server.endpoint)
    assert (result["sent"], result["lost"]) == (1, {})
    assert [path for path, _, _ in server.requests] == ["/v1/logs", "/v1/traces"]
    assert old.strip() in json.dumps(canonical(decoded("logs", server.requests[0][2])))
    assert old.strip() not in json.dumps(canonical(decoded("traces", server.requests[1][2])))
    status = world.json("otel-bridge", "status", "--product", "kitchen", "--json")
    assert (status["mode"], status["error"], status["refused"]) == ("on", None, [])


@pytest.mark.parametrize("verb", ["off", "forget"])
def test_many_tools_at_work_cannot_bring_a_spool_back(world: World, probe: Callable[[str], list[str]], verb: str) -> None:
    """Four runs that began under on record all the time while the person says off: nothing is there in the end."""
    world.on("probe")
    program = """
import otel_bridge, time
def main():
    until = time.monotonic() + 8
    while time.monotonic() < until:
        otel_bridge.event('probe.step', {'probe.step': 1})
        time.sleep(0.005)
"""
    words = probe(program)
    runs = [subprocess.Popen(words, env=world.environment(), cwd=world.work) for _ in range(4)]
    until = time.monotonic() + 60
    while time.monotonic() < until and not (world.state / "probe/spool/logs.jsonl").exists():
        time.sleep(0.05)
    time.sleep(1)
    world.run("otel-bridge", verb, "--product", "probe", ok=None, OTEL_BRIDGE_ENDPOINT="http://127.0.0.1:1")
    assert [run.wait(timeout=120) for run in runs] == [0] * 4
    assert not list((world.state / "probe").glob("spool*"))


def test_do_not_track_holds_even_for_forget(world: World) -> None:
    """What is here is deleted; the request waits for a moment without DO_NOT_TRACK, and says so."""
    world.on()
    world.run("kitchen", "list")
    with answering(200, {}, b"") as server:
        done = world.run(
            "otel-bridge", "forget", "--product", "kitchen", ok=False, OTEL_BRIDGE_ENDPOINT=server.endpoint, DO_NOT_TRACK="1"
        )
    assert server.requests == []
    assert "DO_NOT_TRACK is set; unset that once and run `forget` again" in done.stderr
    assert not (world.state / "kitchen/spool").exists() and (world.state / "kitchen/deletion.jsonl").exists()


def test_after_forget_the_person_is_somebody_else(world: World) -> None:
    """Turned on again, the id has nothing to do with the one that was forgotten."""
    world.on()
    world.run("kitchen", "list")
    before = (world.state / "kitchen/ids").read_text()
    with answering(200, {}, b"") as server:
        world.run("otel-bridge", "forget", "--product", "kitchen", OTEL_BRIDGE_ENDPOINT=server.endpoint)
    world.on()
    world.run("kitchen", "list")
    assert (world.state / "kitchen/ids").read_text() != before


def test_nothing_private_in_the_new_channels(world: World, probe: Callable[[str], list[str]]) -> None:
    """A marker in every field that a person or a host can fill: in no byte of spool, request, ledger or deletion request."""
    world.on("probe")
    program = f"""
import otel_bridge
def main():
    otel_bridge.event('probe.step', {{'session.id': '{MARKER}', 'app.installation.id': '{MARKER}', 'probe.word': '{MARKER}',
                      'otel_bridge.deletion.ids': ['{MARKER}'], 'otel_bridge.ci': '{MARKER}', 'otel_bridge.agent': '{MARKER}'}})
    otel_bridge.event('deletion.request', {{'otel_bridge.deletion.ids': ['{MARKER}']}})
"""
    variables = {
        "OTEL_BRIDGE_RUN": MARKER,
        "CI": MARKER,
        "CLAUDECODE": MARKER,
        "AGENT": MARKER,
        "container": MARKER,
        "PROBE_TELEMETRY": "on",
    }
    world.run(*probe(program), **variables)
    assert names(world.waiting("probe")) == ["probe.step", "deletion.request", "cli.run"]
    with answering(200, {}, b"") as server:
        world.run("otel-bridge", "drain", "--product", "probe", OTEL_BRIDGE_ENDPOINT=server.endpoint)
        (world.state / "probe/ids").write_text(f"{MARKER}\n")
        world.run("otel-bridge", "forget", "--product", "probe", ok=None, OTEL_BRIDGE_ENDPOINT=server.endpoint)
    assert len(server.requests) >= 2
    assert not [body for _, _, body in server.requests if MARKER.encode() in body]


def test_a_renamed_build_is_off_until_it_declares_itself(world: World, probe: Callable[[str], list[str]]) -> None:
    """The same code installed under another name: nothing is sent, what it recorded is deleted, and `status` says why."""
    words = probe("def main(): pass\n")
    source = world.root / "probe-src"
    info = source / "probe_fork-9.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: probe-fork\nVersion: 9.9\n")
    (info / "RECORD").write_text("probe/__init__.py,,\nprobe/_telemetry.py,,\n")
    world.on("probe")
    world.run(*words)
    with answering(200, {}, b"") as server:
        drain = ("otel-bridge", "drain", "--product", "probe", "--json")
        result = world.json(*drain, ok=False, OTEL_BRIDGE_ENDPOINT=server.endpoint)
        assert result["error"] == "probe is installed as probe-fork, which has not declared itself; it was declared for probe"
        assert (result["sent"], result["lost"], server.requests) == (0, {"renamed_build": 1}, [])
        status = world.json("otel-bridge", "status", "--product", "probe", "--json")
        assert (status["mode"], status["pending"]) == ("off", {"logs": 0, "traces": 0})
        assert status["reason"].startswith("installed as probe-fork, which has not declared itself")
        pyproject = source / "pyproject.toml"
        pyproject.write_text(pyproject.read_text().replace('name = "probe"', 'name = "probe-fork"'))
        world.run("otel-bridge", "compile", str(source / "telemetry.yaml"))
        world.run("otel-bridge", "on", "--product", "probe")
        world.run(*words)
        assert world.json(*drain, OTEL_BRIDGE_ENDPOINT=server.endpoint)["sent"] == 1


def test_export_holds_everything(world: World) -> None:
    """One JSON file with what waits, what left, what is local, the ids, the choices; the secret stays."""
    world.on()
    world.run("kitchen", "list")
    with answering(200, {}, b"") as server:
        world.run("otel-bridge", "drain", "--product", "kitchen", OTEL_BRIDGE_ENDPOINT=server.endpoint)
    world.run("kitchen", "list")
    world.run("kitchen", "list", KITCHEN_TELEMETRY="local")
    world.run("otel-bridge", "export", "--product", "kitchen", "--out", "mine.json")
    text = (world.work / "mine.json").read_text()
    held = json.loads(text)
    assert [len(held[part]) for part in ("sent", "waiting", "local")] == [1, 1, 1]
    assert held["ids"]["all"] == (world.state / "kitchen/ids").read_text().split()
    assert held["choices"]["this product"]["telemetry"] == "on"
    assert held["collects"]["attributes"]["session.id"]["purpose"]
    assert (world.state / "kitchen/secret").read_text().split()[-1] not in text
    assert attributes(world.waiting()[0])["session.id"] in text


def test_all_products_at_once(world: World, probe: Callable[[str], list[str]]) -> None:
    """Without --product a verb is about all that are known here, and one command stops them everywhere."""
    words = probe("def main(): pass\n")
    world.run("otel-bridge", "on")
    world.run(*words)
    world.run("kitchen", "list")
    told = world.json("otel-bridge", "status", "--json")
    assert {one["product"]: one["mode"] for one in told} == {"kitchen": "on", "probe": "on"}
    off = world.json("otel-bridge", "off", "--json")
    assert {one["product"]: one["mode"] for one in off["products"]} == {"kitchen": "off", "probe": "off"}
    assert not list(world.state.glob("*/spool"))
    world.run("otel-bridge", "on", "--product", "probe")
    assert "probe is off all the same: your choice for all products" in world.run("otel-bridge", "on", "--product", "probe").stdout


def test_the_probe_registry_is_what_list_shows(world: World, probe: Callable[[str], list[str]]) -> None:
    """Every event and attribute with its purpose, in text and in JSON."""
    world.on("probe")
    world.run(*probe("def main(): pass\n"))
    told = world.run("otel-bridge", "list", "--product", "probe").stdout
    found = world.json("otel-bridge", "list", "--product", "probe", "--json")
    assert "probe.step" in PROBE
    for one in ("probe.word", "one of blue, red, else __other__", "Which word? [interaction]", "session.id", "deletion.request"):
        assert one in told
    assert found["attributes"]["probe.step"]["keeps"] == "a whole number, at most 100"
    assert {event["name"] for event in found["events"]} == {
        "(every event and run)",
        "cli.run",
        "probe.step",
        "canary",
        "deletion.request",
        "telemetry.dropped",
    }
