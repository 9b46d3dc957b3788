"""How a sender speaks: over one connection, packed if that is set and taken, in JSON too, and quietly where there is no network."""

import gzip
import hashlib
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import grpc
import pytest
from conftest import BIN, World
from network import PROTOCOLS, Drain, arrived, copied, names, request_of, senders, template
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_bridge.collector.process import free_port, running
from otel_bridge.export.otlp import Connection, send
from otel_bridge.export.otlp_json import canonical
from otel_bridge.export.portions import Ahead, Portion
from otel_bridge.export.prepare import Ready

TAKEN = {"sent": 2, "kept": 0, "quarantined": 0, "lost": {}, "error": ""}


@pytest.fixture(scope="module")
def drained() -> Iterator[Drain]:
    with senders() as found:
        yield found


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> World:
    return template(tmp_path_factory.mktemp("recorded"))


@pytest.fixture
def world(recorded: World, tmp_path: Path) -> World:
    return copied(recorded, tmp_path)


class Server:
    """What came: the client's port, path, encoding and body of each request."""

    def __init__(self) -> None:
        self.requests: list[tuple[int, str, str, bytes]] = []
        self.endpoint = ""


@contextmanager
def keeping(refuses: int = 0, hangs_up: bool = False) -> Iterator[Server]:
    """A server that keeps connections open; it refuses what is packed with a status, or hangs up unsaid after each answer."""
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            packed = self.headers.get("Content-Encoding", "")
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.requests.append((self.client_address[1], self.path, packed, body))
            self.send_response(refuses if refuses and packed else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            self.close_connection = hangs_up

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.endpoint = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()


SENDING = """
import json, sys, time
from otel_bridge.export.otlp import Connection
from otel_bridge.export.portions import Ahead, Portion
from otel_bridge.export.prepare import Ready
ready = Ready("logs", "a.b", {"service.name": "a"}, "", {}, 1, 1, 1, 1, False)
with Connection(sys.argv[1]) as connection:
    print(json.dumps([[connection.send("logs", [ready]).error, time.sleep(float(sys.argv[2]))][0] for _ in range(int(sys.argv[3]))]))
"""


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
@pytest.mark.parametrize("hangs_up", [False, True], ids=["kept", "hung up"])
def test_batches_go_over_one_connection(world: World, protocol: str, hangs_up: bool) -> None:
    """Four batches, one port of the client; a server that hangs up unsaid is called again, and nothing fails."""
    with keeping(hangs_up=hangs_up) as server:
        words = (str(BIN / "python"), "-c", SENDING, server.endpoint, "0.1" if hangs_up else "0", "4")
        assert world.json(*words, OTEL_BRIDGE_PROTOCOL=protocol) == [""] * 4
    assert len(server.requests) == 4
    assert len({port for port, *_ in server.requests}) == (4 if hangs_up else 1)


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
def test_the_next_batch_is_made_while_the_server_thinks(monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    """What there is to do is done when the whole request has been written, and before anything has been answered."""
    monkeypatch.setenv("OTEL_BRIDGE_PROTOCOL", protocol)
    done = Event()
    told = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                for _ in range(2):
                    told.append(("came", bool(request_of(connection))))
                    told.append(("done", done.wait(30)))
                    done.clear()
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        thread = Thread(target=serve)
        thread.start()
        ready = Ready("logs", "a.b", {"service.name": "a"}, "", {}, 1, 1, 1, 1, False)
        with Connection(f"http://127.0.0.1:{server.getsockname()[1]}") as connection:
            assert [connection.send("logs", [ready], done.set).error for _ in range(2)] == ["", ""]
        thread.join()
    assert told == [("came", True), ("done", True)] * 2


def test_what_goes_wrong_while_a_server_thinks_is_raised_to_whoever_asks_for_the_next_batch() -> None:
    """A file that cannot be read on is no failure of the request that was under way, and nothing is asked for twice."""

    def found() -> Iterator[Portion]:
        yield Portion(size=1)
        yield Portion(size=2)
        raise OSError("unreadable")

    ahead = Ahead(found())
    asked = iter(ahead)
    assert next(asked).size == 1
    ahead.make()
    ahead.make()
    assert next(asked).size == 2
    ahead.make()
    with pytest.raises(OSError, match="unreadable"):
        next(asked)


def test_a_connection_that_dies_under_a_request_is_tried_again_once(world: World) -> None:
    """It was kept open, and closed while we wrote: the batch goes over a new one; a new one that dies is no answer."""
    calls = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)

        def serve() -> None:
            for answers in (1, 1, 0):  # the first two answer once and die of the second request, the third at once
                connection, _ = server.accept()
                with connection:
                    for _ in range(answers):
                        calls.append(bool(request_of(connection)))
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    calls.append(bool(request_of(connection)))

        thread = Thread(target=serve)
        thread.start()
        words = (str(BIN / "python"), "-c", SENDING, f"http://127.0.0.1:{server.getsockname()[1]}", "0", "3")
        told = world.json(*words, OTEL_BRIDGE_TIMEOUT="5")
        thread.join()
    assert told == ["", "", "no answer (connection closed)"]
    assert calls == [True] * 5


def test_a_dead_address_of_a_name_does_not_keep_the_next_one_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two addresses one drops every packet: it has its share of the time, and the other takes the batch."""
    ready = Ready("logs", "a.b", {"service.name": "a"}, "", {}, 1, 1, 1, 1, False)
    monkeypatch.setenv("OTEL_BRIDGE_TIMEOUT", "4")
    with keeping() as server, socket.create_server(("127.0.0.1", 0), backlog=0) as dead, ExitStack() as stack:
        for _ in range(3):  # its queue is full, so the kernel drops what comes
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(dead.getsockname())
        live = ("127.0.0.1", int(server.endpoint.rpartition(":")[2]))
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in (dead.getsockname(), live)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
        began = time.monotonic()
        assert send("logs", [ready], "http://two.invalid:4318").error == ""
        assert 1.9 < time.monotonic() - began < 4  # half of the time, and not all of it
    assert len(server.requests) == 1


MESSAGES = {"/v1/logs": ExportLogsServiceRequest, "/v1/traces": ExportTraceServiceRequest}


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
def test_a_packed_request_is_the_same_request(drained: Drain, world: World, protocol: str) -> None:
    """What is unpacked is what `preview` showed; the ledger has the digest of the bytes that left."""
    shown = [json.loads(line) for line in world.run("otel-bridge", "preview", "--product", "kitchen", "--json").stdout.splitlines()]
    with keeping() as server:
        told = drained(world, server.endpoint, protocol, OTEL_BRIDGE_COMPRESSION="gzip")
    assert told.result == TAKEN
    assert [encoding for _, _, encoding, _ in server.requests] == ["gzip", "gzip"]
    bodies = [gzip.decompress(body) for *_, body in server.requests]
    if protocol == "http/json":
        assert [json.loads(body) for body in bodies] == shown
    else:
        read = [canonical(MESSAGES[path].FromString(body)) for (_, path, _, _), body in zip(server.requests, bodies, strict=True)]
        assert read == shown
    lines = world.run("otel-bridge", "sent", "--product", "kitchen", "--json").stdout.splitlines()
    assert [json.loads(line)["sha256"] for line in lines] == [hashlib.sha256(body).hexdigest() for *_, body in server.requests]


@pytest.mark.parametrize("status", [400, 415])
def test_a_server_that_takes_nothing_packed_gets_it_plain(world: World, status: int) -> None:
    """Asked once packed, then plain, and plain from then on while the connection lasts; nothing is blamed for it."""
    with keeping(refuses=status) as server:
        words = (str(BIN / "python"), "-c", SENDING, server.endpoint, "0", "4")
        assert world.json(*words, OTEL_BRIDGE_COMPRESSION="gzip") == [""] * 4
    assert [encoding for _, _, encoding, _ in server.requests] == ["gzip", "", "", "", ""]


@pytest.mark.parametrize(
    ("packing", "calls", "errors"), [("gzip", 5, [""] * 4), ("none", 4, ["the server answered UNIMPLEMENTED"] + [""] * 3)]
)
def test_over_grpc_too(world: World, packing: str, calls: int, errors: list[str]) -> None:
    """UNIMPLEMENTED to the first call: tried again plain if it was packed, and only then."""
    told = []

    class Handler(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            def export(body: bytes, context: grpc.ServicerContext) -> bytes:
                told.append(body)
                return context.abort(grpc.StatusCode.UNIMPLEMENTED, "") if len(told) == 1 else b""

            return grpc.unary_unary_rpc_method_handler(export)

    server = grpc.server(ThreadPoolExecutor(2), handlers=[Handler()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        words = (str(BIN / "python"), "-c", SENDING, f"http://127.0.0.1:{port}", "0", "4")
        assert world.json(*words, OTEL_BRIDGE_PROTOCOL="grpc", OTEL_BRIDGE_COMPRESSION=packing) == errors
    finally:
        server.stop(None).wait()
    assert told == [told[0]] * calls


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_real_collector_takes_packed_requests(drained: Drain, world: World, tmp_path: Path, protocol: str) -> None:
    """Over each protocol, and both records are in its files."""
    address = f"127.0.0.1:{free_port()}"
    chosen = {"OTEL_BRIDGE_LOG_LEVEL": "warn", "OTEL_BRIDGE_SINK": "file", "OTEL_BRIDGE_GRPC_ENDPOINT": address}
    waiting = names(world.waiting())
    with running(tmp_path / "collector", chosen) as collector:
        where = f"http://{address}" if protocol == "grpc" else collector.endpoint
        assert drained(world, where, protocol, OTEL_BRIDGE_COMPRESSION="gzip").result == TAKEN
    assert arrived(collector, waiting)


def test_a_request_in_json_is_the_very_text_of_the_preview(drained: Drain, world: World) -> None:
    """Byte for byte, and the ledger says the same afterwards."""
    shown = world.run("otel-bridge", "preview", "--product", "kitchen", "--format", "json").stdout.splitlines()
    with keeping() as server:
        assert drained(world, server.endpoint, "http/json").result == TAKEN
    assert [body.decode() for *_, body in server.requests] == shown
    kept = [json.loads(line) for line in world.run("otel-bridge", "sent", "--product", "kitchen", "--json").stdout.splitlines()]
    assert [{key: one[key] for key in one if key.startswith("resource")} for one in kept] == [json.loads(line) for line in shown]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"OTEL_BRIDGE_COMPRESSION": "zstd"}, "OTEL_BRIDGE_COMPRESSION: 'zstd' is not known here; write `none` or `gzip`"),
        ({"OTEL_BRIDGE_TIMEOUT": "soon"}, "OTEL_BRIDGE_TIMEOUT: 'soon' is no time; write a number of seconds, as 10 or 2.5"),
        ({"OTEL_BRIDGE_TIMEOUT": "-1"}, "OTEL_BRIDGE_TIMEOUT: '-1' is no time; write a number of seconds, as 10 or 2.5"),
    ],
)
@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_setting_that_is_wrong_is_one_line(drained: Drain, world: World, protocol: str, more: dict[str, str], text: str) -> None:
    """What it names, what it is, what to write; both records stay."""
    told = drained(world, "http://127.0.0.1:1", protocol, **more)
    assert told.result == {"sent": 0, "kept": 2, "quarantined": 0, "lost": {}, "error": text}


@pytest.mark.parametrize(
    ("endpoint", "why"),
    [("https://telemetry.invalid:4318", ("no such host", "no name service")), ("http://127.0.0.1:1", ("connection refused",))],
)
@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_without_a_network_a_tool_is_as_quiet_as_ever(world: World, endpoint: str, why: tuple[str, ...], protocol: str) -> None:
    """Four runs that would each start a sender: their output is the same, the records wait, one sender has tried, and `status` says why."""
    more = {"OTEL_BRIDGE_DETACH": "1", "OTEL_BRIDGE_DRAIN_EVERY": "0", "OTEL_BRIDGE_ENDPOINT": endpoint}
    runs = [world.run("kitchen", "create", "debian", OTEL_BRIDGE_PROTOCOL=protocol, OTEL_BRIDGE_TIMEOUT="3", **more)]
    status = ("otel-bridge", "status", "--product", "kitchen", "--json")
    until = time.monotonic() + 60
    while not (told := world.json(*status))["error"]:
        assert time.monotonic() < until
        time.sleep(0.2)
    runs += [world.run("kitchen", "create", "debian", OTEL_BRIDGE_PROTOCOL=protocol, **more) for _ in range(3)]
    assert {(done.stdout, done.stderr, done.returncode) for done in runs} == {(runs[0].stdout, "", 0)}
    grpc = ("no answer (UNAVAILABLE)", "no answer (DEADLINE_EXCEEDED)", "no answer (connection refused)")
    assert told["error"].removeprefix(f"{endpoint}: ") in (grpc if protocol == "grpc" else [f"no answer ({one})" for one in why])
    assert world.json(*status)["pending"] == {"logs": 5, "traces": 5}
    assert "failures = 1\n" in (world.state / "kitchen/drain").read_text()
