"""What the intake takes: records a second, CPU and memory of the collector, with privacy and without; and with a backlog.

Each round starts a collector anew and posts the same request over and over, as the sender does (OTLP as protobuf over HTTP, no
compression), for some seconds; rounds are shuffled, medians are told. CPU is the collector's own, of /proc, so it also holds on a
machine that does other things; records a second are what came of it beside the generator on the same machine.
Raw results go to benchmarks/results/intake.json.
"""

import json
import os
import platform
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from otel_bridge.collector import binary, config_folder
from otel_bridge.collector.counters import ask
from otel_bridge.collector.process import free_port, hec_peer

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "intake.json"
SECONDS, ROUNDS = float(os.environ.get("SECONDS_A_ROUND", "5")), int(os.environ.get("ROUNDS", "3"))
LOADS = {1: 8, 1000: 2}  # records a request: connections
BACKLOG = (0, 10_000, 50_000, 100_000, 200_000)
TICK = os.sysconf("SC_CLK_TCK")
NO_PRIVACY = """
service:
  pipelines:
    logs/intake: {receivers: [otlp], processors: [memory_limiter], exporters: [forward/intake]}
    traces/intake: {receivers: [otlp], processors: [memory_limiter], exporters: [forward/intake]}
"""
UPSTREAM = """
receivers: {otlp: {protocols: {http: {endpoint: "${env:OTEL_BRIDGE_HTTP_ENDPOINT}"}}}}
processors: {memory_limiter: {check_interval: 1s, limit_percentage: 75, spike_limit_percentage: 20}, batch: {}}
exporters: {file: {path: "${env:OTEL_BRIDGE_FILE_DIR}/logs.jsonl", create_directory: true}}
extensions: {health_check: {endpoint: "${env:OTEL_BRIDGE_HEALTH_ENDPOINT}"}}
service:
  extensions: [health_check]
  telemetry:
    metrics:
      readers:
        - pull: {exporter: {prometheus: {host: 127.0.0.1, port: "${env:OTEL_BRIDGE_METRICS_PORT}", without_type_suffix: true}}}
  pipelines:
    logs: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [file]}
"""
KINDS = {
    "privacy, file": ("base.yaml", "sinks/file.yaml", "privacy.yaml"),
    "privacy, file and splunk": ("base.yaml", "sinks/file.yaml", "sinks/splunk.yaml", "privacy.yaml"),
    "no privacy step, file": ("base.yaml", "sinks/file.yaml", NO_PRIVACY),
    "upstream's sample, file": (UPSTREAM,),
}


@dataclass
class Intake:
    """A collector at work: where it listens, where it tells its counters, its process and its folder."""

    port: int
    metrics: int
    process: subprocess.Popen[bytes]
    folder: Path

    def cpu(self) -> float:
        """Seconds of CPU that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self, field: str) -> float:
        """VmRSS (now) or VmHWM (its peak), in MB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1000


@contextmanager
def collector(kind: str, variables: dict[str, str]) -> Iterator[Intake]:
    """Start the collector of a kind in a folder of its own; stop it and take the folder away."""
    folder = Path(tempfile.mkdtemp(prefix="intake-"))
    words = [str(binary())]
    for number, name in enumerate(KINDS[kind]):
        own = folder / f"{number}.yaml"
        if "\n" in name:
            own.write_text(name, encoding="utf-8")
        words.append(f"--config={own if own.exists() else config_folder() / name}")
    ports = {name: free_port() for name in ("HTTP", "GRPC", "HEALTH")}
    metrics = free_port()
    told = {f"OTEL_BRIDGE_{name}_ENDPOINT": f"127.0.0.1:{port}" for name, port in ports.items()}
    told |= {"OTEL_BRIDGE_METRICS_PORT": str(metrics), "OTEL_BRIDGE_QUEUE_DIR": str(folder / "queue")}
    told |= {"OTEL_BRIDGE_FILE_DIR": str(folder / "out"), "OTEL_BRIDGE_LOG_LEVEL": "error", **variables}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, env={**os.environ, **told}, stdout=log, stderr=log)
    try:
        healthy(ports["HEALTH"], process, folder / "log")
        yield Intake(ports["HTTP"], metrics, process, folder)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        shutil.rmtree(folder)


