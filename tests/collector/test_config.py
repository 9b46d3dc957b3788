"""Which files make up the collector's configuration, and that nothing can stand in front of privacy."""

import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import BIN, ROOT, World

from otel_bridge.collector import binary, config_files

CONFIG = ROOT / "collector-config"
SINKS = sorted(file.stem for file in (CONFIG / "sinks").glob("*.yaml"))


def test_privacy_is_the_last_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two files that set the same list the later one wins: nothing before privacy.yaml can shorten it."""
    for variable in ("OTEL_BRIDGE_SINK", "OTEL_BRIDGE_SINK_2", "OTEL_BRIDGE_OVERLAY"):
        monkeypatch.delenv(variable, raising=False)
    names = [str(file.relative_to(CONFIG.relative_to(Path.cwd()))) for file in config_files()]
    assert names == ["base.yaml", "sinks/file.yaml", "sinks/none.yaml", "overlays/none.yaml", "privacy.yaml"]


PIPED = sorted({*CONFIG.glob("*/*.yaml")} - {CONFIG / "overlays/hec-peer.yaml"})  # that one is a collector of its own


@pytest.mark.parametrize("file", PIPED, ids=lambda file: str(file.relative_to(CONFIG)))
def test_no_sink_and_no_overlay_reads_the_intake_itself(file: Path) -> None:
    """Every pipeline of a sink reads forward/clean and nothing else, and names no processor."""
    found = yaml.safe_load(file.read_text()) or {}
    assert "receivers" not in found
    assert "processors" not in found
    for name, pipeline in found.get("service", {}).get("pipelines", {}).items():
        assert name.partition("/")[2] != "intake"
        assert pipeline["receivers"] == ["forward/clean"]
        assert "processors" not in pipeline


@pytest.mark.parametrize("sink", [sink for sink in SINKS if sink != "none"])
def test_the_collector_itself_validates_each_sink(world: World, sink: str) -> None:
    """`otel-bridge collector validate` asks the genuine collector."""
    splunk = {"OTEL_BRIDGE_SPLUNK_URL": "https://splunk.example:8088/services/collector", "OTEL_BRIDGE_SPLUNK_TOKEN": "x"}
    places = {**splunk, "OTEL_BRIDGE_QUEUE_DIR": str(world.root / "queue"), "OTEL_BRIDGE_FILE_DIR": str(world.root / "out")}
    told = world.run("otel-bridge", "collector", "validate", OTEL_BRIDGE_SINK=sink, **places)
    assert told.stdout.startswith("valid: ")


@pytest.mark.parametrize(
    "files",
    [["base.yaml"], ["base.yaml", "privacy.yaml"], ["base.yaml", "sinks/file.yaml"], ["privacy.yaml", "sinks/file.yaml"]],
    ids=lambda files: "+".join(files),
)
def test_a_deployment_that_forgot_a_part_cannot_start(world: World, files: list[str]) -> None:
    """Base alone, without a sink, without privacy, or without base: the collector refuses."""
    words = [str(ROOT / binary()), "validate", *(f"--config={CONFIG / file}" for file in files)]
    assert subprocess.run(words, env=world.environment(), capture_output=True).returncode == 1


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"OTEL_BRIDGE_SINK": "splonk"}, "OTEL_BRIDGE_SINK: `splonk` is none of debug, file, none, splunk"),
        ({"OTEL_BRIDGE_OVERLAY": "x"}, "OTEL_BRIDGE_OVERLAY: `x` is none of hec-peer, none"),
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
    order = ["memory_limiter", "transform/shape", "groupbyattrs/rebuild", "redaction", "filter/refuse"]
    assert [pipeline["processors"] for pipeline in found["service"]["pipelines"].values()] == [order, order]
