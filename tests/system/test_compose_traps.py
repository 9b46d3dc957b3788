"""What goes wrong in deployments, on a real engine: each trap is seen by the health check or by an exit, none by a lost event."""

import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import engine
import numbered
import pytest
from collectors import eventually
from conftest import ROOT
from engine import Deployment

from otel_bridge.collector.process import Peer

OWNER = 10001
ELSEWHERE = (
    "services: {{collector: {{volumes: !override ['./collector-config:/etc/otel-bridge:ro', './secrets:/run/secrets:ro', '{0}']}}}}"
)


@pytest.fixture(scope="module")
def docker() -> Iterator[Mapping[str, str]]:
    with engine.engine_with_image() as told:
        yield told


@pytest.fixture
def deployed(docker: Mapping[str, str], tmp_path: Path) -> Iterator[Deployment]:
    with engine.deployment(docker, tmp_path / "deployment") as made:
        yield made


def refused(deployed: Deployment, said: str, **more: str) -> None:
    """`up --wait` fails, and the collector's log says why."""
    done = deployed.compose("up", "--detach", "--wait", "--wait-timeout", "40", ok=None, **more)
    assert done.returncode != 0
    assert said in deployed.log()


def unhealthy(deployed: Deployment, said: str) -> None:
    """The container runs, but the health check says what is wrong."""
    done = deployed.compose("up", "--detach", "--wait", "--wait-timeout", "60", ok=None)
    health = deployed.inspected()["State"]["Health"]
    assert (done.returncode != 0, health["Status"]) == (True, "unhealthy")
    assert said in health["Log"][-1]["Output"]


def folder_of(owner: int, folder: Path) -> Path:
    """A data folder for a bind mount, with what is in it."""
    for one in (folder, folder / "out", folder / "queue"):
        one.mkdir()
        os.chown(one, owner, owner)
    return folder


def test_a_folder_of_roots_mounted_in_the_volumes_place_is_refused(deployed: Deployment, tmp_path: Path) -> None:
    """A bind mount that belongs to root: the collector exits, its log says `permission denied`; with the owner changed it serves."""
    (tmp_path / "data").mkdir()
    deployed.override = ELSEWHERE.format(f"{tmp_path / 'data'}:/data")
    refused(deployed, "mkdir /data/queue: permission denied")
    os.chown(tmp_path / "data", OWNER, OWNER)
    deployed.up()
    sent = Counter(numbered.Poster(deployed.endpoint).send(50))
    assert numbered.in_files((tmp_path / "data/out").glob("logs*.jsonl")) == sent


def test_an_archive_that_cannot_be_written_is_unhealthy_and_acknowledges_nothing(deployed: Deployment, tmp_path: Path) -> None:
    """Only `out` belongs to root: the collector itself says 200 to a health request and 503 to every record; the check says so."""
    data = folder_of(OWNER, tmp_path / "data")
    os.chown(data / "out", 0, 0)
    (data / "out").chmod(0o755)
    deployed.override = ELSEWHERE.format(f"{data}:/data")
    unhealthy(deployed, "/data/out/.healthcheck: permission denied")
    assert numbered.status(deployed.endpoint, numbered.request(0, 1)) == 503
    os.chown(data / "out", OWNER, OWNER)
    deployed.healthy()
    assert numbered.status(deployed.endpoint, numbered.request(0, 1)) == 200


@pytest.mark.parametrize(("option", "serves"), [("", False), (",uid=10001,gid=10001", True)])
def test_a_tmpfs_in_the_volumes_place_needs_its_owner(deployed: Deployment, option: str, serves: bool) -> None:
    """`--tmpfs /data` belongs to root unless `uid=10001` says otherwise."""
    deployed.override = f"services: {{collector: {{tmpfs: ['/data:mode=0750{option}'], volumes: !override ['./collector-config:/etc/otel-bridge:ro', './secrets:/run/secrets:ro']}}}}"
    if serves:
        deployed.up()
        assert numbered.status(deployed.endpoint, numbered.request(0, 1)) == 200
    else:
        refused(deployed, "permission denied")


