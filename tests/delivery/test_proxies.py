"""A real proxy with a password between a sender and a real collector: events arrive through it, or the reason is told."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import World
from network import PROTOCOLS, Authority, Drain, arrived, names, secured, senders

from otel_bridge.collector.process import Running, free_port, running

HERE, USER, PASSWORD = "127.0.0.1", "someone", "pass-word"
QUOTED = "%70ass-word"


@dataclass(frozen=True)
class Proxy:
    """A tinyproxy at work, and its log."""

    port: int
    log: Path

    def url(self, password: str = QUOTED) -> str:
        return f"http://{USER}:{password}@{HERE}:{self.port}"

    def asked(self) -> list[str]:
        """What it was asked for, as it says it itself."""
        text = self.log.read_text() if self.log.exists() else ""
        return [line.split("): ", 1)[1] for line in text.splitlines() if "Request (file" in line]


@pytest.fixture(scope="module")
def drained() -> Iterator[Drain]:
    with senders() as found:
        yield found


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    program = found("tinyproxy")
    folder = tmp_path_factory.mktemp("proxy")
    made = Proxy(free_port(), folder / "log")
    lines = [f"Port {made.port}", f"Listen {HERE}", f"Allow {HERE}", "Timeout 20", f'LogFile "{made.log}"', "LogLevel Info"]
    (folder / "conf").write_text("\n".join([*lines, f"BasicAuth {USER} {PASSWORD}", ""]))
    process = subprocess.Popen([program, "-d", "-c", str(folder / "conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 20
        while not made.log.exists() or "Accepting connections" not in made.log.read_text():
            assert process.poll() is None and time.monotonic() < until, made.log.read_text() if made.log.exists() else ""
            time.sleep(0.05)
        yield made
    finally:
        process.terminate()
        process.wait()


def found(program: str) -> str:
    """Where a program is; without it the tests are skipped, but never in CI."""
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    if not path:
        assert not os.environ.get("CI"), f"{program} is missing; `make system-deps` installs it on Debian"
        pytest.skip(f"{program} is missing; `make system-deps` installs it on Debian")
    return path


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def collectors(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """One in the clear and one over TLS, by scheme."""
    folder = tmp_path_factory.mktemp("collectors")
    address = f"{HERE}:{free_port()}"
    plain = {"OTEL_BRIDGE_LOG_LEVEL": "warn", "OTEL_BRIDGE_SINK": "file", "OTEL_BRIDGE_GRPC_ENDPOINT": address}
    with ExitStack() as stack:
        made = {
            "http": stack.enter_context(running(folder / "http", plain)),
            "https": stack.enter_context(secured(folder / "https", authority.issue("server"))),
        }
        (folder / "http/grpc").write_text(f"http://{address}")
        yield made


@pytest.fixture
def recorded(world: World) -> World:
    world.on()
    world.run("kitchen", "create", "debian")
    return world


def endpoint(collector: Running, protocol: str) -> str:
    return collector.endpoint if protocol != "grpc" else (collector.files.parent / "grpc").read_text()


TAKEN = {"sent": 2, "kept": 0, "quarantined": 0, "lost": {}, "error": ""}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_events_arrive_through_the_proxy(
    drained: Drain, recorded: World, proxy: Proxy, authority: Authority, collectors: dict[str, Running], scheme: str, protocol: str
) -> None:
    """In the clear as requests that it passes on, over TLS and gRPC through a tunnel that it opens."""
    where = endpoint(collectors[scheme], protocol)
    waiting, before = names(recorded.waiting()), len(proxy.asked())
    variable = {"http": "http_proxy", "https": "HTTPS_PROXY"}[scheme]  # lower and upper case, over gRPC too
    told = drained(recorded, where, protocol, **{variable: proxy.url(), "OTEL_BRIDGE_CA_FILE": str(authority.certificate)})
    assert told.result == TAKEN
    assert arrived(collectors[scheme], waiting)
    host = where.partition("://")[2]
    tunnel = scheme == "https" or protocol == "grpc"
    asked = proxy.asked()[before:]
    assert [one.rpartition(" ")[0] for one in asked] == (
        [f"CONNECT {host}"] * len(asked) if tunnel else [f"POST {where}/v1/{signal}" for signal in ("logs", "traces")]
    )
    assert asked


@pytest.mark.parametrize(
    ("scheme", "protocol", "password"),
    [
        *((scheme, protocol, "wrong") for scheme in ("http", "https") for protocol in ("http/protobuf", "grpc")),
        ("http", "http/protobuf", ""),
        ("https", "grpc", ""),
    ],
)
def test_a_wrong_password_is_told_and_keeps_everything(
    drained: Drain,
    recorded: World,
    proxy: Proxy,
    authority: Authority,
    collectors: dict[str, Running],
    scheme: str,
    protocol: str,
    password: str,
) -> None:
    """The proxy is named; where it passes a request on in the clear, nobody can say which of the two has answered."""
    where = endpoint(collectors[scheme], protocol)
    url = proxy.url(password) if password else proxy.url().replace(f"{USER}:{QUOTED}@", "")
    told = drained(recorded, where, protocol, **{f"{scheme}_proxy": url, "OTEL_BRIDGE_CA_FILE": str(authority.certificate)})
    code = 401 if password else 407  # tinyproxy's way; others say 407 to both
    who = "the server or the proxy" if password and (scheme, protocol) == ("http", "http/protobuf") else "the proxy"
    error = f"{where}: {who} answered {code}"
    assert told.result == {"sent": 0, "kept": 2, "quarantined": 0, "lost": {}, "error": error}
    status = recorded.json("otel-bridge", "status", "--product", "kitchen", "--json")
    assert status["error"] == error


@pytest.mark.parametrize(
    ("protocol", "names_it"),
    [*((protocol, HERE) for protocol in PROTOCOLS), ("http/protobuf", "localhost,127.0.0.0/8"), ("grpc", "*")],
)
def test_no_proxy_passes_it_by(
    drained: Drain, recorded: World, proxy: Proxy, collectors: dict[str, Running], protocol: str, names_it: str
) -> None:
    """NO_PROXY names the collector's host: the proxy is not asked, over gRPC either."""
    waiting, before = names(recorded.waiting()), len(proxy.asked())
    told = drained(
        recorded,
        endpoint(collectors["http"], protocol),
        protocol,
        HTTP_PROXY=proxy.url("wrong"),
        http_proxy=proxy.url("wrong"),
        NO_PROXY=names_it,
    )
    assert told.result == TAKEN
    assert arrived(collectors["http"], waiting)
    assert len(proxy.asked()) == before


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_proxy_that_is_not_there_keeps_everything(drained: Drain, recorded: World, protocol: str) -> None:
    """A refused connection to the proxy is no answer."""
    told = drained(recorded, "http://127.0.0.1:4318", protocol, http_proxy=f"http://{HERE}:1", OTEL_BRIDGE_TIMEOUT="3")
    assert told.result["error"] == "http://127.0.0.1:4318: no answer (connection refused)"
    assert told.result["kept"] == 2


def test_grpc_says_which_proxies_it_cannot_take(drained: Drain, recorded: World) -> None:
    """One line, and what to set instead."""
    told = drained(recorded, "http://127.0.0.1:4318", "grpc", http_proxy=f"https://{HERE}:1")
    error = "the proxy for this endpoint is not http://, as gRPC needs it; set OTEL_BRIDGE_PROTOCOL=http/protobuf"
    assert told.result == {"sent": 0, "kept": 2, "quarantined": 0, "lost": {}, "error": error}
