"""Whatever a server does, a sender ends in bounded time and memory, keeps or counts every record, and says one clear reason."""

import gzip
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from conftest import World
from network import Authority, Drain, copied, listening, names, senders, template

TIMEOUT = 1.0  # seconds for a request here; 10 is the default
PEAK = 100  # MB
JSON, PROTOBUF = "application/json", "application/x-protobuf"
Serve = Callable[[socket.socket, bytes], None]


def said(status: str, kind: str = PROTOBUF, body: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    """An answer of HTTP/1.1; `length` may be a lie."""
    lines = (f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body) if length is None else length}", *headers)
    return "\r\n".join((*lines, "", "")).encode() + body


def saying(answer: bytes) -> Serve:
    return lambda connection, request: connection.sendall(answer)


def forever(first: bytes, again: bytes, pause: float = 0.0) -> Serve:
    """First this, then that again and again, until the sender goes."""

    def serve(connection: socket.socket, request: bytes) -> None:
        connection.sendall(first)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            connection.sendall(again)
            time.sleep(pause)

    return serve


def huge(head: bytes) -> Serve:
    """A gigabyte, as fast as the sender takes it."""

    def serve(connection: socket.socket, request: bytes) -> None:
        connection.sendall(head)
        for _ in range(1000):
            connection.sendall(bytes(1_000_000))

    return serve


