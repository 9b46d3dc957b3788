"""Each answer of a server, one by one: what becomes of the records, when the next sender may come, what `status` says."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from unittest.mock import ANY

import pytest
from conftest import ROOT, World, lines_of
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from test_otlp import Server, answering

from otel_bridge.export import spool
from otel_bridge.export.backoff import DAY, FIRST, LONG, MOST, pause
from otel_bridge.export.prepare import plain

DRAIN = ("otel-bridge", "drain", "--product", "kitchen", "--json")
STATUS = ("otel-bridge", "status", "--product", "kitchen", "--json")


@pytest.fixture
def recorded(world: World) -> World:
    world.on()
    world.run("kitchen", "create", "debian")
    return world


def waits(world: World) -> float:
    """Seconds that the last sender asked for."""
    told = dict(line.split(" = ", 1) for line in (world.state / "kitchen/drain").read_text().splitlines())
    return int(told["not_before"]) - int(told["last"])


@pytest.mark.parametrize(
    ("status", "headers", "least", "most"),
    [
        (301, {"Location": "http://127.0.0.1:1/"}, LONG / 2, LONG * 1.5),
        (400, {}, LONG / 2, LONG * 1.5),
        (401, {}, LONG / 2, LONG * 1.5),
        (403, {}, LONG / 2, LONG * 1.5),
        (404, {}, LONG / 2, LONG * 1.5),
        (413, {}, LONG / 2, LONG * 1.5),
        (429, {"Retry-After": "7200"}, 7199, 7201),
        (429, {"Retry-After": "soon"}, FIRST / 2, FIRST * 1.5),
        (429, {"Retry-After": "\xb2"}, FIRST / 2, FIRST * 1.5),
        (500, {}, LONG / 2, LONG * 1.5),
        (502, {}, FIRST / 2, FIRST * 1.5),
        (503, {"Retry-After": "in 5000"}, 4800, 5001),
        (503, {"Retry-After": "99999999"}, DAY - 1, DAY + 1),
        (504, {}, FIRST / 2, FIRST * 1.5),
    ],
)
def test_a_refusal_keeps_everything_and_waits(
    recorded: World, status: int, headers: dict[str, str], least: float, most: float
) -> None:
    """No record is lost, and the next sender waits as long as the answer deserves."""
    if headers.get("Retry-After") == "in 5000":  # as a date, which is told from now on
        headers = {"Retry-After": formatdate(time.time() + 5000, usegmt=True)}
    with answering(status, headers, b"") as server:
        result = recorded.json(*DRAIN, ok=False, OTEL_BRIDGE_ENDPOINT=server.endpoint)
    assert (result["sent"], result["kept"], result["lost"]) == (0, 2, {})
    assert f"the server answered {status}" in recorded.json(*STATUS)["error"]
    assert least - 90 <= waits(recorded) <= most + 1
    assert len(recorded.waiting()) == 2


def test_a_server_that_never_answers_keeps_everything(recorded: World) -> None:
    """It accepts the connection and says nothing: after ten seconds the records are back, and the next sender backs off."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        result = recorded.json(*DRAIN, ok=False, OTEL_BRIDGE_ENDPOINT=endpoint)
    assert (result["sent"], result["kept"], result["lost"]) == (0, 2, {})
    assert "no answer (ReadTimeout)" in recorded.json(*STATUS)["error"]
    assert FIRST / 2 - 1 <= waits(recorded) <= FIRST * 1.5 + 1


def test_gone_means_gone(recorded: World) -> None:
    """After 410 no sender starts until the declaration changes; the records stay."""
    with answering(410, {}, b"") as server:
        recorded.json(*DRAIN, ok=False, OTEL_BRIDGE_ENDPOINT=server.endpoint)
        recorded.run("kitchen", "list", OTEL_BRIDGE_ENDPOINT=server.endpoint, OTEL_BRIDGE_DETACH="1", OTEL_BRIDGE_DRAIN_EVERY="0")
        time.sleep(1)
        assert len(server.requests) == 1
    digest = re.search(r'DIGEST = "(.*)"', (ROOT / "examples/kitchen/kitchen/_telemetry.py").read_text())
    assert digest is not None
    assert f"closed = {digest[1]}" in (recorded.state / "kitchen/drain").read_text()
    assert len(recorded.waiting()) == 3


