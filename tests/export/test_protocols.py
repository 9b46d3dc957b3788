"""The same over each protocol: what was shown is what leaves, nothing of the user's own does, and each gRPC code keeps the records."""

import hashlib
import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from conftest import BIN, ROOT, World, in_file, uid
from google.protobuf.any_pb2 import Any as Packed
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from test_delivery import DRAIN, STATUS, waits
from test_otlp import Server, answering, signed

from otel_bridge import __version__
from otel_bridge.collector.process import free_port, running
from otel_bridge.export.backoff import FIRST, LONG
from otel_bridge.export.otlp_grpc import OTHER
from otel_bridge.export.otlp_grpc import STATUS as TREATED
from otel_bridge.export.otlp_json import canonical

MESSAGES = {"/v1/logs": ExportLogsServiceRequest, "/v1/traces": ExportTraceServiceRequest}
PATHS = {
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export": "/v1/logs",
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export": "/v1/traces",
}
PASSING = {"ABORTED", "CANCELLED", "DATA_LOSS", "DEADLINE_EXCEEDED", "OUT_OF_RANGE", "RESOURCE_EXHAUSTED", "UNAVAILABLE"}
CODES = [code.name for code in grpc.StatusCode if code is not grpc.StatusCode.OK]
SECRET = "s3cret-of-the-user"
THEIRS = {  # of a user who has the SDK's own exporters set up, none of it fit for a product's
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
    "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={SECRET}",
    "OTEL_EXPORTER_OTLP_LOGS_HEADERS": f"x-mine={SECRET}",
    "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "gzip",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT": "soon",
    "OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere.pem",
    "OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE": "/nowhere.pem",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY": "/nowhere.pem",
    "OTEL_EXPORTER_OTLP_INSECURE": "false",
    "OTEL_EXPORTER_OTLP_TRACES_INSECURE": "false",
    "OTEL_PYTHON_EXPORTER_OTLP_GRPC_CREDENTIAL_PROVIDER": "nobody",
    "OTEL_PYTHON_EXPORTER_OTLP_GRPC_RETRYABLE_ERROR_CODES": "nonsense",
    "OTEL_RESOURCE_ATTRIBUTES": f"host.name={SECRET}",
    "OTEL_SERVICE_NAME": SECRET,
}
Answer = Callable[[str, bytes, grpc.ServicerContext], bytes]


@contextmanager
def grpc_server(answer: Answer = lambda path, body, context: b"", certificate: Path | None = None) -> Iterator[Server]:
    """A real gRPC server; it keeps requests as `answering` does, metadata for headers, messages as they arrived."""
    told = Server()

    class Handler(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            def export(body: bytes, context: grpc.ServicerContext) -> bytes:
                told.requests.append((PATHS[details.method], dict(context.invocation_metadata()), body))
                return answer(PATHS[details.method], body, context)

            return grpc.unary_unary_rpc_method_handler(export)

    server = grpc.server(ThreadPoolExecutor(4), handlers=[Handler()])
    if certificate:
        pem = certificate.read_bytes()  # key and certificate
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(pem, pem)]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    told.endpoint = f"http{'s' if certificate else ''}://127.0.0.1:{port}"
    server.start()
    try:
        yield told
    finally:
        server.stop(None).wait()


SERVERS: dict[str, Callable[[], AbstractContextManager[Server]]] = {
    "http/protobuf": lambda: answering(200, {}, b""),
    "http/json": lambda: answering(200, {}, b""),
    "grpc": grpc_server,
}


def over_grpc(endpoint: str, **more: str) -> dict[str, str]:
    return {"OTEL_BRIDGE_ENDPOINT": endpoint, "OTEL_BRIDGE_PROTOCOL": "grpc", **more}


def lines(world: World, *words: str) -> list[dict]:
    return [json.loads(line) for line in world.run("otel-bridge", *words, "--product", "kitchen").stdout.splitlines()]


@pytest.fixture
def recorded(world: World) -> World:
    world.on()
    world.run("kitchen", "create", "debian")
    return world


