"""A person only runs `kitchen`: the event arrives, and whatever the network does, the tool neither slows nor speaks."""

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import BIN, World, attributes, in_file, uid

from otel_bridge.collector.process import Running, hec_peer, running
from otel_bridge.export import spool

EACH_RUN = {"OTEL_BRIDGE_DETACH": "1", "OTEL_BRIDGE_DRAIN_EVERY": "0"}


def until(true: Callable[[], object], seconds: float = 90.0) -> bool:
    """Whether something becomes true in time; bounded, for a machine that others use."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return False


def senders(world: World) -> list[int]:
    """Processes that are senders of this world."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            sender = entry.name.isdigit() and b"otel_bridge.export.sender" in (entry / "cmdline").read_bytes()
            if sender and str(world.home).encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.fixture(autouse=True)
def no_sender_is_left(world: World) -> Iterator[None]:
    yield
    for pid in senders(world):
        os.kill(pid, signal.SIGKILL)


@contextmanager
def hanging() -> Iterator[tuple[str, list[socket.socket]]]:
    """A server that accepts and never answers: its base URL, and the connections that it holds."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                try:
                    held.append(server.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", held
        finally:
            stop.set()
            thread.join()
            for connection in held:
                connection.close()


def test_events_arrive_in_file_then_splunk_then_both_by_environment_alone(world: World, tmp_path: Path) -> None:
    """Nobody drains: file; then `OTEL_BRIDGE_SINK=splunk`; then both at once; only the collector's environment changes."""
    world.on()
    quiet = {"OTEL_BRIDGE_LOG_LEVEL": "warn"}
    fields = None
    with hec_peer(tmp_path / "hec") as peer:
        for sinks in (("file", "none"), ("splunk", "none"), ("file", "splunk")):
            folder = tmp_path / "-".join(sinks)
            before = len(peer.events())
            chosen = {"OTEL_BRIDGE_SINK": sinks[0], "OTEL_BRIDGE_SINK_2": sinks[1], **quiet, **peer.variables}
            with running(folder, chosen) as collector:
                world.run("kitchen", "create", "debian", OTEL_BRIDGE_ENDPOINT=collector.endpoint, **EACH_RUN)
                if "file" in sinks:
                    assert until(lambda: len(in_file(collector, "logs")) == len(in_file(collector, "traces")) == 1)
                    (item,) = in_file(collector, "logs")
                    fields = {**attributes(item), "trace_id": item.body["traceId"], "span_id": item.body["spanId"]}
                if "splunk" in sinks:
                    assert until(lambda before=before: len(peer.events()) == before + 2)
                    arrived = peer.events()[before:]
                    event = next(one for one in arrived if one["event"] == "kitchen.create")
                    run = next(one for one in arrived if isinstance(one["event"], dict))
                    assert run["event"]["trace_id"] == event["trace_id"]
                    assert event["com.splunk.index"] == "product_telemetry"
                    assert fields is not None
                    assert set(fields) <= set(event)
                    for key in ("kitchen.driver.name", "kitchen.target", "otel_bridge.command", "otel_bridge.sequence"):
                        assert event[key] == fields[key]
                if "file" in sinks and "splunk" in sinks:
                    assert {key: event[key] for key in fields} == fields
            assert (collector.files / "logs.jsonl").exists() == ("file" in sinks)
    assert until(lambda: not senders(world))
    assert world.waiting() == []


def test_a_pipe_is_closed_at_once_while_the_sink_hangs(world: World) -> None:
    """`kitchen list | cat` and `$(kitchen list)` end while the sender still waits for an answer."""
    world.on()
    with hanging() as (endpoint, held):
        environment = world.environment(OTEL_BRIDGE_ENDPOINT=endpoint, **EACH_RUN)
        for line in ("kitchen list | cat", 'x=$(kitchen list); printf "%s\\n" "$x"'):
            while held:
                held.pop().close()
            done = subprocess.run(
                ["/bin/sh", "-c", line], env=environment, cwd=world.work, capture_output=True, text=True, timeout=300
            )
            assert done.stdout == "default-debian-12                -\n"
            assert done.stderr == ""
            assert until(lambda: held)
            (sender,) = senders(world)  # alive after the pipe was closed: nobody waited for it
            os.kill(sender, signal.SIGKILL)
            assert until(lambda: not senders(world))
            (world.state / "kitchen/drain").unlink(missing_ok=True)


