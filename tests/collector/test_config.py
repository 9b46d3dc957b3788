"""Which files make up the collector's configuration, and that nothing can stand in front of privacy."""

import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import BIN, ROOT, World

from otel_bridge.collector import config_files

CONFIG = ROOT / "collector-config"


def test_privacy_is_the_last_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two files that set the same list the later one wins: nothing before privacy.yaml can shorten it."""
    for variable in ("OTEL_BRIDGE_SINK", "OTEL_BRIDGE_SINK_2", "OTEL_BRIDGE_OVERLAY"):
        monkeypatch.delenv(variable, raising=False)
    names = [str(file.relative_to(CONFIG.relative_to(Path.cwd()))) for file in config_files()]
    assert names == ["base.yaml", "sinks/file.yaml", "sinks/none.yaml", "overlays/none.yaml", "privacy.yaml"]


OWN = {"hec-peer", "agent", "replay", "sink-worker"}  # each a collector of its own: none takes what privacy.yaml must clean
PIPED = sorted(file for kind in ("sinks", "overlays") for file in (CONFIG / kind).glob("*.yaml") if file.stem not in OWN)


@pytest.mark.parametrize("file", PIPED, ids=lambda file: str(file.relative_to(CONFIG)))
def test_no_sink_and_no_overlay_reads_the_intake_itself(file: Path) -> None:
    """Every pipeline of a sink reads forward/clean and nothing else, and names no processor; overlays add none of their own."""
    found = yaml.safe_load(file.read_text()) or {}
    pipelines = found.get("service", {}).get("pipelines", {})
    if file.stem == "isolate":
        assert sorted(found) == ["processors", "service"]
        assert pipelines == {f"{signal}/fan": {"processors": ["batch/isolate"]} for signal in ("logs", "traces")}
    elif file.stem == "gateway":
        assert sorted(found) == ["extensions", "receivers", "service"]
        assert list(found["receivers"]["otlp"]["protocols"]) == ["http", "grpc"]
        assert found["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"] == "127.0.0.1:0"  # nobody outside reaches it
        assert pipelines == {}
    else:
        assert {*found} <= {"exporters", "service"}
        read = {"receivers": ["forward/clean"]}
        assert pipelines == {name: {**read, "exporters": pipelines[name]["exporters"]} for name in pipelines}
        assert not any(name.endswith(("/intake", "/fan")) for name in pipelines)


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (
            {"OTEL_BRIDGE_SINK": "splonk"},
            "OTEL_BRIDGE_SINK: `splonk` is none of clickhouse, debug, file, kafka, none, otlp, s3, splunk",
        ),
        (
            {"OTEL_BRIDGE_OVERLAY": "x"},
            "OTEL_BRIDGE_OVERLAY: `x` is none of agent, gateway, hec-peer, isolate, none, replay, sink-worker",
        ),
        ({"OTEL_BRIDGE_COLLECTOR_CONFIG": "/nowhere"}, "set OTEL_BRIDGE_COLLECTOR_CONFIG to the folder"),
        ({"OTEL_BRIDGE_OTELCOL": "/nowhere"}, "`make collector` builds it"),
    ],
)
def test_a_wrong_name_is_one_line(world: World, more: dict[str, str], text: str) -> None:
    """The line names the variable, what it holds and what it may hold."""
    done = subprocess.run(
        [BIN / "otel-bridge", "collector", "run"], env=world.environment(**more), cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert text in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_privacy_yaml_keeps_to_what_was_measured() -> None:
    """One group per context, an opt-out looked for before scope and resource are emptied, errors propagate, redaction after shape."""
    found = yaml.safe_load((CONFIG / "privacy.yaml").read_text())
    shape, refuse = found["processors"]["transform/shape"], found["processors"]["filter/refuse"]
    assert (shape["error_mode"], refuse["error_mode"]) == ("propagate", "propagate")
    assert [group["context"] for group in shape["log_statements"]] == ["log", "scope", "resource"]
    assert [group["context"] for group in shape["trace_statements"]] == ["span", "scope", "resource"]
    order = ["memory_limiter", "filter/empty", "transform/shape", "groupbyattrs/rebuild", "redaction", "filter/refuse"]
    assert [pipeline["processors"] for pipeline in found["service"]["pipelines"].values()] == [order, order]
