"""What leaves with a request, and how an answer is judged, on a real socket."""

import http.server
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import BIN, World

ANSWERS = {
    "redirect": (301, {"Location": "http://127.0.0.1:1/"}, b"", "the server answered 301"),
    "bad request": (400, {}, b"", "the server answered 400"),
    "unauthorised": (401, {}, b"", "the server answered 401"),
    "gone": (410, {}, b"", "the server answered 410"),
    "broken": (500, {}, b"", "the server answered 500"),
    "a login page": (200, {"Content-Type": "text/html"}, b"<html>please log in</html>", "but not as OTLP has it"),
    "not protobuf": (200, {"Content-Type": "application/x-protobuf"}, b"\xff\xff\xff", "but not as OTLP has it"),
    "not JSON": (200, {"Content-Type": "application/json"}, b"[", "but not as OTLP has it"),
}


class Server:
    """What a server was told: path, headers and body of each request."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.endpoint = ""


@contextmanager
def answering(
    status: int,
    headers: dict[str, str],
    body: bytes,
    before: Callable[[], object] = int,
    decide: Callable[[str, bytes], int] | None = None,
) -> Iterator[Server]:
    """A real server that answers so; `before` is called first, `decide` may choose another status by path and body."""
    told = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.requests.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            before()
            self.send_response(decide(self.path, told.requests[-1][2]) if decide else status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if body:  # else the client may be gone already
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.endpoint = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()


def signed(folder: Path) -> Path:
    """A new file with a key and a certificate of 127.0.0.1, signed by nobody but itself."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is missing: nothing was tried over TLS")
    words = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-keyout", "-", "-out", "-")
    done = subprocess.run(["openssl", *words, "-addext", "subjectAltName=IP:127.0.0.1"], capture_output=True, check=True)
    (folder / "both.pem").write_bytes(done.stdout)
    return folder / "both.pem"


@pytest.fixture
def recorded(world: World) -> World:
    world.on()
    world.run("kitchen", "create", "debian")
    return world


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_that_is_no_success_keeps_everything(recorded: World, case: str) -> None:
    """The records stay, `drain` exits with 1, and `status` says why."""
    status, headers, body, text = ANSWERS[case]
    with answering(status, headers, body) as server:
        result = recorded.json(
            "otel-bridge", "drain", "--product", "kitchen", "--json", ok=False, OTEL_BRIDGE_ENDPOINT=server.endpoint
        )
    assert text in result.pop("error")
    assert result == {"sent": 0, "kept": 2, "quarantined": 0, "lost": {}}
    told = recorded.json("otel-bridge", "status", "--product", "kitchen", "--json")
    assert text in told["error"]
    assert told["pending"] == {"logs": 1, "traces": 1}
    assert recorded.run("otel-bridge", "sent", "--product", "kitchen").stdout == ""


def test_partial_success_is_counted_and_not_sent_again(recorded: World) -> None:
    """The server names no record, so none is sent twice; the number is a loss with a reason."""
    rejected = b"\x0a\x02\x08\x01"  # partial_success { rejected_log_records: 1 }
    with answering(200, {"Content-Type": "application/x-protobuf"}, rejected) as server:
        result = recorded.json("otel-bridge", "drain", "--product", "kitchen", "--json", OTEL_BRIDGE_ENDPOINT=server.endpoint)
    assert result == {"sent": 0, "kept": 0, "quarantined": 0, "lost": {"rejected": 2}, "error": ""}
    assert recorded.json("otel-bridge", "status", "--product", "kitchen", "--json")["lost"] == {"rejected": 2}


def test_a_request_says_nothing_of_the_users_own(recorded: World) -> None:
    """Planted OTEL_EXPORTER_OTLP_* headers, compression and certificates, a netrc password and a cookie, are in no request."""
    secret = "s3cret-of-the-user"
    with answering(200, {"Set-Cookie": f"a={secret}"}, b"") as server:
        host = server.endpoint.removeprefix("http://").partition(":")[0]
        (recorded.home / ".netrc").write_text(f"machine {host} login me password {secret}\n")
        (recorded.home / ".netrc").chmod(0o600)
        mine = {
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={secret},content-type={secret},user-agent={secret}",
            "OTEL_EXPORTER_OTLP_LOGS_HEADERS": f"x-mine={secret}",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "/nowhere.pem",
            "OTEL_RESOURCE_ATTRIBUTES": f"host.name={secret}",
            "OTEL_SERVICE_NAME": secret,
        }
        more = {"OTEL_BRIDGE_ENDPOINT": server.endpoint, "OTEL_BRIDGE_HEADERS": "x-vendor=key"}
        recorded.run("otel-bridge", "drain", "--product", "kitchen", **mine, **more)
    assert [path for path, _, _ in server.requests] == ["/v1/logs", "/v1/traces"]
    for _, headers, body in server.requests:
        assert secret not in str(headers)
        assert secret.encode() not in body
        assert set(headers) == {"Host", "Content-Length", "Content-Type", "User-Agent", "x-vendor", "Accept-Encoding"}
        assert headers["Content-Type"] == "application/x-protobuf"