def test_a_sender_holds_nothing_of_its_host(world: World) -> None:
    """Descriptors 0 to 2 on /dev/null, none inherited, its own session, `/` as folder, no OTEL_* of the user's."""
    world.on()
    mine = {"OTEL_EXPORTER_OTLP_HEADERS": "a=b", "OTEL_RESOURCE_ATTRIBUTES": "c=d", "OTEL_BRIDGE_HEADERS": "x-vendor=key"}
    kept = world.root / "kept-open"
    with hanging() as (endpoint, held), kept.open("w") as file:
        environment = world.environment(OTEL_BRIDGE_ENDPOINT=endpoint, **EACH_RUN, **mine)
        subprocess.run([BIN / "kitchen", "list"], env=environment, cwd=world.work, pass_fds=[file.fileno()], capture_output=True)
        assert until(lambda: held)
        (sender,) = senders(world)
        place = Path("/proc") / str(sender)
        descriptors = {int(link.name): os.readlink(link) for link in (place / "fd").iterdir()}
        variables = dict(pair.split(b"=", 1) for pair in (place / "environ").read_bytes().split(b"\0") if pair)
        assert {descriptors[number] for number in (0, 1, 2)} == {"/dev/null"}
        assert not [path for path in descriptors.values() if "kept-open" in path or "pipe:" in path]
        assert os.readlink(place / "cwd") == "/"
        assert os.getsid(sender) == sender
        assert [key for key in variables if key.startswith(b"OTEL_") and not key.startswith(b"OTEL_BRIDGE_")] == []
        assert variables[b"OTEL_BRIDGE_HEADERS"] == b"x-vendor=key"
        assert b"-P" in (place / "cmdline").read_bytes().split(b"\0")


def test_a_host_that_waits_for_any_child_gets_its_own_only(world: World, probe: Callable[[str], list[str]]) -> None:
    """`waitpid(-1)` in the host's code, with a send due, sees the host's child and then none."""
    program = """
import os, otel_bridge
def main():
    otel_bridge.event('probe.step', {'probe.step': 1})
    child = os.posix_spawn('/bin/true', ['true'], {})
    assert os.waitpid(-1, 0)[0] == child
    try:
        os.waitpid(-1, 0)
    except ChildProcessError:
        print('none but mine')
"""
    with hanging() as (endpoint, held):
        done = world.run(*probe(program), PROBE_TELEMETRY="on", OTEL_BRIDGE_ENDPOINT=endpoint, **EACH_RUN)
        assert done.stdout == "none but mine\n"
        assert until(lambda: held)


@pytest.mark.parametrize("state", ["up", "refused", "hanging", "absent"])
def test_output_and_exit_code_are_the_bare_twins_whatever_the_sink_does(world: World, tmp_path: Path, state: str) -> None:
    """With a send due, and the sink up, refusing, hanging or absent: the same bytes, the same code."""
    world.on()
    runs = [["list"], ["create", "debian"], ["create", "no-such"], ["--no-such"], ["list", "--json"], ["destroy"]]

    def told(script: str, **more: str) -> list[tuple[int, str, str]]:
        done = [world.run(script, *words, ok=None, **more) for words in runs]
        return [(one.returncode, one.stdout, one.stderr.replace("kitchen-bare", "kitchen")) for one in done]

    bare = told("kitchen-bare")
    if state == "up":
        with running(tmp_path / "collector", {"OTEL_BRIDGE_LOG_LEVEL": "warn"}) as collector:
            assert told("kitchen", OTEL_BRIDGE_ENDPOINT=collector.endpoint, **EACH_RUN) == bare
            assert until(lambda: len(in_file(collector, "traces")) == len(runs))
    elif state == "hanging":
        with hanging() as (endpoint, held):
            assert told("kitchen", OTEL_BRIDGE_ENDPOINT=endpoint, **EACH_RUN) == bare
            assert until(lambda: held)
    else:
        endpoint = {"refused": "http://127.0.0.1:1", "absent": "http://no-such-host.invalid:4318"}[state]
        assert told("kitchen", OTEL_BRIDGE_ENDPOINT=endpoint, **EACH_RUN) == bare
        status = ("otel-bridge", "status", "--product", "kitchen", "--json")
        assert until(lambda: "no answer" in (world.json(*status)["error"] or ""))
        assert len([item for item in world.waiting() if item.signal == "traces"]) == len(runs)