@pytest.mark.parametrize("protocol", SERVERS)
def test_a_server_reads_what_the_preview_showed_and_the_ledger_keeps_it(recorded: World, protocol: str) -> None:
    """Whole requests, logs and spans: shown before, decoded by the server, kept after with the digest of what arrived."""
    shown = lines(recorded, "preview", "--format", "json")
    with SERVERS[protocol]() as server:
        more = {"OTEL_BRIDGE_ENDPOINT": server.endpoint, "OTEL_BRIDGE_PROTOCOL": protocol}
        result = recorded.json(*DRAIN, **more)
    assert result == {"sent": 2, "kept": 0, "quarantined": 0, "lost": {}, "error": ""}
    read = [
        json.loads(body) if protocol == "http/json" else canonical(MESSAGES[path].FromString(body))
        for path, _, body in server.requests
    ]
    assert [[*one] for one in read] == [["resourceLogs"], ["resourceSpans"]]
    assert read == shown
    kept = lines(recorded, "sent", "--json")
    for entry, (_, _, body) in zip(kept, server.requests, strict=True):
        assert entry.pop("time")
        told = {key: entry.pop(key) for key in ("endpoint", "status", "rejected", "sha256")}
        assert told == {"endpoint": server.endpoint, "status": 200, "rejected": 0, "sha256": hashlib.sha256(body).hexdigest()}
    assert kept == shown


@pytest.mark.parametrize("protocol", SERVERS)
def test_only_who_speaks_grpc_imports_it(recorded: World, protocol: str) -> None:
    """A sender over HTTP never loads gRPC; one over gRPC does, or this would prove nothing."""
    program = "import sys; from otel_bridge.export.drain import drain; print(drain('kitchen').sent, 'grpc' in sys.modules)"
    with SERVERS[protocol]() as server:
        more = {"OTEL_BRIDGE_ENDPOINT": server.endpoint, "OTEL_BRIDGE_PROTOCOL": protocol}
        done = recorded.run(str(BIN / "python"), "-c", program, **more)
    assert done.stdout == f"2 {protocol == 'grpc'}\n"


@pytest.mark.parametrize("code", CODES)
def test_each_grpc_code_keeps_everything_and_waits(recorded: World, code: str) -> None:
    """It is asked once, its free text is told nowhere, and the next sender waits as OTLP's table of codes has it."""
    secret = "text-of-the-server"
    with grpc_server(lambda path, body, context: context.abort(grpc.StatusCode[code], secret)) as server:
        done = recorded.run(*DRAIN, ok=False, **over_grpc(server.endpoint))
    result = json.loads(done.stdout)
    split = ", to every record" if code == "INVALID_ARGUMENT" else ""
    assert result.pop("error") == f"{server.endpoint}: the server answered {code}{split}"
    assert result == {"sent": 0, "kept": 2, "quarantined": 0, "lost": {}}
    assert [path for path, _, _ in server.requests] == (["/v1/logs", "/v1/traces"] if split else ["/v1/logs"])
    assert f"the server answered {code}" in recorded.json(*STATUS)["error"]
    assert secret not in done.stdout + done.stderr + (recorded.state / "kitchen/drain").read_text()
    pause = FIRST if code in PASSING else LONG
    assert pause / 2 - 1 <= waits(recorded) <= pause * 1.5 + 1
    assert len(recorded.waiting()) == 2


def test_the_page_says_how_each_grpc_code_is_treated() -> None:
    """docs/delivery.md has every code of gRPC but OK in a row with its status."""
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \| (\d+) \|$", (ROOT / "docs/delivery.md").read_text(), re.MULTILINE)
    told = {code: int(status) for codes, status in rows for code in re.findall("[A-Z_]+", codes)}
    assert told == {code: TREATED.get(code, OTHER) for code in CODES}


