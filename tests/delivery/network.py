"""What the tests of the network share: a run recorded once, a sender that is watched, a private authority, hostile sockets."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from conftest import BIN, ROOT, World, in_file, uid

from otel_bridge.collector.process import Running, free_port, running
from otel_bridge.export import spool

PRODUCT = ("--product", "kitchen")
PROTOCOLS = ("http/protobuf", "http/json", "grpc")
# One process imports what a sender needs, and forks for each: a fifth of the time. VmHWM is the peak of the forked one alone;
# ru_maxrss would hold what others had before it. gRPC is imported after the fork, for it does not stand one.
FORKING = """
import json, os, sys
import click, requests, otel_bridge.shell, otel_bridge.commands.drain, otel_bridge.export.logs, otel_bridge.export.spans
import opentelemetry.exporter.otlp.proto.http._log_exporter, opentelemetry.exporter.otlp.proto.http.trace_exporter
for line in sys.stdin:
    told = json.loads(line)
    child = os.fork()
    if not child:
        for fd, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(told[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), fd)
        os.environ.clear()
        os.environ.update(told["environment"])
        os.chdir(told["work"])
        sys.argv = ["otel-bridge", *told["words"]]
        code = 0
        try:
            otel_bridge.shell.main()
        except SystemExit as end:
            code = end.code or 0
        finally:
            words = dict(line.split(":", 1) for line in open("/proc/self/status"))
            sys.stdout.flush()
            print(words["VmHWM"].split()[0], len(os.listdir("/proc/self/task")), file=sys.stderr, flush=True)
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
Drain = Callable[..., "Drained"]


@dataclass(frozen=True)
class Drained:
    """What a sender said and took: the object of `drain --json`, its exit code, seconds, MB of memory at most, threads at its end."""

    result: dict
    code: int
    seconds: float
    megabytes: float
    threads: int


def template(folder: Path) -> World:
    """A home in which one run of kitchen was recorded, an event and a span; `copied` gives each test its own."""
    made = World(folder)
    for one in (made.home, made.work, folder / "tmp"):
        one.mkdir()
    made.on()
    made.run("kitchen", "create", "debian")
    return made


def copied(recorded: World, folder: Path) -> World:
    """A world that holds what another one has recorded."""
    shutil.copytree(recorded.root, folder / "world")
    return World(folder / "world")


