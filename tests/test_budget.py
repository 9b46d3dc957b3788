"""What a run of a CLI may cost: instructions are counted by callgrind, so the figures hold on any machine at any load."""

import os
import runpy
import shutil
import sys
from importlib.metadata import metadata
from pathlib import Path

import pytest
from conftest import ROOT

sys.path.append(str(ROOT / "benchmarks"))

from counting import DUE, SINKS, files, instructions, sink
from hot_path import TWINS
from shell import WITHOUT_OURS, under_the_agent

M = 1_000_000


@pytest.fixture(autouse=True)
def valgrind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no valgrind the budget cannot be measured; in CI it must be."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    if not shutil.which("valgrind"):
        assert not os.environ.get("CI"), "valgrind is missing; `make system-deps` installs it on Debian"
        pytest.skip("valgrind is missing: the instruction budget was not measured")


@pytest.mark.parametrize("twin", TWINS)
def test_a_run_stays_within_its_budget(tmp_path: Path, twin: str) -> None:
    """Added to the bare twin: on 7 M instructions and 10 files, off 3 M and 5, and 1 M and 2 files more when a sender starts."""
    script, bare = TWINS[twin]
    base = instructions(bare, tmp_path)
    due = {**DUE, "OTEL_BRIDGE_ENDPOINT": "http://127.0.0.1:1"}
    for more, most, modules in (
        ({"KITCHEN_TELEMETRY": "on"}, 7 * M, 10),
        ({"KITCHEN_TELEMETRY": "off"}, 3 * M, 5),
        ({"DO_NOT_TRACK": "1"}, 3 * M, 5),
        (due, 8 * M, 12),
    ):
        added = instructions(script, tmp_path, **more) - base
        print(f"{twin} {more}: {added:,} instructions")
        assert added <= most
        assert len(files(script, tmp_path, **more)) <= modules


def test_a_run_costs_the_same_whatever_the_sink_does(tmp_path: Path) -> None:
    """With a send due, and the sink up, refused, hanging or absent: within 1 % of each other."""
    costs = []
    for state in SINKS:
        with sink(state, tmp_path / "collector") as endpoint:
            costs.append(instructions("kitchen", tmp_path, **DUE, OTEL_BRIDGE_ENDPOINT=endpoint))
    print(dict(zip(SINKS, costs, strict=True)))
    assert max(costs) - min(costs) <= 0.01 * min(costs)


def test_what_is_no_product_s_hardly_pays_under_the_agent(tmp_path: Path) -> None:
    """A script of nobody's under `opentelemetry-instrument`: OTel's loader and our instrumentor take 6 M instructions."""
    base = under_the_agent("kitchen-bare", tmp_path, **WITHOUT_OURS)
    added = under_the_agent("kitchen-bare", tmp_path) - base
    print(f"inert under the agent: {added:,} of {base:,} instructions")
    assert 0 < added <= 6 * M


def test_a_run_under_the_agent_stays_within_its_budget(tmp_path: Path) -> None:
    """A recorded run of the click twin under `opentelemetry-instrument`, beside the bare twin without us: 9 M, off 6 M.

    At some length of paths the interpreter enlarges its table of interned strings just then, for 0.7 M.
    """
    base = under_the_agent("kitchen-bare", tmp_path, **WITHOUT_OURS)
    for mode, most in (("on", 9 * M), ("off", 6 * M)):
        added = under_the_agent("kitchen", tmp_path, KITCHEN_TELEMETRY=mode) - base
        print(f"{mode} under the agent: {added:,} of {base:,} instructions")
        assert 0 < added <= most


def test_the_metadata_of_the_package_is_short() -> None:
    """OpenTelemetry's loader parses it twice in each process that it starts: no README, and nothing that only developers need."""
    said = metadata("otel-bridge")
    assert len(str(said["Description"] or said.get_payload()).strip().splitlines()) == 1
    assert [one for one in said.get_all("Requires-Dist") if "extra" in one] == []


def test_an_event_and_a_check_stay_within_theirs(tmp_path: Path) -> None:
    """Nine attributes cleaned and written as OTLP/JSON: 0.1 M; checking 200 declared ones: five times loading their YAML."""
    schema = runpy.run_path(str(ROOT / "benchmarks/schema.py"))
    built, recorded = (schema["event"](tmp_path, step) for step in schema["STEPS"])
    loading, checking = schema["checking"](tmp_path)
    print(f"built {built:,}, recorded {recorded:,}, loading {loading:,}, checking {checking:,} instructions")
    assert built <= M / 10
    assert built < recorded <= M / 4
    assert checking <= 5 * loading