@pytest.mark.parametrize("code", ["RESOURCE_EXHAUSTED", "UNAVAILABLE"])
def test_a_grpc_server_is_left_alone_as_long_as_it_asks(recorded: World, code: str) -> None:
    """RetryInfo in the status details is what Retry-After is over HTTP."""
    info, detail = RetryInfo(), Packed()
    info.retry_delay.seconds = 7200
    detail.Pack(info)
    details = Status(code=grpc.StatusCode[code].value[0], details=[detail]).SerializeToString()

    def answer(path: str, body: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata((("grpc-status-details-bin", details),))
        return context.abort(grpc.StatusCode[code], "")

    with grpc_server(answer) as server:
        recorded.json(*DRAIN, ok=False, **over_grpc(server.endpoint))
    assert 7199 <= waits(recorded) <= 7201


def test_over_grpc_one_poison_record_is_kept_aside_and_the_rest_arrives(recorded: World) -> None:
    """INVALID_ARGUMENT splits the batch as 400 does, until the record that is refused stands alone."""
    file = recorded.state / "kitchen/spool/logs.jsonl"
    found = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", file.read_text())
    assert found is not None
    every = [file.read_text().replace(found[0], f"{number:08x}{found[0][8:]}") for number in range(20)]
    file.write_text("".join(every))

    def answer(path: str, body: bytes, context: grpc.ServicerContext) -> bytes:
        return context.abort(grpc.StatusCode.INVALID_ARGUMENT, "") if f"{7:08x}{found[0][8:]}".encode() in body else b""

    with grpc_server(answer) as server:
        result = recorded.json(*DRAIN, **over_grpc(server.endpoint))
    assert result == {"sent": 20, "kept": 0, "quarantined": 1, "lost": {"refused": 1}, "error": ""}
    (aside,) = (recorded.state / "kitchen/quarantine").iterdir()
    assert f"{7:08x}{found[0][8:]}" in aside.read_text()


def test_over_grpc_partial_success_is_counted_and_not_sent_again(recorded: World) -> None:
    """The number is a loss with a reason, and stands in the ledger."""
    with grpc_server(lambda path, body, context: b"\x0a\x02\x08\x01") as server:  # partial_success { rejected_*: 1 }
        result = recorded.json(*DRAIN, **over_grpc(server.endpoint))
    assert result == {"sent": 0, "kept": 0, "quarantined": 0, "lost": {"rejected": 2}, "error": ""}
    assert [entry["rejected"] for entry in lines(recorded, "sent", "--json")] == [1, 1]


@pytest.mark.parametrize("speaks", [True, False])
def test_a_grpc_server_that_never_answers_keeps_everything(recorded: World, speaks: bool) -> None:
    """Connected or not, as long as is set and no more, whatever the user's own timeout; the next sender backs off."""
    release = threading.Event()
    with (
        grpc_server(lambda path, body, context: bytes(release.wait(120))) as server,
        socket.create_server(("127.0.0.1", 0)) as mute,
    ):
        endpoint = server.endpoint if speaks else f"http://127.0.0.1:{mute.getsockname()[1]}"
        began = time.monotonic()
        result = recorded.json(*DRAIN, ok=False, **THEIRS, **over_grpc(endpoint, OTEL_BRIDGE_TIMEOUT="2.5"))
        seconds = time.monotonic() - began
        release.set()
    assert result["error"] == f"{endpoint}: no answer (DEADLINE_EXCEEDED)"
    assert (result["kept"], len(server.requests)) == (2, int(speaks))
    assert 2.4 < seconds < 30
    assert FIRST / 2 - 1 <= waits(recorded) <= FIRST * 1.5 + 1


def test_nobody_who_speaks_grpc_keeps_everything(recorded: World) -> None:
    """A refused connection, a server of HTTP/1.1 and a URL without a host are no answer, not one of a server, and one line each."""
    with answering(200, {}, b"") as server:
        for endpoint, why in (
            ("http://127.0.0.1:1", "connection refused"),
            (server.endpoint, "not HTTP/2"),
            ("http://", "UNAVAILABLE"),
        ):
            done = recorded.run("otel-bridge", "drain", "--product", "kitchen", ok=False, **over_grpc(endpoint))
            assert done.stderr == f"{endpoint}: no answer ({why})\n"
            assert waits(recorded) <= FIRST * 8 * 1.5 + 1  # the third in a row, and no long pause
    assert len(recorded.waiting()) == 2


@pytest.mark.parametrize("headers", [{}, {"OTEL_BRIDGE_HEADERS": "X-Vendor=key"}])
def test_a_grpc_request_says_nothing_of_the_users_own(recorded: World, headers: dict[str, str]) -> None:
    """The user's OTEL_* are in no request and stop none; ours arrive, keys in lower case."""
    with grpc_server() as server:
        result = recorded.json(*DRAIN, **THEIRS, **headers, **over_grpc(server.endpoint))
    assert (result["sent"], len(server.requests)) == (2, 2)
    for _, metadata, body in server.requests:
        agent = metadata.pop("user-agent")
        assert re.fullmatch(rf"otel-bridge/{re.escape(__version__)} grpc-python/\S+ grpc-c/\S+ \(\S+ \S+\)", agent)
        assert metadata == ({"x-vendor": "key"} if headers else {})
        assert SECRET.encode() not in body


def test_on_the_wire_a_grpc_request_is_plain(recorded: World) -> None:
    """A socket that speaks just enough HTTP/2 to be sent a request gets it uncompressed, and the user's secret in no byte."""
    wire = b""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        words = ("otel-bridge", "drain", "--product", "kitchen")
        settings = over_grpc(f"http://127.0.0.1:{server.getsockname()[1]}", OTEL_BRIDGE_HEADERS="x-vendor=our-key")
        sender = subprocess.Popen(
            [str(BIN / words[0]), *words[1:]], env=recorded.environment(**THEIRS, **settings), stderr=subprocess.DEVNULL
        )
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"\0\0\0\4\0\0\0\0\0")  # an empty SETTINGS frame
            connection.settimeout(60)
            while b"otel_bridge" not in wire and (more := connection.recv(65536)):  # the scope of every record
                wire += more
        assert sender.wait(120) == 1
    assert b"our-key" in wire
    assert b"service.name" in wire
    assert SECRET.encode() not in wire