def test_fifty_runs_at_once_lose_nothing(world: World, collector: Running) -> None:
    """50 runs at the same time, each of which may start a sender: every uid is in the file, once after de-duplication."""
    world.on()
    environment = world.environment(OTEL_BRIDGE_ENDPOINT=collector.endpoint, **EACH_RUN)
    runs = [
        subprocess.Popen(
            [BIN / "kitchen", "create"], env=environment, cwd=world.work, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for _ in range(50)
    ]
    for run in runs:
        _, said = run.communicate(timeout=120)
        assert (run.returncode, said) == (0, b"")
    assert until(lambda: not senders(world), 150)
    world.run("otel-bridge", "drain", "--product", "kitchen", OTEL_BRIDGE_ENDPOINT=collector.endpoint)
    uids = [uid(item) for item in in_file(collector, "logs")]
    spans = [(item.body["traceId"], item.body["spanId"]) for item in in_file(collector, "traces")]
    print(f"duplicates: {len(uids) - len(set(uids))} of {len(uids)} events, {len(spans) - len(set(spans))} of {len(spans)} runs")
    assert (len(set(uids)), len(set(spans))) == (50, 50)
    assert world.json("otel-bridge", "status", "--product", "kitchen", "--json")["lost"] == {}


def test_a_sender_that_failed_is_not_started_again_at_each_run(world: World) -> None:
    """After a refusal nobody tries for a while, even with a sender due after each run; the next run starts none."""
    world.on()
    world.run("kitchen", "list", OTEL_BRIDGE_ENDPOINT="http://127.0.0.1:1", **EACH_RUN)
    drained = world.state / "kitchen/drain"
    assert until(drained.exists)
    before = drained.read_text()
    assert re.search(r"^failures = 1$", before, re.MULTILINE)
    world.run("kitchen", "list", OTEL_BRIDGE_ENDPOINT="http://127.0.0.1:1", **EACH_RUN)
    time.sleep(1)
    assert senders(world) == []
    assert drained.read_text() == before


@pytest.mark.parametrize(
    ("state", "more", "due"),
    [
        (None, {}, True),
        ("last = 0\n", {}, True),
        ("last = {now}\n", {}, False),
        ("last = {now}\n", {"OTEL_BRIDGE_DRAIN_EVERY": "0"}, True),
        ("last = {now}\nnot_before = {soon}\n", {"OTEL_BRIDGE_DRAIN_EVERY": "0"}, False),
        ("last = 0\nnot_before = {soon}\n", {}, False),
        ("last = {next_year}\nnot_before = {next_year}\n", {}, True),
        ("rubbish\n", {}, True),
        (None, {"OTEL_BRIDGE_DETACH": "0"}, False),
        (None, {"KITCHEN_TELEMETRY": "local"}, False),
    ],
)
def test_when_a_sender_is_due(world: World, state: str | None, more: dict[str, str], due: bool) -> None:
    """On first use, then every hour, not while backing off; a clock that was set back does not silence it."""
    world.on()
    seconds = int(time.time())
    drained = world.state / "kitchen/drain"
    if state is not None:
        drained.write_text(state.format(now=seconds, soon=seconds + 600, next_year=seconds + 31_536_000))
    before = drained.read_text() if drained.exists() else None
    world.run("kitchen", "list", **{"OTEL_BRIDGE_DETACH": "1", "OTEL_BRIDGE_ENDPOINT": "http://127.0.0.1:1", **more})
    if due:
        assert until(lambda: drained.exists() and drained.read_text() != before)
    else:
        time.sleep(1)
        assert (drained.read_text() if drained.exists() else None) == before


def test_a_program_that_is_no_python_is_never_started_again(world: World, probe: Callable[[str], list[str]]) -> None:
    """Frozen into a binary, or embedded in another program, a product starts no sender: it would start itself."""
    for change in ("sys.frozen = True", "sys.executable = '/usr/bin/blender'", "sys.executable = ''"):
        world.run(*probe(f"import sys\ndef main():\n    {change}\n"), PROBE_TELEMETRY="on", **EACH_RUN)
    time.sleep(1)
    assert not (world.state / "probe/drain").exists()


def test_continuous_integration_waits_for_the_sender_but_not_long(world: World, collector: Running) -> None:
    """In CI the events are there when the run ends, or a second later at most; a hanging sink costs that second."""
    world.on()
    with hanging() as (endpoint, _):
        started = time.monotonic()
        world.run("kitchen", "list", CI="true", OTEL_BRIDGE_ENDPOINT=endpoint, **EACH_RUN)
        assert time.monotonic() - started > 0.9
        assert senders(world)


def test_the_canary_sings(world: World, collector: Running) -> None:
    """`accepted` by the endpoint, `seen` in the file; refused by DO_NOT_TRACK, and told when nobody listens."""
    world.on()
    world.run("kitchen", "list")
    canary = ("otel-bridge", "canary", "--product", "kitchen")
    file = str(collector.files / "logs.jsonl")
    assert world.run(*canary, OTEL_BRIDGE_ENDPOINT=collector.endpoint).stdout.startswith("accepted ")
    told = world.run(*canary, "--file", file, OTEL_BRIDGE_ENDPOINT=collector.endpoint).stdout
    assert told.startswith("seen ")
    assert told.split()[1] in Path(file).read_text()
    assert [item.body["eventName"] for item in spool.read(Path(file), "logs")[0]] == ["canary", "canary"]
    assert "DO_NOT_TRACK" in world.run(*canary, ok=False, DO_NOT_TRACK="1", OTEL_BRIDGE_ENDPOINT=collector.endpoint).stderr
    assert "no answer" in world.run(*canary, ok=False, OTEL_BRIDGE_ENDPOINT="http://127.0.0.1:1").stderr
    wrong = world.run(*canary, "--file", "/nowhere", "--timeout", "0.2", ok=False, OTEL_BRIDGE_ENDPOINT=collector.endpoint)
    assert "accepted, but not in /nowhere" in wrong.stderr
