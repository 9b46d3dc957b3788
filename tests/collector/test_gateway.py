"""An intake that the internet can reach: who has no key, or an old one, is not let in, and it takes less than others."""

import gzip
import json
import os
import signal
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import grpc
import pytest
from ledger import certificate, post, record, request, stored, until
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub

from otel_bridge.collector.process import Running, free_port, running

CHOSEN = tuple(f"OTEL_BRIDGE_{name}=" for name in ("HTTP_ENDPOINT", "HEALTH_ENDPOINT", "METRICS_PORT"))
FIRST, SECOND = "0123456789abcdef-first", "0123456789abcdef-second"
NUMBERS = count(1)
Found = tuple[Running, Path, dict[str, str]]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """An intake for the internet, with the file of its keys and its certificate."""
    folder = tmp_path_factory.mktemp("gateway")
    keys, tls = folder / "keys", certificate(folder)
    keys.write_text(f"- {FIRST}\n")
    told = {"OTEL_BRIDGE_OVERLAY": "gateway", "OTEL_BRIDGE_INGEST_TOKEN_FILE": str(keys), **tls}
    with running(folder / "intake", {**told, "OTEL_BRIDGE_GRPC_ENDPOINT": f"0.0.0.0:{free_port()}"}) as started:
        yield started, keys, tls


def hidden(started: Running) -> int:
    """The port at which it takes gRPC: the one that it was not told; another after each SIGHUP."""
    environ = Path(f"/proc/{started.process.pid}/environ").read_text().split("\0")
    told = {int(line.rpartition(":")[2].rpartition("=")[2]) for line in environ if line.startswith(CHOSEN)}
    (port,) = {port for _, port in listening(started)} - told
    return port


def listening(started: Running) -> set[tuple[str, int]]:
    """Where its process listens: the address as the kernel writes it, and the port."""
    links = []
    for file in Path(f"/proc/{started.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # a connection that has been closed meanwhile
            links.append(os.readlink(file))
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    places = [row[1].split(":") for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in links]
    return {(address, int(port, 16)) for address, port in places}


def secure(found: Found, body: bytes, **headers: str) -> int:
    """The status over TLS; 0 when there was no answer."""
    running_, _, tls = found
    context = ssl.create_default_context(cafile=tls["OTEL_BRIDGE_TLS_CERT"])
    told = {"Content-Type": "application/json", **headers}
    url = running_.endpoint.replace("http://", "https://") + "/v1/logs"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, told), timeout=20, context=context) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as problem:
        with problem:
            return problem.code
    except OSError:
        return 0


def called(found: Found, key: str | None) -> str:
    """The answer over gRPC, at the port that the kernel chose, to a request with this Authorization."""
    tls = found[2]
    trusted = grpc.ssl_channel_credentials(Path(tls["OTEL_BRIDGE_TLS_CERT"]).read_bytes())
    with grpc.secure_channel(f"127.0.0.1:{hidden(found[0])}", trusted) as channel:
        try:
            sent = [] if key is None else [("authorization", key)]
            LogsServiceStub(channel).Export(ExportLogsServiceRequest(), metadata=sent, timeout=20, wait_for_ready=True)
        except grpc.RpcError as problem:
            return str(problem.code().name)
    return "OK"


def test_without_a_key_nobody_is_let_in(gateway: Found) -> None:
    """No key, an empty one, half of one, another scheme: 401 over HTTP, UNAUTHENTICATED over gRPC, whose values keep their blanks."""
    body = request([record(next(NUMBERS))])
    wrong = ["", "Bearer", "Bearer ", "Bearer  ", f"Bearer {FIRST[:-1]}", f"Basic {FIRST}", FIRST, f"Bearer {SECOND}"]
    assert secure(gateway, body) == 401
    assert [secure(gateway, body, Authorization=value) for value in wrong] == [401] * len(wrong)
    assert [called(gateway, value) for value in (None, *wrong)] == ["UNAUTHENTICATED"] * (len(wrong) + 1)
    assert post(gateway[0], body) in (0, 400)  # without TLS
    assert stored(gateway[0]) == b""


def test_over_grpc_nobody_from_outside_is_heard(gateway: Found) -> None:
    """gRPC unpacks a message before it asks for the key: told to listen to everybody, it stays on the loopback, on another port."""
    assert {address for address, _ in listening(gateway[0])} == {"0100007F"}


def test_a_gateway_takes_less_than_an_intake_on_the_loopback(gateway: Found) -> None:
    """70 kB and anything compressed: 400, even with the key."""
    key = {"Authorization": f"Bearer {FIRST}"}
    large = request([record(next(NUMBERS), padding="x" * 70_000)])
    packed = gzip.compress(request([record(next(NUMBERS))]))
    assert [secure(gateway, large, **key), secure(gateway, packed, **key, **{"Content-Encoding": "gzip"})] == [400, 400]


def test_a_stolen_key_is_worth_nothing_after_it_was_rotated(gateway: Found) -> None:
    """Both keys while clients move, then the new one alone: the old is refused, and nothing acknowledged was lost at SIGHUP."""
    started, keys, _ = gateway
    bodies = [request([record(next(NUMBERS))]) for _ in range(3)]
    old, new = {"Authorization": f"Bearer {FIRST}"}, {"Authorization": f"Bearer {SECOND}"}
    assert [secure(gateway, bodies[0], **old), secure(gateway, bodies[0], **new)] == [200, 401]
    keys.write_text(f"- {FIRST}\n- {SECOND}  # since today\n")
    started.process.send_signal(signal.SIGHUP)
    until(lambda: secure(gateway, bodies[1], **new) == 200)
    assert secure(gateway, bodies[1], **old) == 200
    keys.write_text(f"- {SECOND}\n")
    started.process.send_signal(signal.SIGHUP)
    until(lambda: secure(gateway, bodies[2], **old) == 401)
    assert [secure(gateway, bodies[2], **old), called(gateway, f"Bearer {FIRST}")] == [401, "UNAUTHENTICATED"]
    assert [secure(gateway, bodies[2], **new), called(gateway, f"Bearer {SECOND}")] == [200, "OK"]
    held = stored(started)
    for body in bodies:
        uid = json.loads(body)["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["attributes"][0]["value"]["stringValue"]
        assert uid.encode() in held