def test_over_grpc_https_trusts_our_certificates_and_no_others(recorded: World, tmp_path: Path) -> None:
    """Neither the user's variables nor gRPC's own make a server trusted; OTEL_BRIDGE_CA_FILE does."""
    certificate = signed(tmp_path)
    theirs = {name: str(certificate) for name in THEIRS if name.endswith("_CERTIFICATE")}
    theirs |= {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(certificate), "OTEL_EXPORTER_OTLP_INSECURE": "true"}
    with grpc_server(certificate=certificate) as server:
        more = over_grpc(server.endpoint)
        stranger = recorded.json(*DRAIN, ok=False, **theirs, **more)
        friend = recorded.json(*DRAIN, OTEL_BRIDGE_CA_FILE=str(certificate), **more)
    assert stranger["error"].startswith(f"{server.endpoint}: no answer (certificate: ")
    assert (stranger["kept"], friend["sent"], len(server.requests)) == (2, 2, 2)


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (
            {"OTEL_BRIDGE_PROTOCOL": "GR\nPC"},
            "OTEL_BRIDGE_PROTOCOL: 'GR\\nPC' is not known here; write `http/protobuf`, `http/json` or `grpc`",
        ),
        (
            over_grpc("http://127.0.0.1:1", OTEL_BRIDGE_HEADERS="x=1,authorization=schlüssel"),
            "OTEL_BRIDGE_HEADERS: gRPC takes no 'authorization' with that value; write plain ASCII, and no `-bin` key",
        ),
        (
            over_grpc("https://127.0.0.1:1", OTEL_BRIDGE_CA_FILE="/nowhere.pem"),
            "OTEL_BRIDGE_CA_FILE: /nowhere.pem cannot be read: No such file or directory",
        ),
    ],
)
def test_what_cannot_be_sent_so_is_one_line_and_nothing_is_lost(recorded: World, more: dict[str, str], text: str) -> None:
    """The line names the variable and what to write; when it is mended everything arrives."""
    done = recorded.run("otel-bridge", "drain", "--product", "kitchen", ok=False, **more)
    assert (done.returncode, done.stderr) == (1, f"{text}\n")
    with grpc_server() as server:
        assert recorded.json(*DRAIN, **over_grpc(server.endpoint))["sent"] == 2


def test_over_grpc_a_real_collector_stores_what_waited(recorded: World, tmp_path: Path) -> None:
    """Record by record and run by run, and the canary is seen in its file."""
    waiting = recorded.waiting()
    address = f"127.0.0.1:{free_port()}"
    chosen = {"OTEL_BRIDGE_LOG_LEVEL": "warn", "OTEL_BRIDGE_SINK": "file", "OTEL_BRIDGE_GRPC_ENDPOINT": address}
    with running(tmp_path / "collector", chosen) as collector:
        more = over_grpc(f"http://{address}")
        assert recorded.json(*DRAIN, **more)["sent"] == 2
        file = str(collector.files / "logs.jsonl")
        canary = recorded.run("otel-bridge", "canary", "--product", "kitchen", "--timeout", "60", "--file", file, **more)
        assert canary.stdout.startswith("seen ")
    stored = [*in_file(collector, "logs"), *in_file(collector, "traces")]
    names = [uid(item) if item.signal == "logs" else item.body["spanId"] for item in (*waiting, *stored)]
    assert sorted(names) == sorted([*names[:2] * 2, canary.stdout.split()[1]])
