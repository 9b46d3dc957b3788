"""A program that has the OTel SDK already: what its own instrumentation says, and what of it reaches its authors."""

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from conftest import BIN, ROOT, World, attributes, in_file

from otel_bridge.collector.process import Running, free_port

MARK = "Ada-mRk3rQ7x"


@contextmanager
def serving(world: World, **more: str) -> Iterator[Callable[..., tuple[int, dict]]]:
    """The shop in a process of its own; gives what asks it: (path, document) -> (status, answer)."""
    port = free_port()
    words = [str(BIN / "python"), "-m", "uvicorn", "shop.app:app", "--app-dir", str(ROOT / "examples/shop"), "--port", str(port)]
    log = world.root / "shop.log"
    with log.open("wb") as file:
        process = subprocess.Popen(words, cwd=world.work, env=world.environment(**more), stdout=file, stderr=file)

    def ask(path: str, document: dict | None = None) -> tuple[int, dict]:
        data = json.dumps(document).encode() if document is not None else None
        try:
            with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", data), timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as answer:
            return answer.code, json.load(answer)

    try:
        for _ in range(600):
            try:
                ask("/")
                break
            except urllib.error.URLError:
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
        yield ask
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in (0, -signal.SIGTERM), log.read_text()
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        process.kill()
        process.wait()


def visit(ask: Callable[..., tuple[int, dict]]) -> None:
    """Two orders, a look at one that is not there, and a path that nobody serves."""
    assert ask("/orders", {"customer": MARK, "items": ["tea", "milk"], "payment": "card"}) == (200, {"price": 19.0})
    assert ask("/orders", {"customer": MARK, "items": ["tea"] * 50, "payment": f"cheque of {MARK}"}) == (200, {"price": 475.0})
    assert ask(f"/orders/{MARK}?token={MARK}")[0] == 404
    assert ask(f"/{MARK}")[0] == 404


def test_only_declared_events_and_spans_arrive(world: World, collector: Running) -> None:
    """A FastAPI service with its upstream instrumentation, through our processors and exporters to the genuine collector."""
    with serving(world, SHOP_TELEMETRY="on", OTEL_BRIDGE_ENDPOINT=collector.endpoint) as ask:
        visit(ask)
    world.run("otel-bridge", "drain", "--product", "shop", OTEL_BRIDGE_ENDPOINT=collector.endpoint, SHOP_TELEMETRY="on")
    logs, spans = in_file(collector, "logs"), in_file(collector, "traces")
    told = [{k: v for k, v in attributes(item).items() if not k.startswith(("log.", "otel_bridge."))} for item in logs]
    assert [item.body["eventName"] for item in logs] == ["shop.order", "shop.order"]
    assert told == [{"shop.items": 3, "shop.payment": "card"}, {"shop.items": 100, "shop.payment": "__other__"}]

    found = sorted((item.body["name"], item.body["kind"], json.dumps(attributes(item), sort_keys=True)) for item in spans)
    post = {"http.request.method": "POST", "http.response.status_code": 200, "http.route": "/orders"}
    get = {"http.request.method": "GET", "http.response.status_code": 404}
    wanted = [("shop.price", 1, {"shop.items": 3}), ("shop.price", 1, {"shop.items": 100})]
    wanted += [("shop.request", 2, post), ("shop.request", 2, post), ("shop.request", 2, {**get, "http.route": "/orders/{number}"})]
    wanted += [("shop.request", 2, get)] * 2  # no route: the readiness probe, and the path that nobody serves
    assert found == sorted((name, kind, json.dumps(told, sort_keys=True)) for name, kind, told in wanted)

    by_id = {item.body["spanId"]: item for item in spans}
    for item in spans:
        if item.body["name"] == "shop.price":  # and their places in the trace are kept
            above = by_id[item.body["parentSpanId"]]
            assert (above.body["name"], above.body["traceId"]) == ("shop.request", item.body["traceId"])
    for item in (*logs, *spans):
        resource = {one["key"]: one["value"]["stringValue"] for one in item.resource["attributes"]}
        assert resource == {"service.name": "shop", "service.version": "1.4.0"}
    written = b"".join(file.read_bytes() for file in collector.files.iterdir())
    assert MARK.encode() not in written
    assert b"mRk3rQ7x" not in written


@pytest.mark.parametrize(
    "more", [{}, {"SHOP_TELEMETRY": "off"}, {"SHOP_TELEMETRY": "on", "DO_NOT_TRACK": "1"}, {"SHOP_TELEMETRY": "local"}]
)
def test_without_consent_nothing_leaves(world: World, collector: Running, more: dict[str, str]) -> None:
    """Undecided, off, local or DO_NOT_TRACK: the service answers the same, and the collector gets nothing."""
    with serving(world, OTEL_BRIDGE_ENDPOINT=collector.endpoint, **more) as ask:
        visit(ask)
    assert b"".join(file.read_bytes() for file in collector.files.iterdir()) == b""


def test_an_intake_that_is_gone_changes_no_answer(world: World) -> None:
    """Nobody listens: the service answers as ever and ends in time."""
    with serving(world, SHOP_TELEMETRY="on", OTEL_BRIDGE_ENDPOINT="http://127.0.0.1:1") as ask:
        visit(ask)


