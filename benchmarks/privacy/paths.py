"""The ways by which a value could leave: each takes one text, puts it wherever a host program can, and returns what came out."""

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from channels import EVENT, NONE, Sink, encoded, say
from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from raising import raised

from otel_bridge.consent import Decision
from otel_bridge.consent.identity import secret_of
from otel_bridge.export import otlp_json, spool
from otel_bridge.export.exporters import PrivacyLogExporter, PrivacySpanExporter
from otel_bridge.export.policy import Policy
from otel_bridge.export.prepare import prepare
from otel_bridge.export.processors import PrivacyLogRecordProcessor, PrivacySpanProcessor
from otel_bridge.privacy import clean
from otel_bridge.record import Run, record, record_span
from otel_bridge.schema import BUILTIN
from otel_bridge.schema.compile import Compiled, read

HERE = Path(__file__).parent
ON = Decision("on", "because", "benchmark")
OURS_ALONE = ("identifier",)  # the recorder fills these itself; no host program can
WORLD = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "LEAK_BENCHMARK_TELEMETRY", "DO_NOT_TRACK", "OTEL_SDK_DISABLED")


@dataclass
class Bench:
    """The benchmark's own product: its declaration as a run and as a sender has it, its folder, one honest record of each kind."""

    declared: ModuleType
    compiled: Compiled
    policy: Policy
    folder: str
    known: str  # the declaration's text: what stands in it is public
    honest: list[spool.Item]
    last: str | None = None  # the value whose records the spool holds


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """A product in a folder of its own, with everything that a person's environment says about telemetry out of the way."""
    kept = {name: os.environ.pop(name, None) for name in WORLD}
    os.environ.update(XDG_STATE_HOME=str(folder), XDG_CONFIG_HOME=str(folder), LEAK_BENCHMARK_TELEMETRY="on")
    module = _compiled(folder)
    declared = ModuleType("leak_benchmark._telemetry")
    declared.__file__ = str(module)
    exec(module.read_text(encoding="utf-8"), declared.__dict__)
    state = f"{folder}/otel-bridge/leak-benchmark"
    secret_of(state)  # without it there are no pseudonyms
    known = module.read_text() + "".join(file.read_text() for file in (HERE / "telemetry.yaml", BUILTIN))
    compiled = read(module)
    made = Bench(declared, compiled, Policy(compiled), state, known, [])
    try:
        made.honest += {item.signal: item for item in _recorded(made, "nothing private")}.values()
        assert {item.signal for item in made.honest} == set(spool.SIGNALS), "nothing is recorded here: `otel-bridge status`"
        yield made
    finally:
        for name, value in kept.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _compiled(folder: Path) -> Path:
    """The declaration, compiled as a product compiles its own."""
    (folder / "leak_benchmark").mkdir()
    for file in ("telemetry.yaml", "otel-bridge.toml", "plugins.txt"):
        shutil.copy(HERE / file, folder)
    words = [sys.executable, "-m", "otel_bridge.commands", "compile", str(folder / "telemetry.yaml")]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return folder / "leak_benchmark/_telemetry.py"


def shapes(value: str) -> list[object]:
    """A text as the values that it may be in: itself, bytes, members, nested, and the number that its digits are."""
    digits = re.sub(r"\D", "", value)[:30]
    return [
        value,
        value.encode(),
        [value, "red"],
        (value,),
        {value: {"nested": [value]}},
        [[value]],
        int(digits or 0),
        float(digits or 0),
    ]


def cleaned(bench: Bench, value: str) -> bytes:
    """The policies themselves: every declared key given every shape, undeclared keys, the text as a key, told by the person."""
    kept = []
    for specs in (bench.declared.EVENTS[EVENT], bench.declared.RESOURCE):
        open_to_hosts = tuple(spec for spec in specs if spec[2] not in OURS_ALONE)
        for at, shape in enumerate(shapes(value)):
            given = {spec[0]: shape for spec in open_to_hosts} | {value: shape, "undeclared": shape}
            kept.append(clean(open_to_hosts, given, bench.declared.NAMES, ((), (value, "target"))[at % 2], {})[0])
    return json.dumps(kept, ensure_ascii=False).encode()


def spooled(bench: Bench, value: str) -> bytes:
    """A run that records into a spool: event name, attributes, keys, lists, the parsed command, the version of its package."""
    run, bench.last = _begun(bench, value), value
    keys = [spec[0] for spec in bench.declared.EVENTS[EVENT]]
    for shape in (value, [value, "red"], {value: {"nested": [value]}}):
        record(run, EVENT, {**dict.fromkeys(keys, shape), value: shape, "exception.message": shape}, (value,))
    record(run, value, dict.fromkeys(keys, value))
    given = {spec[0]: value for spec in bench.declared.SPAN if spec[2] not in OURS_ALONE}
    run.parsed.update(given | {"otel_bridge.options": [value], value: value})
    run.told.add(value)
    record_span(run, 1_795_327_999_123_456_789, 1_234_567, True)
    return _written(bench)