def test_nobody_listening_keeps_everything(recorded: World) -> None:
    """A refused connection keeps the records; `status` says why."""
    result = recorded.json(
        "otel-bridge", "drain", "--product", "kitchen", "--json", ok=False, OTEL_BRIDGE_ENDPOINT="http://127.0.0.1:1"
    )
    assert result["kept"] == 2
    assert "no answer" in recorded.json("otel-bridge", "status", "--product", "kitchen", "--json")["error"]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"OTEL_BRIDGE_ENDPOINT": "localhost:4318"}, "is no endpoint"),
        ({"OTEL_BRIDGE_HEADERS": "x-vendor"}, "OTEL_BRIDGE_HEADERS: an entry is not `key=value`"),
    ],
)
def test_a_setting_that_is_wrong_is_one_line(recorded: World, more: dict[str, str], text: str) -> None:
    """The line names the variable or value and what to write; nothing is lost."""
    done = recorded.run("otel-bridge", "drain", "--product", "kitchen", ok=False, **more)
    assert done.returncode == 1
    assert text in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert len(recorded.waiting()) == 2


def test_a_ledger_that_cannot_be_written_does_not_send_twice(recorded: World) -> None:
    """What a server took has left: it is taken out of the spool, and the missing entry is counted."""
    (recorded.state / "kitchen/sent").write_text("in the way")
    with answering(200, {}, b"") as server:
        more = {"OTEL_BRIDGE_ENDPOINT": server.endpoint}
        results = [recorded.json("otel-bridge", "drain", "--product", "kitchen", "--json", **more) for _ in range(2)]
    assert len(server.requests) == 3
    assert [(result["sent"], result["lost"]) for result in results] == [(2, {"ledger": 2}), (0, {})]
    assert b"telemetry.dropped" in server.requests[2][2]


def test_turning_off_during_a_drain_stops_it(world: World) -> None:
    """`off` ends the sender in the middle of its request: no further one leaves, and the spool is gone."""
    world.on()
    file = world.state / "kitchen/spool/logs.jsonl"
    world.run("kitchen", "create", "debian")
    file.write_text(file.read_text() * 350)
    with answering(200, {}, b"", before=lambda: world.run("otel-bridge", "off", "--product", "kitchen")) as server:
        killed = world.run("otel-bridge", "drain", "--product", "kitchen", ok=None, OTEL_BRIDGE_ENDPOINT=server.endpoint)
    assert killed.returncode == -9
    assert len(server.requests) == 1
    assert not (world.state / "kitchen/spool").exists()


def test_a_product_that_moved_is_found_again(recorded: World) -> None:
    """After its environment was made anew the next run signs the spool, and everything leaves."""
    writer = Path(recorded.state / "kitchen/writer")
    writer.write_text(writer.read_text().replace("_telemetry.py", "_moved.py"))
    with answering(200, {}, b"") as server:
        more = {"OTEL_BRIDGE_ENDPOINT": server.endpoint}
        gone = recorded.json("otel-bridge", "drain", "--product", "kitchen", "--json", ok=False, **more)
        recorded.run("kitchen", "create", "debian")
        found = recorded.json("otel-bridge", "drain", "--product", "kitchen", "--json", **more)
    assert (gone["sent"], gone["kept"], found["sent"]) == (0, 2, 4)


def test_a_registry_that_is_gone_keeps_everything(recorded: World) -> None:
    """When the product was uninstalled, its records stay and the line says what to do."""
    writer = Path(recorded.state / "kitchen/writer")
    writer.write_text(writer.read_text().replace("_telemetry.py", "_gone.py"))
    done = recorded.run("otel-bridge", "drain", "--product", "kitchen", ok=False)
    assert "the compiled registry is gone" in done.stderr
    assert len(recorded.waiting()) == 2


@pytest.mark.parametrize("way", ["http", "https", "http through a proxy", "https through a proxy"])
def test_a_sender_that_is_killed_takes_back_what_was_not_delivered(recorded: World, tmp_path: Path, way: str) -> None:
    """The rest of its request, which the kernel would go on delivering, never arrives."""
    file = recorded.state / "kitchen/spool/logs.jsonl"
    file.write_text(file.read_text() * 100)
    scheme, _, proxy = way.partition(" through a ")
    certificate = signed(tmp_path) if scheme == "https" else None
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # most of the batch has to wait with the sender's kernel
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(60)
        here = f"127.0.0.1:{server.getsockname()[1]}"
        more = {
            "OTEL_BRIDGE_ENDPOINT": f"{scheme}://{'127.0.0.1:9' if proxy else here}",
            "OTEL_BRIDGE_CA_FILE": str(certificate or ""),
        }
        more |= {f"{scheme}_proxy": f"http://{here}"} if proxy else {}
        sender = subprocess.Popen([str(BIN / "otel-bridge"), "drain", "--product", "kitchen"], env=recorded.environment(**more))
        connection, _ = server.accept()
        if certificate and proxy:
            assert head_of(connection).startswith(b"CONNECT ")
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            connection = context.wrap_socket(connection, server_side=True)
        with connection:
            length = re.search(rb"\r\nContent-Length: (\d+)\r\n", head_of(connection))
            time.sleep(2)  # the sender hands its kernel the body, and waits for an answer
            sender.kill()
            sender.wait()
            assert length is not None
            assert len(rest_of(connection)) < int(length[1])


def head_of(connection: socket.socket) -> bytes:
    """A request up to its empty line, byte by byte."""
    head = b""
    while not head.endswith(b"\r\n\r\n") and (more := connection.recv(1)):
        head += more
    return head


def rest_of(connection: socket.socket) -> bytes:
    """Whatever else arrives before the connection ends, in whichever way."""
    connection.settimeout(60)
    rest = b""
    try:
        while more := connection.recv(65536):
            rest += more
    except (ConnectionResetError, ssl.SSLError):
        pass
    return rest