def test_an_intake_that_listens_on_the_containers_own_loopback_is_unhealthy(deployed: Deployment) -> None:
    """OTEL_BRIDGE_HTTP_ENDPOINT left at 127.0.0.1 inside: no published port reaches it, and the health check says so."""
    deployed.override = "services: {collector: {environment: {OTEL_BRIDGE_HTTP_ENDPOINT: '127.0.0.1:4318'}}}"
    unhealthy(deployed, "nothing listens on port 4318 for others than this container")
    with pytest.raises(OSError, match=r"reset|closed|refused|pipe"):
        numbered.post(deployed.endpoint, numbered.request(0, 1))


def test_a_configuration_that_only_its_owner_may_read_is_refused(deployed: Deployment, tmp_path: Path) -> None:
    """A checkout made with umask 077: the collector cannot read its files and exits; the image's own copy serves."""
    closed = tmp_path / "collector-config"
    shutil.copytree(ROOT / "collector-config", closed)
    closed.chmod(0o700)
    deployed.override = f"services: {{collector: {{volumes: !override ['{closed}:/etc/otel-bridge:ro', './secrets:/run/secrets:ro', 'data:/data']}}}}"
    refused(deployed, "permission denied")
    deployed.override = "services: {collector: {volumes: !override ['./secrets:/run/secrets:ro', 'data:/data']}}"
    deployed.up()
    assert numbered.status(deployed.endpoint, numbered.request(0, 1)) == 200


@pytest.mark.parametrize(("sink", "said"), [("none", "no exporter configuration"), ("splonk", "sinks/splonk.yaml: no such file")])
def test_no_sink_and_an_unknown_sink_are_refused(deployed: Deployment, sink: str, said: str) -> None:
    """`none` alone, or a name that is no sink: the collector does not start, its log and `validate` say why."""
    refused(deployed, said, OTEL_BRIDGE_SINK=sink)
    assert said in deployed.compose("run", "--rm", "validate", ok=False, OTEL_BRIDGE_SINK=sink).stderr
    assert deployed.compose("run", "--rm", "validate", OTEL_BRIDGE_SINK="file").returncode == 0


def test_a_killed_collector_is_started_again_with_its_archive(deployed: Deployment) -> None:
    """kill -9 of the process: the engine starts it again, and everything acknowledged before and after is there."""
    deployed.up()
    poster = numbered.Poster(deployed.endpoint)
    poster.send(100)
    os.kill(deployed.inspected()["State"]["Pid"], 9)
    poster.send(100)
    assert deployed.inspected()["RestartCount"] == 1
    assert set(numbered.in_files(deployed.files().glob("logs*.jsonl"))) == poster.acknowledged == set(range(200))


def test_a_key_in_a_file_is_used_and_stands_in_no_environment(deployed: Deployment, tmp_path: Path) -> None:
    """OTEL_BRIDGE_SECRETS names a file of the folder, readable by the collector's user alone: Splunk's peer takes that key."""
    key, secrets = "11111111-2222-3333-4444-555555555555", tmp_path / "secrets"
    secrets.mkdir()
    file = secrets / "sinks.yaml"
    file.write_text('exporters: {splunk_hec: {endpoint: "${env:OTEL_BRIDGE_SPLUNK_URL}", token: "%s"}}\n' % key)
    file.chmod(0o400)
    for one in (file, secrets):
        os.chown(one, OWNER, OWNER)
    secrets.chmod(0o700)
    deployed.up("hec-peer", OTEL_BRIDGE_SPLUNK_TOKEN=key, COMPOSE_PROFILES="hec-peer")
    told = {"OTEL_BRIDGE_SINK": "splunk", "OTEL_BRIDGE_SECRETS": "sinks.yaml", "OTEL_BRIDGE_SECRETS_DIR": str(secrets)}
    deployed.up("collector", **told)
    sent = Counter(numbered.Poster(deployed.endpoint).send(50))

    def at_peer() -> Counter[int]:
        events = Peer({}, deployed.files("hec-peer") / "hec-peer.jsonl").events()
        return Counter(numbered.number(event["log.record.uid"]) for event in events)

    assert eventually(at_peer, set(sent)) == sent
    assert key not in deployed.docker("inspect", deployed.container())