def healthy(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until it listens."""
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                time.sleep(0.3)
                return
        time.sleep(0.1)
    sys.exit(f"the collector does not start:\n{log.read_text()[-2000:]}")


def request(records: int, port: int) -> bytes:
    """One POST of so many events of kitchen, whole with its head."""

    def told(**given: str) -> list[dict[str, Any]]:
        return [{"key": key.replace("__", "."), "value": {"stringValue": value}} for key, value in given.items()]

    resource = told(service__name="kitchen", service__version="3.6.0", os__type="linux", os__name="debian", os__version="12")
    resource += told(host__arch="amd64", app__installation__id="2f5ba7a2-66a5-8b6c-9d6b-1d1f6c3e9a11")
    event = told(kitchen__driver__name="vagrant", kitchen__driver__version="1.14.2", kitchen__platform="debian-12")
    event += told(kitchen__transport="ssh", otel_bridge__command="create", session__id="7c1d9a40-0d52-8a7e-b3b2-5f2b9b7a0c55")
    made = [
        {
            "timeUnixNano": str(int(time.time()) * 10**9),
            "eventName": "kitchen.create",
            "body": {"stringValue": "kitchen.create"},
            "attributes": [*event, *told(log__record__uid=f"00000000-0000-4000-8000-{number:012x}")],
        }
        for number in range(records)
    ]
    whole = {
        "resourceLogs": [
            {"resource": {"attributes": resource}, "scopeLogs": [{"scope": {"name": "otel_bridge"}, "logRecords": made}]}
        ]
    }
    body = ParseDict(whole, ExportLogsServiceRequest()).SerializeToString()
    told_first = ("POST /v1/logs HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Type: application/x-protobuf")
    return "\r\n".join((*told_first, f"Content-Length: {len(body)}", "", "")).encode() + body


def poster(port: int, whole: bytes, stop: threading.Event, answers: dict[str, int], most: int) -> None:
    """Post over one connection until told to stop, or `most` were taken."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not stop.is_set() and answers.get("200", 0) < most:
            connection.sendall(whole)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += connection.recv(4096)
            head, _, rest = answer.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            while len(rest) < length:
                rest += connection.recv(4096)
            status = head.split(b" ", 2)[1].decode()
            answers[status] = answers.get(status, 0) + 1


def posted(port: int, records: int, connections: int, seconds: float, most: int = 2**60) -> tuple[dict[str, int], float]:
    """The answers by status, and how long it took."""
    whole, stop = request(records, port), threading.Event()
    answers: list[dict[str, int]] = [{} for _ in range(connections)]
    threads = [threading.Thread(target=poster, args=(port, whole, stop, one, most)) for one in answers]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    if most == 2**60:
        time.sleep(seconds)
        stop.set()
    for thread in threads:
        thread.join()
    found: dict[str, int] = {}
    for one in answers:
        for status, number in one.items():
            found[status] = found.get(status, 0) + number
    return found, time.monotonic() - started


def one_round(kind: str, records: int) -> dict[str, float]:
    """One collector, one load; CPU until every sink has what was taken; other counts than those end the benchmark."""
    place = Path(tempfile.mkdtemp(prefix="peer-"))
    with hec_peer(place) if "splunk" in kind else nullcontext() as peer:
        variables = {**(dict(peer.variables) if peer else {}), "OTEL_BRIDGE_MAX_BODY_BYTES": "1048576"}
        with collector(kind, variables) as intake:
            before = intake.cpu()
            answers, took = posted(intake.port, records, LOADS[records], SECONDS)
            taken, until = answers.get("200", 0) * records, time.monotonic() + 120
            while min(sent := arrived(intake)) < taken and time.monotonic() < until:
                time.sleep(0.2)
            used = intake.cpu() - before
            if set(sent) != {taken}:
                sys.exit(f"{kind}: {taken} records were taken, {sent} sent")
            found = {"records_a_second": taken / took, "cpu_us_a_record": used / taken * 1e6, "peak_mb": intake.memory("VmHWM")}
    shutil.rmtree(place)
    return {**found, "other_answers": sum(answers.values()) - answers.get("200", 0)}


def arrived(intake: Intake) -> list[int]:
    """How many records each exporter of log records has sent."""
    found = ask(f"127.0.0.1:{intake.metrics}")
    return [found.sent[key] for key in {*found.sent, *found.waiting} if key[0] == "logs"] or [0]


def backlog() -> list[dict[str, float]]:
    """Memory and disk while Splunk is down and the queue grows."""
    nowhere = {"OTEL_BRIDGE_SPLUNK_URL": f"http://127.0.0.1:{free_port()}", "OTEL_BRIDGE_SPLUNK_TOKEN": "x"}
    found: list[dict[str, float]] = []
    with collector("privacy, file and splunk", {**nowhere, "OTEL_BRIDGE_MAX_BODY_BYTES": "1048576"}) as intake:
        waiting = 0
        for wanted in BACKLOG:
            if wanted > waiting:
                posted(intake.port, 500, 1, 0, (wanted - waiting) // 500)
                waiting = wanted
            time.sleep(2)
            disk = sum(file.stat().st_size for file in (intake.folder / "queue").iterdir()) / 1e6
            found.append({"waiting": wanted, "rss_mb": intake.memory("VmRSS"), "peak_mb": intake.memory("VmHWM"), "queue_mb": disk})
            print(f"{wanted:9,} waiting: {found[-1]['rss_mb']:5.0f} MB of memory, {disk:5.1f} MB on disk", flush=True)
    return found


def main() -> None:
    """Measure, print, keep the raw figures."""
    plan = [(kind, records) for kind in KINDS for records in LOADS] * ROUNDS
    random.Random(1).shuffle(plan)
    raw: dict[str, list[dict[str, float]]] = {}
    for number, (kind, records) in enumerate(plan, 1):
        raw.setdefault(f"{kind}, {records} a request", []).append(one_round(kind, records))
        print(f"round {number} of {len(plan)}", file=sys.stderr, flush=True)
    medians = {
        name: {key: round(statistics.median(one[key] for one in rounds), 1) for key in rounds[0]}
        for name, rounds in sorted(raw.items())
    }
    for name, one in medians.items():
        rate, cpu, peak = one["records_a_second"], one["cpu_us_a_record"], one["peak_mb"]
        print(f"{name:42} {rate:9,.0f} records/s {cpu:7.1f} us of CPU each {peak:5.0f} MB")
    machine = {"cpus": os.cpu_count(), "system": platform.system(), "load_average": [round(one, 1) for one in os.getloadavg()]}
    found = {"machine": machine, "seconds": SECONDS, "medians": medians, "backlog": backlog(), "rounds": raw}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
