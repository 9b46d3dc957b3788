"""A real collector behind TLS with a private authority, with and without certificates of its clients, and on IPv6: events arrive."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import BIN, World
from network import PROTOCOLS, Authority, Drain, arrived, names, openssl, secured, senders

from otel_bridge.collector.process import Running, free_port, running
from otel_bridge.errors import SettingsError
from otel_bridge.export import certificates


@pytest.fixture(scope="module")
def drained() -> Iterator[Drain]:
    with senders() as found:
        yield found


@pytest.fixture
def recorded(world: World) -> World:
    """A run of its own for each test: its records have ids that no other has sent."""
    world.on()
    world.run("kitchen", "create", "debian")
    return world


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def client(authority: Authority) -> tuple[Path, Path]:
    return authority.issue("client", "DNS:client.invalid")


@pytest.fixture(scope="module")
def collectors(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """One that says who it is, and one that asks its clients too; by kind, each with its endpoint for gRPC in `grpc`."""
    folder = tmp_path_factory.mktemp("collectors")
    certificate = authority.issue("server")
    with ExitStack() as stack:
        yield {
            kind: stack.enter_context(secured(folder / kind, certificate, authority.certificate if kind == "mutual" else None))
            for kind in ("tls", "mutual")
        }


def endpoint(collector: Running, protocol: str) -> str:
    return collector.endpoint if protocol != "grpc" else (collector.files.parent / "grpc").read_text()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_events_arrive_at_a_collector_of_a_private_authority(
    drained: Drain, recorded: World, authority: Authority, collectors: dict[str, Running], protocol: str
) -> None:
    """OTEL_BRIDGE_CA_FILE names the authority; both records are in the collector's files."""
    waiting = names(recorded.waiting())
    where = endpoint(collectors["tls"], protocol)
    told = drained(recorded, where, protocol, OTEL_BRIDGE_CA_FILE=str(authority.certificate))
    assert told.result == {"sent": 2, "kept": 0, "quarantined": 0, "lost": {}, "error": ""}
    assert arrived(collectors["tls"], waiting)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("form", ["two files", "one file"])
def test_events_arrive_at_a_collector_that_asks_who_we_are(
    drained: Drain,
    recorded: World,
    authority: Authority,
    client: tuple[Path, Path],
    collectors: dict[str, Running],
    protocol: str,
    form: str,
    tmp_path: Path,
) -> None:
    """Certificate and key of ours, in a file each or in one."""
    waiting = names(recorded.waiting())
    both = tmp_path / "both.pem"
    both.write_bytes(b"".join(file.read_bytes() for file in client))
    told = {"OTEL_BRIDGE_CLIENT_CERT_FILE": str(client[0]), "OTEL_BRIDGE_CLIENT_KEY_FILE": str(client[1])}
    if form == "one file":
        told = {"OTEL_BRIDGE_CLIENT_CERT_FILE": str(both)}
    where = endpoint(collectors["mutual"], protocol)
    result = drained(recorded, where, protocol, OTEL_BRIDGE_CA_FILE=str(authority.certificate), **told).result
    assert result == {"sent": 2, "kept": 0, "quarantined": 0, "lost": {}, "error": ""}
    assert arrived(collectors["mutual"], waiting)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ["none", "of a stranger"])