@contextmanager
def senders() -> Iterator[Drain]:
    """Gives a function that sends what waits in a world by the installed program's own `main`, in a process of its own, watched."""
    with subprocess.Popen(
        [str(BIN / "python"), "-c", FORKING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def drained(world: World, endpoint: str, protocol: str = "http/protobuf", **more: str) -> Drained:
            environment = world.environment(OTEL_BRIDGE_ENDPOINT=endpoint, OTEL_BRIDGE_PROTOCOL=protocol, **more)
            files = {name: str(world.root / name) for name in ("out", "err")}
            words = ["drain", *PRODUCT, "--json"]
            assert process.stdin is not None and process.stdout is not None
            began = time.monotonic()
            process.stdin.write(json.dumps({"environment": environment, "words": words, "work": str(world.work), **files}) + "\n")
            process.stdin.flush()
            code = int(process.stdout.readline())
            seconds = time.monotonic() - began
            (said,) = Path(files["err"]).read_text().splitlines()  # and nothing else on standard error
            memory, threads = said.split()
            return Drained(json.loads(Path(files["out"]).read_text()), code, seconds, int(memory) / 1024, int(threads))

        yield drained
        assert process.stdin is not None
        process.stdin.close()


def names(items: list[spool.Item]) -> list[str]:
    """What tells records apart: the uid of an event, the id of a span."""
    return sorted(uid(item) if item.signal == "logs" else item.body["spanId"] for item in items)


def arrived(collector: Running, waiting: list[str]) -> bool:
    """Whether all that waited is in a collector's files, once, within 20 seconds."""
    until = time.monotonic() + 20
    while True:
        found = names([*in_file(collector, "logs"), *in_file(collector, "traces")])
        if [one for one in found if one in waiting] == waiting:
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.05)


def openssl(*words: str, folder: Path) -> None:
    """Run openssl; without it the test is skipped, but never in CI."""
    if not shutil.which("openssl"):
        assert not os.environ.get("CI"), "openssl is missing; `make system-deps` installs it on Debian"
        pytest.skip("openssl is missing; `make system-deps` installs it on Debian")
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@dataclass(frozen=True)
class Authority:
    """A private authority, and the folder of what it has signed."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.pem"

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        folder.mkdir(parents=True, exist_ok=True)
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key")
        usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
        openssl("req", "-x509", *key, "-days", "2", "-subj", "/CN=private authority", *usage, "-out", "ca.pem", folder=folder)
        return cls(folder)

    def issue(self, name: str, subject: str = "IP:127.0.0.1,IP:::1,DNS:localhost", expired: bool = False) -> tuple[Path, Path]:
        """A certificate for these hosts and its key, as two files."""
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key")
        openssl("req", *key, "-subj", f"/CN={name}", "-out", f"{name}.csr", folder=self.folder)
        lines = (
            "basicConstraints=CA:FALSE",
            f"subjectAltName={subject}",
            "authorityKeyIdentifier=keyid",
            "subjectKeyIdentifier=hash",
        )
        (self.folder / f"{name}.ext").write_text("\n".join(lines) + "\n")
        signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", f"{name}.ext")
        days = "-1" if expired else "2"  # it ended the day before it began
        openssl("x509", "-req", "-in", f"{name}.csr", *signing, "-days", days, "-out", f"{name}.pem", folder=self.folder)
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"


class Host:
    """A socket that listens: how often it was called, and what it was told first each time."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.heard: list[bytes] = []


@contextmanager
def listening(serve: Callable[[socket.socket, bytes], None], context: ssl.SSLContext | None = None) -> Iterator[Host]:
    """A server that reads a whole request, as far as one of HTTP/1.1 came, and then does as `serve` has it, over TLS with a context."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = Host(f"127.0.0.1:{server.getsockname()[1]}")
        server.settimeout(0.05)
        over = threading.Event()

        def answer(connection: socket.socket) -> None:
            with connection:
                connection.settimeout(10)
                try:
                    speaking = context.wrap_socket(connection, server_side=True) if context else connection
                    with speaking:
                        host.heard.append(request_of(speaking))
                        serve(speaking, host.heard[-1])
                except OSError:  # the sender has gone
                    pass

        threads = []

        def accept() -> None:
            while not over.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                threads.append(threading.Thread(target=answer, args=(connection,)))
                threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield host
        finally:
            over.set()
            for thread in (acceptor, *threads):
                thread.join()


def request_of(connection: socket.socket) -> bytes:
    """A request of HTTP/1.1 with its body, or whatever came first of anything else."""
    found = b""
    while more := connection.recv(65536):
        found += more
        head, empty, body = found.partition(b"\r\n\r\n")
        if not head.startswith((b"POST ", b"CONNECT ")):
            break
        length = int(
            next((line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), b"0")
        )
        if empty and len(body) >= length:
            break
    return found


@contextmanager
def secured(folder: Path, certificate: tuple[Path, Path], clients: Path | None = None) -> Iterator[Running]:
    """A real collector over TLS, which asks for a certificate of an authority of `clients`; `grpc` in its folder is that endpoint."""
    config = folder / "config"
    shutil.copytree(ROOT / "collector-config", config)
    tls = {"cert_file": str(certificate[0]), "key_file": str(certificate[1])}
    tls |= {"client_ca_file": str(clients)} if clients else {}
    spoken = {kind: {"tls": tls} for kind in ("http", "grpc")}
    (config / "overlays/none.yaml").write_text(json.dumps({"receivers": {"otlp": {"protocols": spoken}}}))
    port = free_port()
    told = {
        "OTEL_BRIDGE_COLLECTOR_CONFIG": str(config),
        "OTEL_BRIDGE_GRPC_ENDPOINT": f"127.0.0.1:{port}",
        "OTEL_BRIDGE_LOG_LEVEL": "warn",
        "OTEL_BRIDGE_SINK": "file",
    }
    with running(folder, told) as started:
        (folder / "grpc").write_text(f"https://127.0.0.1:{port}")
        yield replace(started, endpoint=started.endpoint.replace("http://", "https://"))
