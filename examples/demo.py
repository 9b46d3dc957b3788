"""The main job, from end to end: a real CLI's events go declaration -> consent -> privacy -> disk -> OTLP -> collector -> file.

`make demo` runs this. Everything is written below .demo/, nothing outside of it.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from otel_bridge.collector.process import hec_peer, running
from otel_bridge.export import spool

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / ".demo"
BIN = Path(sys.executable).parent
ENVIRONMENT = {"HOME": str(PLACE / "home"), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "LANG": "C.UTF-8"}
NOBODY_SENDS = {"OTEL_BRIDGE_DETACH": "0"}  # until station 5, so that each step can be watched
STATE = PLACE / "home/.local/state/otel-bridge/kitchen"
PRIVATE = ("acme-internal-cloud", "acme/secret-box")
RUNS = (
    ("kitchen", "create", "debian"),
    ("kitchen", "create", "ubuntu", "--driver", PRIVATE[0], "--target", PRIVATE[1]),
    ("kitchen", "--log-level", "warn", "test", "--destroy", "always"),
    ("kitchen", "login", "nowhere"),
    ("kitchen-argparse", "create", "debian", "--driver", "dokken"),
)


def shell(*words: str, echo: bool = True, **more: str) -> str:
    """Run a command in the demo's world and show it; returns its standard output."""
    if echo:
        print(f"   $ {' '.join([*(f'{k}={v}' for k, v in more.items()), *words])}")
    world = {"cwd": PLACE / "work", "env": {**ENVIRONMENT, **more}, "stdin": subprocess.DEVNULL}
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **world)
    if echo:
        for line in done.stdout.splitlines()[:8]:
            print(f"     {line[:120]}")
    return done.stdout


def station(number: int, name: str, says: str) -> None:
    """Name a station of the path."""
    print(f"\n{number}. {name}: {says}")


def identities(items: list[spool.Item]) -> set[tuple[str, ...]]:
    """What tells each record from every other: uid of an event, trace and span id of both."""
    found = set()
    for item in items:
        uids = [one["value"]["stringValue"] for one in item.body["attributes"] if one["key"] == "log.record.uid"]
        found.add((item.signal, item.body["traceId"], item.body["spanId"], *uids))
    return found


def in_files(folder: Path) -> list[spool.Item]:
    """Every record in the files of a collector's file sink."""
    return [item for signal in spool.SIGNALS for item in spool.read(folder / f"{signal}.jsonl", signal)[0]]


def main() -> int:
    """Go from station to station; returns 0 when exactly what was recorded stands in the collector's file."""
    shutil.rmtree(PLACE, ignore_errors=True)
    shutil.copytree(ROOT / "examples/kitchen", PLACE / "work", ignore=shutil.ignore_patterns("kitchen", "__pycache__", "*.toml"))
    (PLACE / "home").mkdir()

    station(1, "declaration", "what kitchen may say stands in telemetry.yaml")
    shell("otel-bridge", "check", str(ROOT / "examples/kitchen/telemetry.yaml"))
    station(2, "consent", "nobody has chosen, so nothing is recorded; then the person says yes")
    shell("kitchen", "list")
    shell("otel-bridge", "status", "--product", "kitchen")
    shell("otel-bridge", "on", "--product", "kitchen")
    station(3, "privacy and disk", "real runs; what is not declared or not public never reaches the disk")
    for words in RUNS:
        shell(*words, **NOBODY_SENDS)
    shell("kitchen", "create", "debian", DO_NOT_TRACK="1")
    recorded = [item for items in spool.waiting(STATE).values() for item in items]
    text = "".join(item.line for item in recorded)
    print(f"   on disk: {len(recorded)} records; {', '.join(PRIVATE)} in them: {[name in text for name in PRIVATE].count(True)}")
    station(4, "preview", "the sender's own code shows what would leave")
    shown = shell("otel-bridge", "preview", "--product", "kitchen").splitlines()
    print(f"     ... {len(shown)} lines")
    with running(PLACE / "collector", {"OTEL_BRIDGE_LOG_LEVEL": "warn"}) as collector:
        station(5, "OTLP and the collector", f"a genuine OpenTelemetry Collector listens at {collector.endpoint}")
        sent = json.loads(shell("otel-bridge", "drain", "--product", "kitchen", "--json", OTEL_BRIDGE_ENDPOINT=collector.endpoint))
        arrived = in_files(collector.files)
    station(6, "file", f"{collector.files.relative_to(ROOT)}/logs.jsonl and traces.jsonl")
    same = identities(recorded) == identities(arrived)
    leaked = [name for name in PRIVATE if any(name in path.read_text() for path in collector.files.iterdir())]
    print(f"   recorded {len(identities(recorded))}, sent {sent['sent']}, in the collector's file {len(identities(arrived))}")
    equal = "equal sets" if same else "DIFFERENT"
    print(f"   log.record.uid, trace and span ids: {equal}; private names found: {leaked or 'none'}")
    done = same and recorded and not leaked and len(recorded) == sent["sent"]
    return 0 if splunk() and done else 1


def splunk() -> bool:
    """The same events into Splunk's protocol as well: one variable of the collector, and nobody drains by hand."""
    station(
        7, "Splunk, and nobody waits", "OTEL_BRIDGE_SINK=splunk, the file beside it; the run itself starts a sender and is gone"
    )
    with hec_peer(PLACE / "hec") as peer:
        sinks = {"OTEL_BRIDGE_SINK": "splunk", "OTEL_BRIDGE_SINK_2": "file", "OTEL_BRIDGE_LOG_LEVEL": "warn", **peer.variables}
        with running(PLACE / "both", sinks) as collector:
            shell("kitchen", "create", "debian", OTEL_BRIDGE_ENDPOINT=collector.endpoint, OTEL_BRIDGE_DRAIN_EVERY="0")
            until = time.monotonic() + 20
            while time.monotonic() < until and not len(in_files(collector.files)) == len(peer.events()) == 2:
                time.sleep(0.1)
            files, events = in_files(collector.files), peer.events()
    in_file = {item.body["traceId"] for item in files}
    at_splunk = {event.get("trace_id") or event["event"]["trace_id"] for event in events}
    print(
        f"   in the file: {len(files)} records; at Splunk's HTTP Event Collector: {len(events)}, same run: {in_file == at_splunk}"
    )
    return len(files) == len(events) == 2 and in_file == at_splunk


if __name__ == "__main__":
    sys.exit(main())