BOMB = gzip.compress(bytes(50_000_000))  # 50 kB
SETTINGS = b"\0\0\x12\4\0\0\0\0\0" + bytes(18)  # how a server of HTTP/2 begins
OTHERWISE = "the server answered 200, but not as OTLP has it"
SERVERS: dict[str, tuple[Serve, str]] = {
    "200 with garbage": (saying(said("200 OK", PROTOBUF, b"\xff" * 99)), OTHERWISE),
    "200 with JSON nested too deep": (saying(said("200 OK", JSON, b"[" * 60_000)), OTHERWISE),
    "200 with a word for a count": (saying(said("200 OK", JSON, b'{"partialSuccess":{"rejectedLogRecords":"many"}}')), OTHERWISE),
    "100-continue for ever": (forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "no answer (ReadTimeout)"),
    "100-continue now and then": (forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.1), "no answer (ReadTimeout)"),
    "headers that drip": (forever(b"HTTP/1.1 200 OK\r\n", b"x", 0.1), "no answer (ReadTimeout)"),
    "headers without end": (forever(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"), "no answer (not HTTP/1.1)"),
    "a line without end": (forever(b"HTTP/1.1 200 OK\r\nx: ", b"x" * 10_000), "no answer (not HTTP/1.1)"),
    "a body that drips": (forever(said("200 OK", length=9999), b"x", 0.1), "no answer (ReadTimeout)"),
    "a body of 1 GB": (huge(said("200 OK", length=10**9)), OTHERWISE),
    "a body without an end": (huge(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"), OTHERWISE),
    "a chunk of 1 GB": (huge(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3b9aca00\r\n"), OTHERWISE),
    "chunks without end": (
        forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b"x" * 1024 + b"\r\n"),
        OTHERWISE,
    ),
    "400 with 1 GB": (huge(said("400 Bad Request", length=10**9)), "the server answered 400, to every record"),
    "503 that drips": (forever(said("503 Unavailable", length=9999), b"x", 0.1), "the server answered 503"),
    "a gzip bomb": (saying(said("200 OK", PROTOBUF, BOMB, "Content-Encoding: gzip")), OTHERWISE),
    "gzip that is none": (saying(said("200 OK", PROTOBUF, b"\x1f\x8bno", "Content-Encoding: gzip")), OTHERWISE),
    "half a gzip": (saying(said("200 OK", PROTOBUF, gzip.compress(b"")[:-4], "Content-Encoding: gzip")), OTHERWISE),
    "closes before it answers": (lambda connection, request: None, "no answer (connection closed)"),
    "closes mid-response": (saying(said("200 OK", length=50)), "no answer (connection closed)"),
    "speaks HTTP/2": (saying(SETTINGS), "no answer (not HTTP/1.1)"),
}


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


def kept(drained: Drain, world: World, endpoint: str, error: str, protocol: str = "http/protobuf", **more: str) -> None:
    """Drain, and hold what must be the same whatever a server does."""
    before = names(world.waiting())
    told = drained(world, endpoint, protocol, **{"OTEL_BRIDGE_TIMEOUT": str(TIMEOUT), **more})
    assert told.result == {"sent": 0, "kept": 2, "quarantined": 0, "lost": {}, "error": f"{endpoint}: {error}"}
    assert told.code == 1
    assert told.seconds < 30  # of which the start of a program on a loaded machine is most; unbounded it would be 30 and more
    assert told.megabytes < PEAK
    assert protocol == "grpc" or told.threads == 1
    assert names(world.waiting()) == before


@pytest.mark.parametrize("case", SERVERS)
def test_a_server_that_does_this_keeps_everything_and_has_one_reason(drained: Drain, world: World, case: str) -> None:
    """Bounded time and memory, no thread left, both records where they were, one line that says why."""
    serve, error = SERVERS[case]
    with listening(serve) as host:
        kept(drained, world, f"http://{host.address}", error)


def test_status_says_what_drain_said(drained: Drain, world: World) -> None:
    """The reason stays until a sender fares better."""
    with listening(saying(SETTINGS)) as host:
        kept(drained, world, f"http://{host.address}", "no answer (not HTTP/1.1)")
    told = world.json("otel-bridge", "status", "--product", "kitchen", "--json")
    assert told["error"] == f"http://{host.address}: no answer (not HTTP/1.1)"


@pytest.mark.parametrize(
    ("status", "body"), [("301 Moved", b""), ("307 Temporary Redirect", bytes(100_000_000)), ("308 Moved", b"")]
)
def test_a_redirect_is_not_followed(drained: Drain, world: World, status: str, body: bytes) -> None:
    """The other host is never called, and what comes with the redirect is not read beyond its bound."""
    with listening(saying(said("200 OK"))) as other:
        answer = said(status, PROTOBUF, body, f"Location: http://{other.address}/v1/logs")
        with listening(saying(answer)) as host:
            kept(drained, world, f"http://{host.address}", f"the server answered {status[:3]}")
            assert len(host.heard) == 1
        time.sleep(0.2)
        assert other.heard == []


NONSENSE = {
    "negative": (JSON, b'{"partialSuccess":{"%s":-5}}', 0),
    "more than were sent": (JSON, b'{"partialSuccess":{"%s":7}}', 1),
    "2^63": (JSON, b'{"partialSuccess":{"%s":9223372036854775808}}', 1),
    "2^63 as a string": (JSON, b'{"partialSuccess":{"%s":"9223372036854775808"}}', 1),
    "a string": (JSON, b'{"partialSuccess":{"%s":"1"}}', 1),
    "a fraction": (JSON, b'{"partialSuccess":{"%s":0.5}}', 0),
    "null": (JSON, b'{"partialSuccess":null}', 0),
    "-1 as protobuf": (PROTOBUF, b"\x0a\x0b\x08" + b"\xff" * 9 + b"\x01", 0),
    "2^63 - 1 as protobuf": (PROTOBUF, b"\x0a\x0a\x08" + b"\xff" * 8 + b"\x7f", 1),
}


@pytest.mark.parametrize("case", NONSENSE)
def test_a_nonsense_count_is_taken_as_far_as_it_can_be_true(drained: Drain, world: World, case: str) -> None:
    """Between none and all of what was sent: an event and a run, in a request each."""
    kind, body, each = NONSENSE[case]

    def serve(connection: socket.socket, request: bytes) -> None:
        word = b"rejectedLogRecords" if request.startswith(b"POST /v1/logs ") else b"rejectedSpans"
        connection.sendall(said("200 OK", kind, body.replace(b"%s", word)))

    with listening(serve) as host:
        told = drained(world, f"http://{host.address}", "http/json" if kind == JSON else "http/protobuf")
    lost = {"rejected": 2 * each} if each else {}
    assert told.result == {"sent": 2 - 2 * each, "kept": 0, "quarantined": 0, "lost": lost, "error": ""}
    assert world.waiting() == []


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


WRONG = {
    "of another authority": ["certificate: unable to get local issuer certificate"] * 2,
    "of another host": [
        "certificate: IP address mismatch, certificate is not valid for '127.0.0.1'",
        "certificate: hostname mismatch",
    ],
    "expired": ["certificate: certificate has expired"] * 2,
}


@pytest.fixture(scope="module")
def wrong(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Certificates with their keys, each wrong in one way."""
    return {
        "of another authority": Authority.make(tmp_path_factory.mktemp("stranger")).issue("stranger"),
        "of another host": authority.issue("other", "DNS:other.invalid"),
        "expired": authority.issue("expired", expired=True),
    }


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
@pytest.mark.parametrize("case", WRONG)
def test_to_a_wrong_certificate_nothing_is_said(
    drained: Drain, world: World, authority: Authority, wrong: dict[str, tuple[Path, Path]], case: str, protocol: str
) -> None:
    """Not a byte of a request, and the reason says what is wrong with it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*wrong[case])
    context.set_alpn_protocols(["h2"] if protocol == "grpc" else ["http/1.1"])
    with listening(saying(said("200 OK")), context) as host:
        error = f"no answer ({WRONG[case][protocol == 'grpc']})"
        kept(drained, world, f"https://{host.address}", error, protocol, OTEL_BRIDGE_CA_FILE=str(authority.certificate))
    assert [one for one in host.heard if one] == []


def test_a_server_that_does_not_speak_tls_is_not_waited_for(drained: Drain, world: World) -> None:
    """It takes the connection and says nothing, or speaks plain HTTP."""
    with listening(lambda connection, request: time.sleep(TIMEOUT + 1)) as mute:
        kept(drained, world, f"https://{mute.address}", "no answer (ReadTimeout)")
    with listening(saying(said("400 Bad Request"))) as plain:
        kept(drained, world, f"https://{plain.address}", "no answer (TLS: wrong version number)")


GRPC = {
    "speaks HTTP/1.1": (said("400 Bad Request"), "no answer (not HTTP/2)"),
    "says garbage": (bytes(range(256)) * 99, "no answer (not HTTP/2)"),
    "says no more after SETTINGS": (SETTINGS[:9].replace(b"\x12", b"\0"), "no answer (DEADLINE_EXCEEDED)"),
}


@pytest.mark.parametrize("case", GRPC)
def test_over_grpc_too(drained: Drain, world: World, case: str) -> None:
    """What is no server of gRPC keeps everything."""
    answer, error = GRPC[case]

    def serve(connection: socket.socket, request: bytes) -> None:
        connection.sendall(answer)
        while connection.recv(65536):
            pass

    with listening(serve) as host:
        kept(drained, world, f"http://{host.address}", error, "grpc")


def test_over_grpc_a_bomb_is_not_unpacked(drained: Drain, world: World) -> None:
    """An answer of 100 MB in 100 kB: no more memory, and no success."""
    with answering_grpc(bytes(100_000_000), grpc.Compression.Gzip) as endpoint:
        kept(drained, world, endpoint, "the server answered OK, but not as OTLP has it", "grpc", OTEL_BRIDGE_TIMEOUT="20")


@pytest.mark.parametrize(("body", "each"), [(NONSENSE["-1 as protobuf"][1], 0), (NONSENSE["2^63 - 1 as protobuf"][1], 1)])
def test_over_grpc_a_nonsense_count_is_taken_as_far_as_it_can_be_true(drained: Drain, world: World, body: bytes, each: int) -> None:
    """As over HTTP."""
    with answering_grpc(body) as endpoint:
        told = drained(world, endpoint, "grpc")
    lost = {"rejected": 2} if each else {}
    assert told.result == {"sent": 2 - 2 * each, "kept": 0, "quarantined": 0, "lost": lost, "error": ""}


@contextmanager
def answering_grpc(body: bytes, packing: grpc.Compression = grpc.Compression.NoCompression) -> Iterator[str]:
    """A real gRPC server that answers every call so; its endpoint."""

    class Handler(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(lambda request, context: body)

    unlimited = [("grpc.max_send_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(2), handlers=[Handler()], compression=packing, options=unlimited)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
