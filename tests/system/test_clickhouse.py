"""The sink clickhouse against ClickHouse's own engine: tables that the exporter makes, and every record a row in them.

The engine is chDB, ClickHouse in a process; its HTTP front is ours (clickhouse/server.py), since no package has the server.
"""

import json
import os
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import collectors
import numbered
import pytest
from collectors import Collector, base
from conftest import ROOT
from engine import missing

from otel_bridge.collector import config_files
from otel_bridge.collector.process import free_port

PYTHON = ROOT / ".cache/clickhouse/bin/python"
COLLECTOR = ROOT / ".cache/otelcol-bridge-clickhouse"
NUMBERS = "SELECT LogAttributes['log.record.uid'] FROM otel_bridge.otel_logs"
OTHERS = ("debug", "file", "kafka", "none", "otlp", "s3", "splunk")
NEEDED = {
    "CLICKHOUSE_URL": "tcp://clickhouse.example:9000",
    "SPLUNK_URL": "https://splunk.example:8088/services/collector",
    "SPLUNK_TOKEN": "x",
    "OTLP_URL": "https://collector.example",
    "S3_BUCKET": "events",
    "SINK_GROUP": "clickhouse",
    "BLOCK_ON_OVERFLOW": "true",
}


class Engine:
    """ClickHouse's engine at work: its address; killed and started again on the same folder."""

    def __init__(self, folder: Path) -> None:
        if not PYTHON.exists() or not COLLECTOR.exists():
            missing(".cache/clickhouse or .cache/otelcol-bridge-clickhouse is missing; `make clickhouse` installs and builds them")
        self.folder, self.port = folder, free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = [str(PYTHON), str(Path(__file__).parent / "clickhouse/server.py"), str(self.port), str(self.folder / "tables")]
        with (self.folder / "engine.log").open("ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            try:
                self.ask("SELECT 1")
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self.folder / "engine.log").read_text(errors="replace")[-2000:])

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def ask(self, statement: str) -> str:
        url = f"http://127.0.0.1:{self.port}/?{urllib.parse.urlencode({'query': statement})}"
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.read().decode()

    def numbers(self) -> Counter[int]:
        return Counter(map(numbered.number, self.ask(NUMBERS).split()))


@pytest.fixture
def clickhouse(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.kill()


@pytest.fixture
def made() -> Iterator[Callable[..., Collector]]:
    with collectors.stopped_at_the_end() as make:
        yield make


def test_every_record_is_a_row_although_the_engine_is_killed(
    clickhouse: Engine, made: Callable[..., Collector], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exporter makes its tables with the promised age; 500 records before the engine is killed (-9), 500 while it is away, the
    collector killed with its backlog, 500 after: 1,500 of 1,500 are rows, as they were sent; what comes twice is counted.
    """
    told = {"OTEL_BRIDGE_CLICKHOUSE_URL": f"http://127.0.0.1:{clickhouse.port}?compress=none"}
    intake = made(tmp_path / "intake", base("sinks/clickhouse.yaml"), told, COLLECTOR).start()
    poster = numbered.Poster(intake.endpoint)
    first = set(poster.send(500))
    assert set(collectors.eventually(clickhouse.numbers, first)) == first
    clickhouse.kill()
    poster.send(500)
    intake.kill()
    clickhouse.start()  # the exporter asks for its tables when it starts
    intake.start()
    poster.send(500)
    sent = set(range(1_500))
    found = collectors.eventually(clickhouse.numbers, sent, 120)
    with capsys.disabled():
        print(
            f"\nclickhouse {clickhouse.ask('SELECT version()').strip()}: {len(found)} rows of {len(sent)}, {numbered.repeated(found)} twice"
        )
    assert poster.acknowledged == set(found) == sent
    row = (
        "SELECT DISTINCT EventName, Body, ServiceName, ResourceAttributes, ScopeName FROM otel_bridge.otel_logs FORMAT JSONEachRow"
    )
    assert [json.loads(line) for line in clickhouse.ask(row).splitlines()] == [
        {
            "EventName": "canary",
            "Body": "canary",
            "ServiceName": "kitchen",
            "ResourceAttributes": {"service.name": "kitchen", "service.version": "1.2.3"},
            "ScopeName": "otel_bridge",
        }
    ]
    kept = clickhouse.ask("SELECT name, engine_full FROM system.tables WHERE database = 'otel_bridge' AND engine = 'MergeTree'")
    assert {
        line.split("\t")[0] for line in kept.splitlines() if "toIntervalHour(9480)" in line or "toIntervalDay(395)" in line
    } >= {
        "otel_logs",
        "otel_traces",
    }


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Every variable that a sink or an overlay needs, and nothing of this machine's."""
    if not shutil.which("openssl"):
        missing("openssl is missing; `make system-test-deps` installs it on Debian")
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*words, "-keyout", "key.pem", "-out", "cert.pem"], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "keys").write_text("- 0123456789abcdef-key\n")
    places = {"TLS_CERT": "cert.pem", "TLS_KEY": "key.pem", "INGEST_TOKEN_FILE": "keys"}
    places |= {"QUEUE_DIR": "queue", "FILE_DIR": "out", "REPLAY_DIR": "", "REPLAY_QUEUE_DIR": "replay"}
    told = {**NEEDED, **{name: str(tmp_path / place) for name, place in places.items()}}
    return {"PATH": os.environ["PATH"], **{f"OTEL_BRIDGE_{name}": value for name, value in told.items()}}


@pytest.mark.parametrize("overlay", ["none", "gateway", "isolate", "replay", "sink-worker"])
def test_a_build_that_has_clickhouse_takes_its_sink(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], overlay: str
) -> None:
    """Alone, beside each other sink, behind a gateway, isolated, replayed into, and behind Kafka: the collector finds it valid."""
    if not COLLECTOR.exists():
        missing(".cache/otelcol-bridge-clickhouse is missing; `make clickhouse` builds it")
    monkeypatch.setenv("OTEL_BRIDGE_OVERLAY", overlay)
    monkeypatch.setenv("OTEL_BRIDGE_SINK", "clickhouse")
    refused = {}
    for sink in OTHERS:
        if (overlay, sink) == ("sink-worker", "kafka"):
            continue  # a worker would fill the topic that it reads
        monkeypatch.setenv("OTEL_BRIDGE_SINK_2", sink)
        words = [str(COLLECTOR), "validate", *(f"--config={file}" for file in config_files())]
        done = subprocess.run(words, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60)
        if done.returncode:
            refused[sink] = done.stderr
    assert refused == {}
