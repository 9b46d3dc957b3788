"""What a stranger may post to the intake: it lives, answers with the right code, keeps to its memory, and stores nothing planted."""

import gzip
import json
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from ledger import Splunk, attribute, post, record, request, splunk, stored, until

from otel_bridge.collector.process import Running, running
from otel_bridge.export import spool

LIMIT_MIB = 512  # of the container in docker-compose.yml; the collector is told 75 % of it
MARK = "pl4nt3d"
NUMBERS = count(1)


@pytest.fixture(scope="module")
def hec() -> Iterator[Splunk]:
    with splunk() as started:
        yield started


@pytest.fixture(scope="module")
def intake(tmp_path_factory: pytest.TempPathFactory, hec: Splunk) -> Iterator[Running]:
    """Two sinks, and the memory of the container; what every attack must have left of it is checked at the end."""
    told = {"OTEL_BRIDGE_SINK": "file", "OTEL_BRIDGE_SINK_2": "splunk", "OTEL_BRIDGE_LOG_LEVEL": "error"}
    told |= {"OTEL_BRIDGE_MEMORY_MIB": str(LIMIT_MIB * 3 // 4), **hec.variables}
    with running(tmp_path_factory.mktemp("intake"), told) as started:
        yield started


def status(intake: Running, name: str) -> int:
    """A number of the process, in MiB: VmRSS now, VmHWM at most."""
    text = Path(f"/proc/{intake.process.pid}/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", text)[1]) // 1024


def works(intake: Running, hec: Splunk) -> None:
    """An honest record still goes through to both sinks, and the memory has kept to its limit."""
    number = next(NUMBERS)
    honest = record(number)
    assert post(intake, request([honest])) == 200
    name = honest["attributes"][0]["value"]["stringValue"]
    assert name.encode() in stored(intake)
    until(lambda: name in hec.seen())
    assert hec.seen()[name] == 1
    assert status(intake, "VmHWM") < LIMIT_MIB


def test_an_oversized_body_is_refused(intake: Running, hec: Splunk) -> None:
    """More than OTEL_BRIDGE_MAX_BODY_BYTES: 400, plain or compressed."""
    body = request([record(next(NUMBERS), padding=MARK * 50_000)])
    assert [post(intake, body), post(intake, gzip.compress(body), Content_Encoding="gzip")] == [400, 400]
    works(intake, hec)


def test_a_gzip_bomb_is_refused_where_its_limit_is(intake: Running, hec: Splunk) -> None:
    """200 MB of zeros in 194 kB: 400, and not unpacked; a compression that nobody needs: 400."""
    before = status(intake, "VmHWM")
    bomb = gzip.compress(bytes(200_000_000), 1)
    assert post(intake, bomb, Content_Encoding="gzip") == 400
    assert [post(intake, b"x", Content_Encoding=name) for name in ("zstd", "deflate", "snappy", "br")] == [400] * 4
    assert status(intake, "VmHWM") - before < 100
    works(intake, hec)


def test_170_000_tiny_records_are_refused_and_87_000_leave_nothing(intake: Running, hec: Splunk) -> None:
    """As many `{}` as fit a body, 16 requests at once: 200 or 503, nothing stored, the process alive below its limit."""
    tiny = [b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + b",".join([b"{}"] * many) + b"]}]}]}" for many in (170_000, 87_000)]
    packed = [gzip.compress(one) for one in tiny]
    assert len(packed[0]) < 2_000
    assert [post(intake, tiny[0]), post(intake, packed[0], Content_Encoding="gzip")] == [400, 400]
    before = stored(intake)
    with ThreadPoolExecutor(16) as pool:
        answers = set(pool.map(lambda _: post(intake, packed[1], Content_Encoding="gzip"), range(32)))
    assert answers <= {200, 503}
    assert stored(intake) == before
    until(lambda: post(intake, request([record(next(NUMBERS))])) == 200)  # until it has put the memory away
    works(intake, hec)


@pytest.mark.parametrize("place", ["body", "attribute", "resource"])
def test_nesting_costs_nothing(intake: Running, hec: Splunk, place: str) -> None:
    """9,000 arrays in one another, the most that a body of JSON holds, in any place that holds a value: 200, the record without them, in little memory."""
    deep = '{"arrayValue":{"values":[' * 9_000 + "{}" + "]}}" * 9_000
    number = next(NUMBERS)
    one = record(number)
    holder = {"body": one, "attribute": one["attributes"], "resource": one}[place]
    resource = {"a.b": "@deep@"} if place == "resource" else {}
    if place == "body":
        holder["body"] = "@deep@"
    if place == "attribute":
        holder.append({"key": "a.b", "value": "@deep@"})
    text = request([one], resource).decode().replace('{"stringValue": "@deep@"}', '"@deep@"').replace('"@deep@"', deep)
    assert post(intake, text.encode()) == 200
    works(intake, hec)
    assert f"{number:08x}-0000".encode() in stored(intake)
    assert max(map(len, stored(intake).splitlines())) < 100_000
    assert b'"arrayValue":{"values":[{"arrayValue"' not in stored(intake)


def test_nesting_of_20_000_costs_nothing(intake: Running, hec: Splunk) -> None:
    """Protobuf nests that deep within the limit of a body, and so do brackets of JSON: refused, or taken without; it lives."""
    value = b""
    for _ in range(20_000):
        value = framed(5, framed(1, value))  # AnyValue.array_value, ArrayValue.values
    body = framed(1, framed(2, framed(2, framed(5, value))))  # resource_logs, scope_logs, log_records, body
    assert len(body) < 262_144
    assert post(intake, body, Content_Type="application/x-protobuf") in (200, 400)
    assert post(intake, b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}") in (200, 400)
    works(intake, hec)


def framed(number: int, content: bytes) -> bytes:
    """A field of protobuf that holds bytes."""
    size, length = b"", len(content)
    while length > 127:
        size, length = size + bytes([length % 128 + 128]), length // 128
    return bytes([number * 8 + 2]) + size + bytes([length]) + content


def test_who_sends_slowly_is_hung_up_on(intake: Running, hec: Splunk) -> None:
    """200 headers and 200 bodies that never end: all hung up on in the end, and meanwhile honest records are taken."""
    host, _, port = intake.endpoint.removeprefix("http://").partition(":")
    begun = f"POST /v1/logs HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n".encode()
    open_ones = [(socket.create_connection((host, int(port))), more) for more in (b"", b"Content-Length: 9999\r\n\r\n{") * 200]
    for one, more in open_ones:
        one.sendall(begun + more)
    works(intake, hec)
    for one, _ in open_ones:
        one.settimeout(60)  # read_timeout is 15 s
        answer = one.recv(1000)
        assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 408"))
        one.close()
    works(intake, hec)


def test_nobody_chooses_where_an_event_goes(intake: Running, hec: Splunk) -> None:
    """`com.splunk.*`, `kafka.topic` and our own names for it, on resource, scope and record: index, source and token are ours."""
    names = ["com.splunk.index", "com.splunk.source", "com.splunk.sourcetype", "com.splunk.hec.access_token", "host.name"]
    names += [
        "otel_bridge.hec.index",
        "otel_bridge.hec.source",
        "otel_bridge.hec.sourcetype",
        "otel_bridge.hec.host",
        "kafka.topic",
    ]
    one = record(next(NUMBERS), **dict.fromkeys(names, MARK))
    document = json.loads(request([one], dict.fromkeys(names, MARK)))
    document["resourceLogs"][0]["scopeLogs"][0]["scope"]["attributes"] = [attribute(name, MARK) for name in names]
    assert post(intake, json.dumps(document).encode(), **{"X-Splunk-Request-Channel": MARK, "Authorization": MARK}) == 200
    works(intake, hec)
    event = hec.events[-2]
    where = {name: event.get(name) for name in ("host", "source", "sourcetype", "index")}
    assert where == {"host": "unknown", "source": "otel-bridge", "sourcetype": "otel:bridge:event", "index": "product_telemetry"}
    assert {headers["Authorization"] for headers in hec.headers} == {"Splunk a-token"}
    assert MARK not in json.dumps([hec.events, hec.headers])
    assert MARK.encode() not in stored(intake)


def test_a_forged_opt_out_or_version_stores_nothing(intake: Running, hec: Splunk) -> None:
    """An event that says it was opted out is dropped; a version that is none is absent, and without `service.version` the event."""
    before = stored(intake)
    for value in (True, False, "no", 0):
        assert post(intake, request([record(next(NUMBERS), **{"otel_bridge.opt_out": value})])) == 200
    for version in ("1.2.3-" + MARK, "1.2.3; rm -rf /", "9" * 400, "", " 1.2.3", "1.2.3\n"):
        assert post(intake, request([record(next(NUMBERS))], {"service.version": version})) == 200
    assert stored(intake) == before
    one = record(next(NUMBERS), **{"kitchen.driver.version": f"1.0+{MARK}", "schema_url": MARK})
    document = json.loads(request([one], {"telemetry.sdk.version": MARK, "process.runtime.version": f"3.11-{MARK}"}))
    document["resourceLogs"][0]["schemaUrl"] = f"https://example.org/{MARK}"
    document["resourceLogs"][0]["scopeLogs"][0]["scope"]["version"] = f"1.2.3-{MARK}"
    assert post(intake, json.dumps(document).encode()) == 200
    works(intake, hec)
    assert len(stored(intake)) > len(before)
    assert MARK.encode() not in stored(intake)


INJECTED = [
    f"=cmd|' /C {MARK}'!A0",
    f'@SUM(1+1)*{MARK}","x',
    f'" | delete index=* | eval x="{MARK}',
    f"[search index=* | outputlookup {MARK}]",
    f"\x00\x1b[31m{MARK}\x7f",
    f'vagrant\n{{"resourceLogs":[{{"{MARK}":1}}]}}',
    f"vagrant\r\n\u2028\u202e{MARK}",
    f"<script>{MARK}</script>",
    f"vagrant{MARK}",
]


def test_no_value_that_a_reader_would_run_is_stored(intake: Running, hec: Splunk) -> None:
    """Formulas, SPL, control characters, markup and a whole second document as values, names and keys: nothing of them stays."""
    before = len(stored(intake))
    for text in INJECTED:
        fields = {"kitchen.driver.name": text, "otel_bridge.command": text, "session.id": text, "undeclared": text, text: "x"}
        assert post(intake, request([record(next(NUMBERS), **fields)], {"os.type": text, "host.arch": text})) == 200
        assert post(intake, request([record(next(NUMBERS), event=text)])) == 200
        assert post(intake, request([record(next(NUMBERS))], {"service.name": text})) == 200
    works(intake, hec)
    assert len(stored(intake)) > before
    held = [stored(intake), json.dumps(hec.events).encode()]
    assert [one for one in held if MARK.encode() in one or b"\x1b" in one or b"\\u0000" in one] == []


def test_another_content_type_method_or_path_is_refused(intake: Running, hec: Splunk) -> None:
    """415, 405 and 404; a body that is no OTLP: 400, or 500 where its complaint cannot be written as UTF-8."""
    honest = request([record(next(NUMBERS))])
    before = stored(intake)
    assert [post(intake, honest, Content_Type=name) for name in ("text/plain", "application/xml", "x")] == [415] * 3
    for path, method, expected in (("/v1/logs", "GET", 405), ("/v1/metrics", "POST", 404), ("/", "POST", 404)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(intake.endpoint + path, honest, method=method), timeout=20)
        refused.value.close()
        assert refused.value.code == expected
    assert [post(intake, body) for body in (b"{", b'{"resourceLogs":7}', b"\xff\xfe")] == [400, 400, 500]
    assert stored(intake) == before
    works(intake, hec)


def test_the_reader_survives_everything_that_was_stored(intake: Running, hec: Splunk) -> None:
    """After all of the above: every line is one whole document, of declared attributes alone, and the process is the first one."""
    works(intake, hec)
    declared = {"log.record.uid", "kitchen.driver.name", "otel_bridge.command", "session.id"}
    for file in intake.files.iterdir():
        items, torn = spool.read(file, file.stem)
        assert torn == 0
        assert {entry["key"] for item in items for entry in item.body["attributes"]} <= declared
        assert [line for line in file.read_text().splitlines() if not isinstance(json.loads(line), dict)] == []
    assert intake.process.poll() is None
    assert intake.log.read_text() == ""
