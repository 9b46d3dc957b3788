"""A long-lived program on the OTel SDK: its records are on disk when its exporter returns, and it is left as it was."""

import json
import time

import pytest
from conftest import BIN, ROOT, World, attributes
from test_otlp import answering

from otel_bridge.export import backoff
from otel_bridge.testing import FakeClock

PROGRAM = """
import os, signal, sys, threading
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from otel_bridge.export.exporters import PrivacyLogExporter, PrivacySpanExporter

logs, traces = LoggerProvider(shutdown_on_exit=False), TracerProvider(shutdown_on_exit=False)
logs.add_log_record_processor(SimpleLogRecordProcessor(PrivacyLogExporter(product="shop")))
traces.add_span_processor(SimpleSpanProcessor(PrivacySpanExporter(product="shop")))

def order(items):
    logs.get_logger("shop").emit(event_name="shop.order", attributes={"shop.items": items, "shop.customer": "PLANTED"})

"""


def shop(world: World, program: str, ok: bool | None = True, **more: str) -> str:
    environment = {"SHOP_TELEMETRY": "on", "PYTHONPATH": str(ROOT / "examples/shop"), **more}
    return world.run(str(BIN / "python"), "-c", PROGRAM + program, ok=ok, **environment).stdout


def test_what_was_exported_survives_the_process(world: World) -> None:
    """Killed right after: the event and the span are in the spool, as declared, and a sender takes them."""
    program = "order(2)\ntraces.get_tracer('shop').start_span('shop.price', attributes={'shop.items': 2}).end()\n"
    shop(world, program + "os.kill(os.getpid(), signal.SIGKILL)", ok=None)
    found = [(item.body.get("eventName") or item.body["name"], attributes(item)["shop.items"]) for item in world.waiting("shop")]
    assert found == [("shop.order", 3), ("shop.price", 3)]  # the upper bounds of their buckets
    assert b"PLANTED" not in world.bytes_in(".local")
    with answering(200, {}, b"") as server:
        more = {"OTEL_BRIDGE_ENDPOINT": server.endpoint, "SHOP_TELEMETRY": "on"}
        result = world.json("otel-bridge", "drain", "--product", "shop", "--json", **more)
    assert (result["sent"], result["error"]) == (2, "")


def test_a_fork_goes_on_recording(world: World) -> None:
    """A server that forks its workers after it has exported: every worker's records are there, once."""
    program = """
order(2)
for _ in range(4):
    if not os.fork():
        order(2)
        order(2)
        os._exit(0)
for _ in range(4):
    os.wait()
order(2)
"""
    shop(world, program)
    found = [attributes(item)["log.record.uid"] for item in world.waiting("shop")]
    assert len(found) == len(set(found)) == 10


def test_nothing_of_ours_is_left_in_the_program(world: World) -> None:
    """No thread, no open file, and after shutdown no child that has ended: the senders are waited for when the next one starts."""
    program = """
import time
def state():
    return threading.active_count(), sorted(os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")[:-1])
before = state()
for _ in range(3):
    order(2)
    time.sleep(1.5)
children = open(f"/proc/self/task/{os.getpid()}/children").read().split()
print([state()[0] == before[0], len(state()[1]) == len(before[1]), len(children)])
"""
    with answering(200, {}, b"") as server:
        more = {"OTEL_BRIDGE_DETACH": "1", "OTEL_BRIDGE_DRAIN_EVERY": "0", "OTEL_BRIDGE_ENDPOINT": server.endpoint}
        told = shop(world, program, **more)
        for _ in range(200):
            if not world.waiting("shop"):
                break
            time.sleep(0.1)
        assert sum(body.count(b"shop.order") > 0 for _, _, body in server.requests) >= 1
    threads, files, children = json.loads(told.lower())
    assert (threads, files) == (True, True)
    assert children <= 1
    assert world.waiting("shop") == []


@pytest.mark.parametrize("every", ["0", "3600"])
def test_a_program_asks_for_a_sender_as_a_run_does(world: World, monkeypatch: pytest.MonkeyPatch, every: str) -> None:
    """Whatever the last sender has left behind: `backoff.due` and `instrument.due` give the same answer."""
    from otel_bridge import instrument

    monkeypatch.setenv("OTEL_BRIDGE_DRAIN_EVERY", every)
    instrument.environ[b"OTEL_BRIDGE_DRAIN_EVERY"] = every.encode()
    try:
        with FakeClock() as clock:
            seconds = clock.nanoseconds // 10**9
            for last in (0, seconds - 4000, seconds - 100, seconds + 100):
                for until in (0, seconds - 1, seconds + 100, seconds + 200_000):
                    for closed in ("", "this", "other"):
                        told = f"last = {last}\nnot_before = {until}\nclosed = {closed}\n"
                        (world.root / "drain").write_text(told)
                        assert backoff.due(world.root, "this") is instrument.due(str(world.root), "this"), told
    finally:
        del instrument.environ[b"OTEL_BRIDGE_DRAIN_EVERY"]