def test_a_client_that_is_not_known_is_refused_and_keeps_everything(
    drained: Drain, recorded: World, authority: Authority, collectors: dict[str, Running], protocol: str, kind: str, tmp_path: Path
) -> None:
    """No certificate, or one of another authority: a reason, and both records stay."""
    told = {"OTEL_BRIDGE_CA_FILE": str(authority.certificate)}
    if kind == "of a stranger":
        files = Authority.make(tmp_path / "stranger").issue("stranger")
        told |= {"OTEL_BRIDGE_CLIENT_CERT_FILE": str(files[0]), "OTEL_BRIDGE_CLIENT_KEY_FILE": str(files[1])}
    where = endpoint(collectors["mutual"], protocol)
    result = drained(recorded, where, protocol, OTEL_BRIDGE_TIMEOUT="5", **told).result
    error = result.pop("error")
    assert result == {"sent": 0, "kept": 2, "quarantined": 0, "lost": {}}
    why = {"none": "TLS: tlsv13 alert certificate required", "of a stranger": "TLS: tlsv1 alert unknown ca"}[kind]
    usual = {f"{where}: no answer ({one})" for one in (why, "connection closed", "TLS: broken off")}  # as the reset finds us
    assert error in ({f"{where}: no answer (UNAVAILABLE)"} if protocol == "grpc" else usual)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_events_arrive_over_ipv6(drained: Drain, recorded: World, tmp_path: Path, protocol: str) -> None:
    """[::1] in an endpoint."""
    if not has_ipv6():
        pytest.skip("this machine has no ::1")
    port = free_port()
    told = {"OTEL_BRIDGE_LOG_LEVEL": "warn", "OTEL_BRIDGE_SINK": "file"}
    told["OTEL_BRIDGE_GRPC_ENDPOINT" if protocol == "grpc" else "OTEL_BRIDGE_HTTP_ENDPOINT"] = f"[::1]:{port}"
    waiting = names(recorded.waiting())
    with running(tmp_path / "collector", told) as collector:
        result = drained(recorded, f"http://[::1]:{port}", protocol).result
    assert result == {"sent": 2, "kept": 0, "quarantined": 0, "lost": {}, "error": ""}
    assert arrived(collector, waiting)


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def files(authority: Authority, client: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Files to name, good and bad."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "garbage.pem").write_text("no certificate\n")
    locked = folder / "locked.key"
    openssl("pkey", "-in", str(client[1]), "-aes256", "-passout", "pass:secret", "-out", str(locked), folder=folder)
    return {
        "ca": str(authority.certificate),
        "cert": str(client[0]),
        "key": str(client[1]),
        "other key": str(authority.folder / "ca.key"),
        "garbage": str(folder / "garbage.pem"),
        "folder": str(folder),
        "missing": str(folder / "missing.pem"),
        "locked": str(locked),
    }


NO_PAIR = "holds no certificate with its key, in PEM and without a passphrase"
WRONG = {
    "an authority that is not there": (
        ("missing", "", ""),
        "OTEL_BRIDGE_CA_FILE: {missing} cannot be read: No such file or directory",
    ),
    "an authority that is none": (("garbage", "", ""), "OTEL_BRIDGE_CA_FILE: {garbage} holds no certificates in PEM"),
    "a key alone": (
        ("ca", "", "key"),
        "OTEL_BRIDGE_CLIENT_KEY_FILE: a key without a certificate; set OTEL_BRIDGE_CLIENT_CERT_FILE too",
    ),
    "no such certificate": (
        ("ca", "missing", "key"),
        "OTEL_BRIDGE_CLIENT_CERT_FILE: {missing} cannot be read: No such file or directory",
    ),
    "no such key": (("ca", "cert", "missing"), "OTEL_BRIDGE_CLIENT_KEY_FILE: {missing} cannot be read: No such file or directory"),
    "a folder": (("ca", "folder", "key"), "OTEL_BRIDGE_CLIENT_CERT_FILE: {folder} cannot be read: Is a directory"),
    "a certificate without its key": (("ca", "cert", ""), f"OTEL_BRIDGE_CLIENT_CERT_FILE: {{cert}} {NO_PAIR}"),
    "another's key": (("ca", "cert", "other key"), f"OTEL_BRIDGE_CLIENT_CERT_FILE: {{cert}} {NO_PAIR}"),
    "a certificate that is none": (("ca", "garbage", "key"), f"OTEL_BRIDGE_CLIENT_CERT_FILE: {{garbage}} {NO_PAIR}"),
    "a key with a passphrase": (("ca", "cert", "locked"), f"OTEL_BRIDGE_CLIENT_CERT_FILE: {{cert}} {NO_PAIR}"),
}
NAMES = ("OTEL_BRIDGE_CA_FILE", "OTEL_BRIDGE_CLIENT_CERT_FILE", "OTEL_BRIDGE_CLIENT_KEY_FILE")


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_one_line_that_names_its_variable(
    files: dict[str, str], case: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Over HTTP and gRPC alike, and nobody is asked for a passphrase."""
    chosen, text = WRONG[case]
    for name, file in zip(NAMES, chosen, strict=True):
        monkeypatch.setenv(name, files.get(file, ""))
    for made in (certificates.context, certificates.contents):
        with pytest.raises(SettingsError) as raised:
            made()
        assert str(raised.value) == text.format(**files)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_drain_says_that_line_and_keeps_everything(recorded: World, files: dict[str, str], protocol: str) -> None:
    """Exit code 1, one line, and both records stay, whatever the protocol."""
    told = {
        "OTEL_BRIDGE_PROTOCOL": protocol,
        "OTEL_BRIDGE_CA_FILE": files["garbage"],
        "OTEL_BRIDGE_ENDPOINT": "https://127.0.0.1:1",
    }
    done = recorded.run(str(BIN / "otel-bridge"), "drain", "--product", "kitchen", ok=False, **told)
    assert (done.returncode, done.stderr) == (1, f"OTEL_BRIDGE_CA_FILE: {files['garbage']} holds no certificates in PEM\n")
    assert len(recorded.waiting()) == 2