def failed(bench: Bench, value: str) -> bytes:
    """A run that records a real exception, under every key."""
    run, bench.last, problem = _begun(bench, "1.0"), None, raised(value)
    keys = [spec[0] for spec in bench.declared.EVENTS[EVENT]]
    record(run, EVENT, {**dict.fromkeys(keys, problem), "exception": problem})
    return _written(bench)


def _begun(bench: Bench, version: str) -> Run:
    """A run with an empty spool."""
    for file in Path(bench.folder, "spool").glob("*.jsonl"):
        os.truncate(file, 0)
    Path(bench.folder, "lost").unlink(missing_ok=True)
    package = ModuleType("leak_benchmark")
    package.__version__ = version  # type: ignore[attr-defined]
    sys.modules["leak_benchmark"] = package
    return Run(bench.declared, ON, bench.folder, {})


def _written(bench: Bench) -> bytes:
    """Every byte below the product's folder, but for its secret."""
    files = [file for file in Path(bench.folder).rglob("*") if file.is_file() and file.name != "secret"]
    return b"".join(file.read_bytes() for file in sorted(files))


def _recorded(bench: Bench, value: str) -> list[spool.Item]:
    spooled(bench, value)
    return _waiting(bench)


def _waiting(bench: Bench) -> list[spool.Item]:
    return [item for items in spool.waiting(Path(bench.folder)).values() for item in items]


def sent(bench: Bench, value: str) -> bytes:
    """The bytes on the wire: what such a run recorded, and honest records into which somebody wrote the text, everywhere."""
    items = _waiting(bench) if bench.last == value else _recorded(bench, value)
    for item in bench.honest:
        for planted in ({"stringValue": value}, {"arrayValue": {"values": [{"stringValue": value}]}}):
            items.append(_planted(bench, item, value, planted))
    ready, _ = prepare(items, bench.compiled, ON)
    return b"".join(
        otlp_json.request(signal, [one for one in ready if one.signal == signal]).SerializeToString() for signal in spool.SIGNALS
    )


def _planted(bench: Bench, item: spool.Item, value: str, planted: dict[str, Any]) -> spool.Item:
    """A record of the spool with a text in every field of OTLP that can hold one."""
    attribute = {"key": value, "value": planted}
    body, own = copy.deepcopy(item.body), ("log.record.uid", "otel_bridge.sequence")
    specs = bench.compiled.events[EVENT] if item.signal == "logs" else bench.compiled.span
    body["attributes"] = [one for one in body["attributes"] if one["key"] in own]
    body["attributes"] += [{"key": spec[0], "value": planted} for spec in specs if spec[0] not in own] + [attribute]
    body.update(severityText=value, traceState=f"a={value}", status={"code": 2, "message": value}, schemaUrl=value)
    body["events"] = [{"timeUnixNano": "1", "name": value, "attributes": [attribute]}]
    body["links"] = [{"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1", "traceState": f"a={value}", "attributes": [attribute]}]
    if item.signal == "logs":
        body["body"] = planted
    resource = [{"key": spec[0], "value": planted} for spec in bench.compiled.resource if spec[2] not in OURS_ALONE]
    scope = {"name": value, "version": value, "attributes": [attribute], "schemaUrl": value}
    return spool.Item(item.signal, {"attributes": [*resource, attribute]}, scope, body, item.line)


def plain(bench: Bench, value: str) -> bytes:
    """The control: the OpenTelemetry SDK with nothing of ours in between."""
    logs, spans = InMemoryLogRecordExporter(), InMemorySpanExporter()
    _said(bench, value, SimpleLogRecordProcessor(logs, meter_provider=NONE), Sink(spans))
    return encoded(logs, spans)


def processed(bench: Bench, value: str) -> bytes:
    """A program on the SDK whose only processors are ours."""
    logs, spans = InMemoryLogRecordExporter(), InMemorySpanExporter()
    behind = SimpleLogRecordProcessor(logs, meter_provider=NONE), Sink(spans)
    _said(bench, value, PrivacyLogRecordProcessor(bench.policy, behind[0]), PrivacySpanProcessor(bench.policy, behind[1]))
    return encoded(logs, spans)


def exported(bench: Bench, value: str) -> bytes:
    """A program on the SDK whose only exporters are ours."""
    logs, spans = InMemoryLogRecordExporter(), InMemorySpanExporter()
    ours = PrivacyLogExporter(bench.policy, logs), PrivacySpanExporter(bench.policy, spans)
    _said(bench, value, SimpleLogRecordProcessor(ours[0], meter_provider=NONE), SimpleSpanProcessor(ours[1], meter_provider=NONE))
    return encoded(logs, spans)


def _said(bench: Bench, value: str, logs: LogRecordProcessor, spans: SpanProcessor) -> None:
    declared = bench.declared
    keys = {spec[0] for specs in (declared.EVENTS[EVENT], declared.COMMON, declared.SPAN, declared.RESOURCE) for spec in specs}
    say(value, raised(value), sorted(keys), logs, spans)


Path_ = Callable[[Bench, str], bytes]
PATHS: dict[str, Path_] = {
    "policies": cleaned,
    "spool": spooled,
    "wire": sent,
    "frames": failed,
    "processors": processed,
    "exporters": exported,
}