PROGRAM = f"""
import os
from opentelemetry import trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.sdk._configuration import _OTelSDKConfigurator
_OTelSDKConfigurator().configure()
with trace.get_tracer("shop").start_as_current_span("shop.price") as span:
    span.set_attributes({{"shop.items": 2, "shop.customer": {MARK!r}}})
with trace.get_tracer("shop").start_as_current_span({MARK!r}):
    pass
logger = get_logger_provider().get_logger({MARK!r})
logger.emit(event_name="shop.order", body={MARK!r}, attributes={{"shop.items": 2, "shop.customer": {MARK!r}}})
logger.emit(event_name={MARK!r})
trace.get_tracer_provider().shutdown()
get_logger_provider().shutdown()
"""
DECLARATIVE = """\
file_format: "1.0"
resource: {attributes: [{name: service.name, value: %(mark)s}]}
tracer_provider: {processors: [{batch: {exporter: {otel_bridge: {product: shop, endpoint: "%(endpoint)s"}}}}]}
logger_provider: {processors: [{batch: {exporter: {otel_bridge: {product: shop, endpoint: "%(endpoint)s"}}}}]}
"""


@pytest.mark.parametrize("way", ["environment", "file"])
def test_the_configuration_of_the_sdk_can_name_us(world: World, collector: Running, way: str) -> None:
    """`OTEL_LOGS_EXPORTER=otel_bridge`, or `otel_bridge: {product: shop}` in the file that OTEL_CONFIG_FILE names."""
    (world.work / "otel.yaml").write_text(DECLARATIVE % {"mark": MARK, "endpoint": collector.endpoint})
    more = {"OTEL_CONFIG_FILE": "otel.yaml"}
    if way == "environment":
        more = {"OTEL_LOGS_EXPORTER": "otel_bridge", "OTEL_TRACES_EXPORTER": "otel_bridge", "OTEL_METRICS_EXPORTER": "none"}
        more |= {"OTEL_BRIDGE_PRODUCT": "shop", "OTEL_BRIDGE_ENDPOINT": collector.endpoint, "OTEL_SERVICE_NAME": MARK}
    environment = {"SHOP_TELEMETRY": "on", "PYTHONPATH": str(ROOT / "examples/shop"), **more}
    world.run(str(BIN / "python"), "-c", PROGRAM, **environment)
    if way == "environment":  # without an endpoint of its own an exporter keeps its records for a sender
        world.run("otel-bridge", "drain", "--product", "shop", **environment)
    assert [item.body["eventName"] for item in in_file(collector, "logs")] == ["shop.order"]
    assert [(item.body["name"], attributes(item)) for item in in_file(collector, "traces")] == [("shop.price", {"shop.items": 3})]
    assert MARK.encode() not in b"".join(file.read_bytes() for file in collector.files.iterdir())


def test_a_product_that_nobody_knows_is_said_once_and_sends_nothing(world: World, collector: Running) -> None:
    """A misspelt product: one line in the program's log, no exception, nothing sent."""
    more = {"OTEL_LOGS_EXPORTER": "otel_bridge", "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}
    done = world.run(
        str(BIN / "python"), "-c", PROGRAM, OTEL_BRIDGE_PRODUCT="shpo", OTEL_BRIDGE_ENDPOINT=collector.endpoint, **more
    )
    assert done.stderr.count("nothing will be told of shpo") == 1
    assert b"".join(file.read_bytes() for file in collector.files.iterdir()) == b""


def test_an_undeclared_attribute_is_absent_after_all_four(world: World, collector: Running) -> None:
    """Offered to the recorder, an SDK processor, an SDK exporter and, raw, to the collector: of four records none has it."""
    program = f"""
from time import time_ns
from types import SimpleNamespace
import kitchen._telemetry as declared
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from otel_bridge.consent import decide
from otel_bridge.export.drain import drain
from otel_bridge.export.exporters import PrivacyLogExporter
from otel_bridge.export.processors import Policy, PrivacyLogRecordProcessor
from otel_bridge.paths import state_dir
from otel_bridge.record import Run, record

endpoint = {collector.endpoint!r}
given = {{"kitchen.platform": "debian-12", "kitchen.secret": {MARK!r}}}
record(Run(declared, decide("kitchen"), state_dir("kitchen"), {{}}), "kitchen.destroy", given)
assert drain("kitchen").sent == 1
policy = Policy.of("kitchen")
stock = OTLPLogExporter(endpoint=endpoint + "/v1/logs")
for processor in (
    PrivacyLogRecordProcessor(policy, SimpleLogRecordProcessor(stock)),
    SimpleLogRecordProcessor(PrivacyLogExporter(policy)),
    SimpleLogRecordProcessor(stock),  # raw: what the collector gets has it
):
    provider = LoggerProvider(Resource({{"service.name": "kitchen", "service.version": "3.6.0"}}), shutdown_on_exit=False)
    provider.add_log_record_processor(processor)
    uid = {{"log.record.uid": "2f5ba7a2-66a5-4b6c-9d6b-1d1f6c3e9a11"}}
    provider.get_logger("kitchen").emit(event_name="kitchen.destroy", attributes={{**given, **uid}}, timestamp=time_ns())
assert drain("kitchen").sent == 1
"""
    world.run(str(BIN / "python"), "-c", program, KITCHEN_TELEMETRY="on", OTEL_BRIDGE_ENDPOINT=collector.endpoint)
    found = [attributes(item) for item in in_file(collector, "logs") if item.body["eventName"] == "kitchen.destroy"]
    assert [one["kitchen.platform"] for one in found] == ["debian-12"] * 4
    assert not [one for one in found if "kitchen.secret" in one]
    assert MARK.encode() not in b"".join(file.read_bytes() for file in collector.files.iterdir())
    assert MARK.encode() not in world.bytes_in(".local")
