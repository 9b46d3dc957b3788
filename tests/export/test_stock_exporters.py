"""What the stock exporters say of the person, and ours do not, side by side: the same server, the same variables, the same home."""

import json
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import grpc
import pytest
from conftest import BIN, World
from delivery.network import Authority

OURS = """
import json, sys
from otel_bridge.export.otlp import Connection
from otel_bridge.export.prepare import Ready
ready = Ready("logs", "a.b", {"service.name": "a"}, "", {}, 1, 1, 1, 1, False)
with Connection(sys.argv[1]) as connection:
    print(json.dumps([connection.send("logs", [ready]).error for _ in range(int(sys.argv[2]))]))
"""
STOCK = """
import json, sys
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.{kind} import OTLPLogExporter
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
exporter = OTLPLogExporter(endpoint=sys.argv[1]{path}, headers={{"x-vendor": "key"}}, timeout=5)
record = ReadableLogRecord(LogRecord(timestamp=1, body="x"), Resource.create({{"service.name": "a"}}))
print(json.dumps([exporter.export([record]).name for _ in range(int(sys.argv[2]))]))
"""
PROGRAMS = {
    ("http", "stock"): STOCK.format(kind="http._log_exporter", path=" + '/v1/logs'"),
    ("grpc", "stock"): STOCK.format(kind="grpc._log_exporter", path=""),
    ("http", "ours"): OURS,
    ("grpc", "ours"): OURS,
}
EXPORTERS = list(PROGRAMS)
SENT = {"stock": "SUCCESS", "ours": ""}


class Server:
    """What a server was told: headers, body and the name on the client's certificate, of each request."""

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.clients: list[str] = []
        self.endpoint = ""