def test_another_image_needs_our_health_check_and_a_volume_that_ours_made(deployed: Deployment, tmp_path: Path) -> None:
    """An image that holds a collector and nothing else, as the official one does: as docker-compose.yml says, it serves."""
    plain, other = tmp_path / "image", f"{engine.IMAGE}-plain"
    plain.mkdir()
    shutil.copy(ROOT / ".cache/otelcol-bridge", plain / "otelcol-contrib")
    (plain / "Dockerfile").write_text('FROM scratch\nCOPY otelcol-contrib /\nUSER 10001:10001\nENTRYPOINT ["/otelcol-contrib"]\n')
    deployed.docker("build", "--quiet", "--tag", other, str(plain))
    try:
        named = {"OTEL_BRIDGE_COLLECTOR_IMAGE": other, "OTEL_BRIDGE_COLLECTOR_PROGRAM": "/otelcol-contrib"}
        refused(deployed, "permission denied", **named)
        deployed.compose("down", "--volumes")
        deployed.docker("run", "--rm", "--volume", f"{deployed.project}_data:/data", engine.IMAGE, "--version")
        deployed.override = "services: {collector: {volumes: ['./.cache/healthcheck:/healthcheck:ro']}}"
        deployed.up(**named)
        assert numbered.status(deployed.endpoint, numbered.request(0, 1)) == 200
        assert deployed.compose("run", "--rm", "validate", **named).returncode == 0
    finally:
        deployed.compose("down", "--volumes")
        deployed.docker("image", "rm", "--force", other)


def test_stopping_waits_for_what_is_under_way(deployed: Deployment) -> None:
    """A request is half sent when `stop` comes: it is taken to its end, answered 200 and kept, with all that was before; status 0,
    before the grace of 30 s is over."""
    deployed.up()
    poster = numbered.Poster(deployed.endpoint)
    poster.send(100)
    body, address = numbered.request(100, 50), urlsplit(deployed.endpoint)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=60) as half:
        head = f"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        half.sendall(head.encode() + body[:1000])
        stopping = threading.Thread(target=deployed.compose, args=("stop",))
        begun = time.monotonic()
        stopping.start()
        until = time.monotonic() + 20
        while "Starting shutdown" not in deployed.log() and time.monotonic() < until:
            time.sleep(0.1)
        assert "Starting shutdown" in deployed.log()
        half.sendall(body[1000:])
        answer = half.makefile("rb").readline()
        stopping.join()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert time.monotonic() - begun < 30
    assert deployed.inspected()["State"]["ExitCode"] == 0
    assert numbered.in_files(deployed.files().glob("logs*.jsonl")) == Counter(range(150))


def test_a_gateway_takes_keys_and_certificate_from_the_folder(
    deployed: Deployment, tmp_path: Path, needs: Callable[[str], str]
) -> None:
    """TLS and two keys one after the other: the new one is known after `kill -s HUP`, the old one no longer; in the clear nothing."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    names = ["-keyout", str(secrets / "tls.key"), "-out", str(secrets / "tls.crt"), "-subj", "/CN=intake"]
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run([needs("openssl"), *words, *names, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    (secrets / "none.yaml").write_text("{}")
    keys = secrets / "otel_bridge_ingest_token"
    keys.write_text("- the-first-key\n")
    for file in (secrets, *secrets.iterdir()):
        os.chown(file, OWNER, OWNER)
    trusted = ssl.create_default_context(cafile=str(secrets / "tls.crt"))

    def answered(key: str) -> int:
        url, headers = deployed.endpoint.replace("http:", "https:"), {"Content-Type": "application/json"}
        told = {**headers, "Authorization": f"Bearer {key}"}
        try:
            request = urllib.request.Request(f"{url}/v1/logs", numbered.request(0, 1), told)
            with urllib.request.urlopen(request, timeout=20, context=trusted) as answer:
                return answer.status
        except urllib.error.HTTPError as answer:
            return answer.code
        except OSError:
            return 0

    deployed.up(OTEL_BRIDGE_OVERLAY="gateway", OTEL_BRIDGE_SECRETS_DIR=str(secrets))
    assert [answered(key) for key in ("the-first-key", "the-second-key", "")] == [200, 401, 401]
    assert numbered.status(deployed.endpoint, numbered.request(0, 1)) == 400  # HTTP to an HTTPS server
    keys.write_text("- the-second-key\n")
    deployed.compose("kill", "--signal", "HUP", "collector", OTEL_BRIDGE_OVERLAY="gateway", OTEL_BRIDGE_SECRETS_DIR=str(secrets))
    until = time.monotonic() + 30
    while answered("the-second-key") != 200 and time.monotonic() < until:
        time.sleep(0.2)
    assert [answered(key) for key in ("the-first-key", "the-second-key", "")] == [401, 200, 401]
    assert deployed.inspected()["RestartCount"] == 0
