"""Every configuration that the settings can choose, as the genuine collector judges it."""

import os
import subprocess
from itertools import combinations
from pathlib import Path

import pytest
import yaml
from conftest import BIN, ROOT
from ledger import certificate

from otel_bridge.collector import binary, config_files
from otel_bridge.collector.obstacles import values
from otel_bridge.collector.sinks import told

CONFIG = ROOT / "collector-config"
SINKS = ("debug", "file", "kafka", "otlp", "s3", "splunk")  # clickhouse needs a build that has it: tests/system/test_clickhouse.py
PAIRS = [*((sink, "none") for sink in SINKS), *combinations(SINKS, 2)]
FILES = sorted([CONFIG / "base.yaml", *CONFIG.glob("sinks/*.yaml"), *CONFIG.glob("overlays/*.yaml"), *CONFIG.glob("scale/*.yaml")])
CHOSEN = [(overlay, *pair) for overlay in ("none", "gateway", "isolate") for pair in PAIRS]
CHOSEN += [("replay", sink, "none") for sink in SINKS] + [("sink-worker", sink, "none") for sink in SINKS if sink != "kafka"]
CHOSEN += [
    ("replay", "splunk", "kafka"),
    ("sink-worker", "splunk", "file"),
    ("hec-peer", "file", "none"),
    ("agent", "file", "none"),
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every variable that a file needs, and nothing of this machine's."""
    folder = tmp_path_factory.mktemp("operator")
    (folder / "keys").write_text("- 0123456789abcdef-new\n- 0123456789abcdef-old\n")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "OTEL_BRIDGE_SPLUNK_URL": "https://splunk.example:8088/services/collector",
        "OTEL_BRIDGE_SPLUNK_TOKEN": "x",
        "OTEL_BRIDGE_OTLP_URL": "https://collector.example",
        "OTEL_BRIDGE_S3_BUCKET": "events",
        "OTEL_BRIDGE_GATEWAY_URL": "https://gateway.example",
        "OTEL_BRIDGE_SINK_GROUP": "splunk",
        "OTEL_BRIDGE_QUEUE_DIR": str(folder / "queue"),
        "OTEL_BRIDGE_FILE_DIR": str(folder / "out"),
        "OTEL_BRIDGE_REPLAY_DIR": str(folder),
        "OTEL_BRIDGE_REPLAY_QUEUE_DIR": str(folder / "replay"),
        "OTEL_BRIDGE_BLOCK_ON_OVERFLOW": "true",
        "OTEL_BRIDGE_INGEST_TOKEN_FILE": str(folder / "keys"),
        **certificate(folder),
    }


def judged(files: list[Path], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    words = [str(ROOT / binary()), "validate", *(f"--config={file}" for file in files)]
    return subprocess.run(words, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60)


def chosen(monkeypatch: pytest.MonkeyPatch, overlay: str, sink: str, sink_2: str) -> list[Path]:
    for name, value in {"OVERLAY": overlay, "SINK": sink, "SINK_2": sink_2}.items():
        monkeypatch.setenv(f"OTEL_BRIDGE_{name}", value)
    return config_files()


@pytest.mark.parametrize(("overlay", "sink", "sink_2"), CHOSEN)
def test_what_can_be_chosen_is_valid(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], overlay: str, sink: str, sink_2: str
) -> None:
    """Each sink and each pair alone, behind a gateway and isolated; replay and a worker into each sink; hec-peer, agent."""
    done = judged(chosen(monkeypatch, overlay, sink, sink_2), environment)
    assert (done.returncode, done.stdout, [line for line in done.stderr.splitlines() if "error" in line.lower()]) == (0, "", [])


SET = {
    "kafka": {
        "KAFKA_BROKER": "a:9092,b:9092",
        "KAFKA_PLAINTEXT": "false",
        "KAFKA_AUTH": "{sasl: {mechanism: PLAIN, username: u, password: p}}",
    },
    "splunk": {"SPLUNK_INDEX": "i", "SPLUNK_CONSUMERS": "1", "SPLUNK_CA_FILE": "cert.pem", "QUEUE_BYTES": "1000000"},
    "otlp": {
        "OTLP_COMPRESSION": "gzip",
        "OTLP_BATCH_BYTES": "1000000",
        "OTLP_AUTHORIZATION": "Bearer x",
        "OTLP_CA_FILE": "cert.pem",
    },
    "s3": {"S3_ENDPOINT": "http://127.0.0.1:9000", "S3_FLUSH": "5s", "S3_PREFIX": "a/b", "S3_REGION": "eu-central-1"},
    "file": {"FILE_MEGABYTES": "1", "FILE_DAYS": "1", "FILE_BACKUPS": "1", "MEMORY_MIB": "384", "LOG_LEVEL": "warn"},
}