@contextmanager
def http_server(authority: Authority | None = None, status: int = 200, headers: dict[str, str] | None = None) -> Iterator[Server]:
    """A real server of HTTP/1.1, which over TLS asks for a certificate and takes requests without."""
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            told.headers.append({name.lower(): value for name, value in self.headers.items()})
            told.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            if isinstance(self.connection, ssl.SSLSocket):
                found = self.connection.getpeercert() or {}
                told.clients += [value for ((key, value),) in found.get("subject", ()) if key == "commonName"]
            self.send_response(status)
            for name, value in {"Content-Length": "0", **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *args: object) -> None:  # a client that does not trust us
            pass

    with Quiet(("127.0.0.1", 0), Handler) as server:
        if authority is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*authority.issue("server"))
            context.load_verify_locations(authority.certificate)
            context.verify_mode = ssl.CERT_OPTIONAL
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        told.endpoint = f"http{'s' if authority else ''}://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def grpc_server(authority: Authority | None = None) -> Iterator[Server]:
    """A real server of gRPC; over TLS it takes only who shows a certificate, for it cannot ask and do without."""
    told = Server()

    class Handler(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            def export(body: bytes, context: grpc.ServicerContext) -> bytes:
                told.headers.append({key: str(value) for key, value in context.invocation_metadata()})
                told.bodies.append(body)
                told.clients += [name.decode() for name in context.auth_context().get("x509_common_name", ())]
                return b""

            return grpc.unary_unary_rpc_method_handler(export)

    server = grpc.server(ThreadPoolExecutor(2), handlers=[Handler()])
    if authority:
        certificate, key = (file.read_bytes() for file in authority.issue("server"))
        asking = grpc.ssl_server_credentials([(key, certificate)], authority.certificate.read_bytes(), True)
        port = server.add_secure_port("127.0.0.1:0", asking)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    told.endpoint = f"http{'s' if authority else ''}://127.0.0.1:{port}"
    server.start()
    try:
        yield told
    finally:
        server.stop(None).wait()


SERVERS = {"http": http_server, "grpc": grpc_server}


def export(world: World, protocol: str, whose: str, endpoint: str, times: int = 1, **more: str) -> list[str]:
    """Export in a child process; what it was told of each attempt."""
    told = {
        "OTEL_BRIDGE_PROTOCOL": "grpc" if protocol == "grpc" else "http/protobuf",
        "OTEL_BRIDGE_HEADERS": "x-vendor=key",
        **more,
    }
    done = world.run(str(BIN / "python"), "-c", PROGRAMS[protocol, whose], endpoint, str(times), **told)
    found: list[str] = json.loads(done.stdout)
    return found


MINE = {
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=my-password,x-mine=header-of-mine",
    "OTEL_RESOURCE_ATTRIBUTES": "host.name=machine-of-mine",
}
NETRC = "Basic bWU6bmV0cmMtcGFzc3dvcmQ="  # me:netrc-password
PLAIN: dict[tuple[str, str], list[dict[str, str | bool | None]]] = {
    ("http", "stock"): [
        {"authorization": NETRC, "x-mine": "header-of-mine", "cookie": None, "body": True, "x-vendor": "key"},
        {"authorization": NETRC, "x-mine": "header-of-mine", "cookie": "a=cookie-of-another", "body": True, "x-vendor": "key"},
    ],
    ("http", "ours"): [{"authorization": None, "x-mine": None, "cookie": None, "body": False, "x-vendor": "key"}] * 2,
    # headers that are given in the code replace the person's over gRPC; nothing keeps the resource out
    ("grpc", "stock"): [{"authorization": None, "x-mine": None, "cookie": None, "body": True, "x-vendor": "key"}] * 2,
    ("grpc", "ours"): [{"authorization": None, "x-mine": None, "cookie": None, "body": False, "x-vendor": "key"}] * 2,
}


@pytest.mark.parametrize(("protocol", "whose"), EXPORTERS)
def test_headers_netrc_cookies_and_resource(world: World, protocol: str, whose: str) -> None:
    """Two requests to a vendor's server in the clear: what of the person's own it reads in each."""
    cookie = {"headers": {"Set-Cookie": "a=cookie-of-another"}} if protocol == "http" else {}
    with SERVERS[protocol](**cookie) as server:  # type: ignore[operator]
        (world.home / ".netrc").write_text("machine 127.0.0.1 login me password netrc-password\n")
        (world.home / ".netrc").chmod(0o600)
        assert export(world, protocol, whose, server.endpoint, 2, **MINE) == [SENT[whose]] * 2
    names = ("authorization", "x-mine", "cookie", "x-vendor")
    found = [
        {**{name: headers.get(name) for name in names}, "body": b"machine-of-mine" in body}
        for headers, body in zip(server.headers, server.bodies, strict=True)
    ]
    assert found == PLAIN[protocol, whose]


def test_a_vendor_without_headers_gets_the_persons_over_grpc(world: World) -> None:
    """The stock exporter takes an empty dict for none, and the environment's instead; ours says nothing."""
    found = {}
    for whose in ("stock", "ours"):
        with grpc_server() as server:
            program = PROGRAMS["grpc", whose].replace('headers={"x-vendor": "key"}', "headers={}")
            told = {**MINE, "OTEL_BRIDGE_PROTOCOL": "grpc"}
            world.run(str(BIN / "python"), "-c", program, server.endpoint, "1", **told)
        found[whose] = [(one.get("authorization"), one.get("x-mine")) for one in server.headers]
    assert found == {"stock": [("my-password", "header-of-mine")], "ours": [(None, None)]}


def test_a_bad_variable_of_the_persons_ends_the_stock_exporter_over_grpc(world: World) -> None:
    """It fails over a timeout that it was given another one for; ours does not see it."""
    bad = {"OTEL_EXPORTER_OTLP_LOGS_TIMEOUT": "soon"}
    with grpc_server() as server:
        assert export(world, "grpc", "ours", server.endpoint, **bad) == [""]
        done = world.run(str(BIN / "python"), "-c", PROGRAMS["grpc", "stock"], server.endpoint, "1", ok=False, **bad)
    assert "could not convert string to float: 'soon'" in done.stderr
    assert len(server.bodies) == 1


@pytest.mark.parametrize(("whose", "told"), [("stock", "SUCCESS"), ("ours", "the server answered 307")])
def test_a_redirect(world: World, whose: str, told: str) -> None:
    """307 to another host: the stock exporter reports a success, and the record is lost; ours keeps it, and calls nobody else."""
    with http_server() as other, http_server(status=307, headers={"Location": f"{other.endpoint}/v1/logs"}) as server:
        assert export(world, "http", whose, server.endpoint) == [told]
    assert (len(server.bodies), other.bodies if whose == "ours" else []) == (1, [])


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


TLS: dict[tuple[str, str], tuple[bool, list[str]]] = {
    ("http", "stock"): (True, ["person"]),
    ("http", "ours"): (False, []),
    ("grpc", "stock"): (True, ["person"]),
    ("grpc", "ours"): (False, []),
}


@pytest.mark.parametrize(("protocol", "whose"), EXPORTERS)
def test_whom_it_trusts_and_who_it_says_it_is(world: World, authority: Authority, protocol: str, whose: str) -> None:
    """By the person's own variables a stranger is trusted, and shown the person's certificate; ours asks only its own settings."""
    certificate, key = authority.issue("person", "DNS:person.invalid")
    variables = {
        "OTEL_EXPORTER_OTLP_CERTIFICATE": str(authority.certificate),
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": str(certificate),
        "OTEL_EXPORTER_OTLP_CLIENT_KEY": str(key),
        "REQUESTS_CA_BUNDLE": str(authority.certificate),
        "SSL_CERT_FILE": str(authority.certificate),
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(authority.certificate),
        "OTEL_BRIDGE_TIMEOUT": "5",
    }
    with SERVERS[protocol](authority) as server:
        told = export(world, protocol, whose, server.endpoint, **variables)
        taken = told == [SENT[whose]]
        assert (taken, server.clients) == TLS[protocol, whose]
        assert taken or told[0].startswith("no answer (certificate: ")
        ours = {"OTEL_BRIDGE_CA_FILE": str(authority.certificate)}  # the same server, named by our own setting
        if whose == "ours":
            (again,) = export(world, protocol, whose, server.endpoint, **variables, **ours)
            assert again.partition(" (")[0] == {"http": "", "grpc": "no answer"}[protocol]
            assert (len(server.bodies), server.clients) == ({"http": 1, "grpc": 0}[protocol], [])


def test_requests_ca_bundle_alone(world: World, authority: Authority) -> None:
    """REQUESTS_CA_BUNDLE decides whom the stock exporter trusts, whatever it was given; ours does not look at it."""
    found = {}
    for whose in ("stock", "ours"):
        with http_server(authority) as server:
            told = export(world, "http", whose, server.endpoint, REQUESTS_CA_BUNDLE=str(authority.certificate))
            found[whose] = (told == [SENT[whose]], len(server.bodies))
    assert found == {"stock": (True, 1), "ours": (False, 0)}
