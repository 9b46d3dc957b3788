"""The side-by-side benchmark runs, keeps raw figures that name no machine, and its page says of each target whether it is met."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import BIN, ROOT

sys.path.append(str(ROOT / "benchmarks"))

import charts
import drain_rate
import measuring
import performance
import verdicts

TINY = ("--here", "--only", "otel-bridge,otel-http", "--rounds", "1", "--dead-rounds", "1", "--pairs", "1", "--kills", "2")
FEW = ("--states", "up", "--no-instructions", "--no-full", "--events", "300", "--drained", "40", "--sizes", "3")


def compare(*words: str) -> subprocess.CompletedProcess[str]:
    """Run benchmarks/compare.py."""
    return subprocess.run([BIN / "python", ROOT / "benchmarks/compare.py", *words], capture_output=True, text=True)


def measured(out: Path, parts: str) -> dict[str, dict]:
    done = compare(*TINY, *FEW, "--part", parts, "--out", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    return {file.stem: json.loads(file.read_text()) for file in out.iterdir()}


def test_runs_kills_a_burst_and_drains_are_measured(tmp_path: Path) -> None:
    """Parts a to d with tiny numbers, ours and the SDK: what arrived, survived and was kept is counted at real sinks."""
    found = measured(tmp_path / "results", "abcd")
    assert sorted(found) == ["burst", "drain", "run_cost", "survival"]
    up = found["run_cost"]["states"]["up"]
    assert {name: told["arrived"] for name, told in up.items()} == {"otel-bridge": 1, "otel-http": 1}
    assert found["survival"]["contenders"] == {
        "otel-bridge": {"killed": 2, "arrived": 2},
        "otel-http": {"killed": 2, "arrived": 0},
    }
    burst = {name: [run["kept"] for run in runs] for name, runs in found["burst"]["contenders"].items()}
    assert burst == {"otel-bridge": [300], "otel-http": [300]}
    drained = {name: [run["arrived"] for run in runs] for name, runs in found["drain"]["contenders"].items()}
    assert drained == {way: [40] for way in {*drained, "http/protobuf", "grpc", "otel-http"}}
    assert set(drained) | set(found["drain"]["refused"]) == {"http/protobuf", "http/json", "grpc", "otel-http"}
    page = performance.pages(tmp_path / "results", tmp_path)[tmp_path / "docs/performance.md"]
    assert page.count(performance.MISSING) == 1  # part e


def test_a_run_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    """With what it started in its group; its errors are counted, its exit code is the signal's."""
    words = ["/bin/sh", "-c", "echo oh >&2; sleep 60 & sleep 60"]
    told = measuring.measure(words, tmp_path, {"PATH": "/usr/bin:/bin"}, patience=0.5)
    assert (told.killed, told.code, told.stderr, told.output) == (True, -9, 3, "")
    listed = subprocess.run(["ps", "-e", "-o", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    assert [line for line in listed.splitlines() if line.split()[0] == str(told.group) and "Z" not in line] == []


def test_arrivals_are_counted_once_across_a_rotation(tmp_path: Path) -> None:
    """The collector renames the file that is full and goes on in a new one; a line that is not whole yet is counted later."""
    arrivals, line = drain_rate.Arrivals(tmp_path), f"{{{measuring.OURS}}}\n"
    (tmp_path / "logs.jsonl").write_text(line * 2 + line[:5])
    found = [arrivals.more(2)]
    with (tmp_path / "logs.jsonl").open("a") as file:
        file.write(line[5:] + line)
    (tmp_path / "logs.jsonl").rename(tmp_path / "logs-then.jsonl")
    (tmp_path / "logs.jsonl").write_text(line)
    (tmp_path / "traces.jsonl").write_text(line)
    assert [*found, arrivals.more(3)] == [2, 3]


def test_growth_is_counted(tmp_path: Path, needs: Callable[[str], str]) -> None:
    """Part e: instructions of a run and of a drained event, for a spool of three."""
    needs("valgrind")
    found = measured(tmp_path, "e")["growth"]
    assert [one["events"] for one in found["sizes"]] == [3]
    assert found["bare"] < found["sizes"][0]["run"] and found["sizes"][0]["drained"] > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--only", "amplitude"), "--only: no contender is called amplitude; there are otel-bridge, "),
        (("--part", "xa"), "compare.py: error: unknown: x; parts are abcde, "),
        (("--states", "up,down"), "compare.py: error: unknown: down; parts are abcde, states up,refused,hanging,absent"),
    ],
)
def test_what_is_not_there_is_refused(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """An unknown contender, part or state of the sink: one line that says what there is, and nothing is measured."""
    done = compare(*words, "--out", str(tmp_path / "results"))
    assert done.returncode in (1, 2) and said in done.stderr.splitlines()[-1]
    assert not (tmp_path / "results").exists()


def test_kept_figures_name_no_machine_and_no_path() -> None:
    """Of the machine its kind is kept: processor, memory, kernel, versions, load."""
    for name in performance.PARTS:
        text = (ROOT / f"benchmarks/results/{name}.json").read_text()
        assert re.findall(r"/(?:work|home|tmp|root|usr)\b", text) == []
        described = json.loads(text)["machine"]
        assert sorted(described) == ["cores", "cpu", "kernel", "libraries", "load_before", "memory_gib", "python"]


def test_each_target_is_met_or_not() -> None:
    """Exactly at its target a figure is good enough; one step short of it is printed as not met; without figures nothing is claimed."""
    pair = {"with": [{"seconds": 0.7, "cpu": 0.61}], "bare": [{"seconds": 0.1, "cpu": 0.01}]}
    ours = {"with": [{"seconds": 0.1101, "cpu": 0.03}], "bare": [{"seconds": 0.1, "cpu": 0.02}]}
    runs = {"otel-bridge": {"added": 7}, "otel-http": {"added": 629}}
    sdk = [{"arrived": 100, "seconds": 1.0, "cpu": 1.0, "peak": 60_000_000}]
    way = [{"arrived": 100, "seconds": 1.0, "cpu": 1.0, "peak": 30_000_000}]
    found = {
        "run_cost": {"instructions": runs, "pairs": {"otel-bridge": ours, "otel-http": pair}},
        "burst": {
            "raised": True,
            "contenders": {
                "otel-bridge": [{"calls": 5, "kept": 5, "seconds": 1.0, "lost": 0}],
                "otel-http": [{"calls": 2, "kept": 1, "seconds": 1.0, "lost": 1}],
            },
        },
        "drain": {"contenders": {"http/protobuf": way, "otel-http": sdk}, "full": {"peak": 80_000_000}},
        "growth": {"bare": 100, "sizes": [{"events": 10, "run": 150}, {"events": 1000, "run": 151}]},
    }
    said = [(one.target, one.measured, one.met) for one in verdicts.all_of(found)]
    assert said == [
        (">= 90x", "0.0 M / 0.00 M = 89.9x", "**not met**"),
        (">= 60x", "600.0 ms / 10.10 ms, medians of 1 pairs = 59x", "**not met**"),
        ("", "600.0 ms / 10.00 ms, medians of 1 pairs = 60x", ""),
        (">= 5x", "5 / 1 = 5.0x (calls: 2.5x)", "met"),
        ("0", "0", "met"),
        (">= 1x", "100 / 100 = 1.00x", "met"),
        ("<= 0.5x", "30 MB / 60 MB = 0.50x", "met"),
        (">= 4x", "-", "not measured"),
        ("< 80 MB", "80 MB", "**not met**"),
        ("<= 2%", "2.00%, from 10 to 1,000 events", "met"),
    ]
    assert {one.met for one in verdicts.all_of({})} == {"not measured"}


def test_ours_below_the_noise_is_no_ratio() -> None:
    """Where the median of what ours adds is not above nothing, the target is not met: it could not be measured there."""
    ours = {"with": [{"seconds": 0.1, "cpu": 0.1}], "bare": [{"seconds": 0.2, "cpu": 0.1}]}
    pair = {"with": [{"seconds": 0.7, "cpu": 0.6}], "bare": [{"seconds": 0.1, "cpu": 0.1}]}
    told = [one.met for one in verdicts.all_of({"run_cost": {"pairs": {"otel-bridge": ours, "otel-http": pair}}})]
    assert told[:3] == ["not measured", "**not met**", ""]


def test_a_plot_shows_each_figure_once() -> None:
    """Bars are as long as their values are, a cut one says so, and a name cannot break out of the SVG."""
    drawn = charts.bars("A < B", {"one": [100.0, 400.0], "<two>": [200.0, 400.0]}, ["x", "y"], most=400)
    widths = [float(width) for width in re.findall(r'<rect x="270" y="[\d.]+" width="([\d.]+)"', drawn)]
    assert [round(width / widths[0], 2) for width in widths] == [1, 4, 2, 4]
    assert drawn.count("&gt; 400") == 2 and "A &lt; B" in drawn and "&lt;two&gt;" in drawn