@contextmanager
def one_refused(world: World) -> Iterator[tuple[Server, str]]:
    """40 events wait, and a server takes all but one of them; gives the server and the line of that one."""
    world.on()
    world.run("kitchen", "create", "debian")
    file = world.state / "kitchen/spool/logs.jsonl"
    lines = lines_of(file.read_text(), 40)
    file.write_text("".join(lines))
    poison = lines[17]

    def answer(path: str, body: bytes) -> int:
        request = ExportLogsServiceRequest()
        try:
            request.ParseFromString(body)
        except DecodeError:
            return 200
        return 400 if uid_in(json.loads(poison)).encode() in body else 200

    with answering(200, {}, b"", decide=answer) as server:
        yield server, poison


def test_one_poison_record_is_kept_aside_and_the_rest_arrives(world: World) -> None:
    """A server that refuses one record gets all others; the one is in quarantine, counted, and not sent again."""
    with one_refused(world) as (server, poison):
        result = world.json(*DRAIN, OTEL_BRIDGE_ENDPOINT=server.endpoint)
        again = world.json(*DRAIN, OTEL_BRIDGE_ENDPOINT=server.endpoint)
    assert b"telemetry.dropped" in server.requests[-1][2]
    assert result == {"sent": 40, "kept": 0, "quarantined": 1, "lost": {"refused": 1}, "error": ""}
    assert (again["sent"], again["quarantined"]) == (0, 0)
    assert world.json(*STATUS)["lost"] == {"refused": 1}
    lost = world.json("otel-bridge", "lost", "--product", "kitchen", "--json")
    (aside,) = lost["aside"]
    assert (aside["status"], aside["answer"]) == (400, "the server answered 400")
    assert uid_in(aside) == uid_in(json.loads(poison))
    assert lost["reasons"] == {"refused": {"lost": 1, "told": 1, "last": ANY}}
    assert "aside: kitchen.create" in world.run("otel-bridge", "lost", "--product", "kitchen").stdout


def test_a_failure_on_this_machine_backs_off_too(world: World) -> None:
    """The record that is refused cannot be kept aside: it stays, the line says why, and the next sender waits."""
    with one_refused(world) as (server, poison):
        (world.state / "kitchen/quarantine").write_text("in the way")
        result = world.json(*DRAIN, ok=False, OTEL_BRIDGE_ENDPOINT=server.endpoint)
    assert "quarantine" in result["error"]
    assert poison in [item.line + "\n" for item in world.waiting()]
    assert waits(world) > 0


def uid_in(document: dict) -> str:
    """The uid of the one record in a document."""
    (record,) = document["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    return plain(record["attributes"])["log.record.uid"]


def test_a_server_that_refuses_everything_is_asked_a_bounded_number_of_times(world: World) -> None:
    """400 to whatever it gets: no record is blamed, all stay, and the requests are few."""
    world.on()
    world.run("kitchen", "create", "debian")
    file = world.state / "kitchen/spool/logs.jsonl"
    file.write_text("".join(lines_of(file.read_text(), 300)))
    with answering(400, {}, b"") as server:
        result = world.json(*DRAIN, ok=False, OTEL_BRIDGE_ENDPOINT=server.endpoint)
    assert (result["kept"], result["quarantined"], result["lost"]) == (301, 0, {})
    assert len(server.requests) < 25
    assert len(spool.waiting(world.state / "kitchen")["logs"]) == 300


def test_the_pause_doubles_and_is_bounded() -> None:
    """From 30 s to an hour for what passes by itself, about six hours for what somebody has to mend, never below Retry-After."""
    for failures in range(1, 40):
        base = min(FIRST * 2 ** (failures - 1), MOST)
        assert base * 0.5 <= pause(failures, 503, 0) <= base * 1.5
        assert LONG * 0.5 <= pause(failures, 403, 0) <= LONG * 1.5
    assert pause(1, None, 600) == 600
    assert pause(1, 503, 10 * DAY) == DAY


def test_the_page_names_each_answer() -> None:
    """docs/delivery.md has a row for every status that is tried here."""
    page = (ROOT / "docs/delivery.md").read_text()
    for status in (200, 301, 400, 401, 403, 404, 410, 413, 429, 500, 502, 503, 504):
        assert re.search(rf"\| .*\b{status}\b", page), status