@pytest.mark.parametrize("sink", sorted(SET))
def test_what_may_be_set_can_be_set(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], sink: str) -> None:
    """Values other than the defaults, of each kind that a variable has: lists, numbers, times, whole maps."""
    cert = environment["OTEL_BRIDGE_TLS_CERT"]
    told = {f"OTEL_BRIDGE_{name}": value.replace("cert.pem", cert) for name, value in SET[sink].items()}
    done = judged(chosen(monkeypatch, "gateway", sink, "none"), {**environment, **told})
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize(
    "files",
    [
        ["base"],
        ["base", "privacy"],
        ["base", "sinks/splunk"],
        ["base", "sinks/none", "privacy"],
        ["sinks/splunk", "privacy"],
        ["sinks/splunk"],
        ["overlays/replay"],
        ["scale/sink-worker"],
        ["base", "sinks/file", "sinks/clickhouse", "privacy"],
    ],
    ids="+".join,
)
def test_what_lacks_a_part_is_refused(environment: dict[str, str], files: list[str]) -> None:
    """Without a sink, without privacy, without base, or with an exporter that the build does not have."""
    assert judged([CONFIG / f"{file}.yaml" for file in files], environment).returncode == 1


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CONFIG)))
def test_the_head_of_a_file_names_the_variables_below_it(file: Path) -> None:
    """Every variable of the YAML stands in its `needs:` and `may:` lines with the default that it has there, and no other."""
    head = told(file)
    assert (head.wrong, bool(head.what)) == ((), True)
    shown = {one.name: one.default for one in head.may} | {one.name: "" for one in head.needs}
    only_told = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "OTEL_BRIDGE_SPLUNK_TOKEN_FILE"}  # read by others than the YAML
    only_told |= {"OTEL_BRIDGE_BLOCK_ON_OVERFLOW"} if file.stem == "replay" else set()  # the sink's, which replay needs
    everywhere = {"OTEL_BRIDGE_LOG_LEVEL", "OTEL_BRIDGE_METRICS_HOST", "OTEL_BRIDGE_METRICS_PORT", "OTEL_BRIDGE_HEALTH_ENDPOINT"}
    told_of_base = set() if file.stem == "base" else everywhere - set(shown)
    monkey = pytest.MonkeyPatch()
    with monkey.context() as clean:
        for name in shown:
            clean.delenv(name, raising=False)
        used = values([file])
    assert {name: default for name, default in shown.items() if name not in only_told} == {
        name: default for name, default in used.items() if name not in told_of_base
    }


def test_the_privacy_file_says_nothing_that_only_some_releases_know() -> None:
    """The filter in its nested form, statements in groups, and no function that v0.145 has not."""
    found = yaml.safe_load((CONFIG / "privacy.yaml").read_text())
    assert set(found["processors"]["filter/refuse"]) == {"error_mode", "logs", "traces"}
    assert set(found["processors"]["transform/shape"]) == {"error_mode", "log_statements", "trace_statements"}
    for signal in ("log_statements", "trace_statements"):
        groups = found["processors"]["transform/shape"][signal]
        assert all(set(group) == {"context", "statements"} for group in groups)
        assert not [one for group in groups for one in group["statements"] if "stringify_all" in one]


def test_privacy_is_last_wherever_the_files_are_named() -> None:
    """In the compose file too, privacy.yaml is the last of the files that the collector of clients is given."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    for service in compose["services"].values():
        named = [word for word in service.get("command", []) if word.startswith("--config=")]
        if any(word.endswith("/base.yaml") for word in named):
            assert named[-1].endswith("/privacy.yaml")


def test_validate_says_which_files_are_valid(environment: dict[str, str]) -> None:
    """`otel-bridge collector validate` checks this machine too, and ends well."""
    words = [str(BIN / "otel-bridge"), "collector", "validate"]
    told = {**environment, "OTEL_BRIDGE_SINK": "file", "OTEL_BRIDGE_SINK_2": "splunk", "OTEL_BRIDGE_OVERLAY": "gateway"}
    done = subprocess.run(words, env=told, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    names = ["base.yaml", "sinks/file.yaml", "sinks/splunk.yaml", "overlays/gateway.yaml", "privacy.yaml"]
    assert done.stdout == f"valid: {' '.join(f'collector-config/{name}' for name in names)}\n"
