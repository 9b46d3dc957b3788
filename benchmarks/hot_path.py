"""What a run of a real CLI costs with telemetry, beside its bare twin and beside the OTel SDK doing the same.

Counted: instructions of the CLI's own process (callgrind: the same run gives the same figure to some tenths of a per cent, on any
machine at any load), files of ours that it loads, bytes on standard error; then what `opentelemetry-instrument`, `otel-bridge emit`
and `otel-bridge run` cost. Timed, for the reader alone: paired and shuffled milliseconds. `--rounds N` sets the number of rounds
(150). Raw results go to benchmarks/results/hot_path.json.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import shell
from counting import BIN, DUE, PYTHON, SINKS, counted, environment, files, instructions, run, sink

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "hot_path.json"
MODES = {
    "on": {"KITCHEN_TELEMETRY": "on"},
    "off": {"KITCHEN_TELEMETRY": "off"},
    "DO_NOT_TRACK": {"DO_NOT_TRACK": "1"},
    "undecided": {},
    "CI": {"GITHUB_ACTIONS": "true"},
}
TWINS = {
    "click": ("kitchen", "kitchen-bare"),
    "argparse": ("kitchen-argparse", "kitchen-argparse-bare"),
    "typer": ("kitchen-typer", "kitchen-typer-bare"),
}
RAW = str(HERE / "peers" / "raw_otel_sdk.py")


def deciding(home: Path) -> int:
    """Instructions of one `decide` with a choice on file: the hundredth part of a hundred more of them."""
    run([str(BIN / "otel-bridge"), "on", "--product", "kitchen"], home)
    code = "import sys; from otel_bridge.consent import decide; [decide('kitchen') for _ in range(int(sys.argv[1]))]"
    once, often = (counted([PYTHON, "-c", code, times], home) for times in ("1", "101"))
    return (often - once) // 100


def count(found: dict[str, object]) -> None:
    """Instructions and files: every mode of the twins, a run that starts a sender in every state of the sink, the raw SDK."""
    with tempfile.TemporaryDirectory() as place:
        found["decide, a choice on file"] = cost = deciding(Path(place))
        print(f"decide, a choice on file: {cost:,} instructions\n")
    print(f"{'':10}{'mode':22}{'instructions':>14}{'added':>13}{'files':>7}")
    for twin, (script, bare) in TWINS.items():
        with tempfile.TemporaryDirectory() as place:
            home = Path(place)
            base = instructions(bare, home)
            rows: dict[str, object] = {"bare": {"instructions": base}}
            print(f"{twin:10}{'bare':22}{base:14,}{0:13,}{0:7}", flush=True)
            for mode, more in MODES.items():
                rows[mode] = row(twin, mode, base, instructions(script, home, **more), files(script, home, **more))
            for state in SINKS:
                with sink(state, home / "collector") as endpoint:
                    more = {**DUE, "OTEL_BRIDGE_ENDPOINT": endpoint}
                    cost, loaded = instructions(script, home, **more), files(script, home, **more)
                rows[f"on, sink {state}"] = row(twin, f"on, send due, {state}", base, cost, loaded)
            if twin == "argparse":
                with sink("up", home / "collector") as endpoint:
                    cost = instructions(RAW, home, OTEL_BRIDGE_ENDPOINT=endpoint)
                rows["raw OTel SDK, sink up"] = row(twin, "raw OTel SDK, up", base, cost, [])
            found[twin] = rows


def row(twin: str, mode: str, base: int, cost: int, loaded: list[str]) -> dict[str, object]:
    """Print one line of the table, and return it."""
    print(f"{twin:10}{mode:22}{cost:14,}{cost - base:13,}{len(loaded):7}", flush=True)
    return {"instructions": cost, "added": cost - base, "files": loaded}


def clock(found: dict[str, object], rounds: int) -> None:
    """Milliseconds added to the bare argparse twin, pair by pair in shuffled order, and bytes on standard error."""
    script, bare = TWINS["argparse"]
    print(f"\n{'argparse, added to bare':32}{'median ms':>10}{'10 %':>8}{'90 %':>8}{'stderr bytes':>14}{'rounds':>8}")
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        for state in SINKS:
            with sink(state, home / "collector") as endpoint:
                variants = {
                    "on": ([str(BIN / script), "create"], {"KITCHEN_TELEMETRY": "on"}, rounds),
                    "off": ([str(BIN / script), "create"], {"DO_NOT_TRACK": "1"}, rounds),
                    "raw OTel SDK": ([PYTHON, RAW, "create"], {}, min(rounds, 3 if state != "up" else 30)),
                }
                for name, (words, more, times) in variants.items():
                    if name == "off" and state != "up":
                        continue
                    told = paired(words, [str(BIN / bare), "create"], home, times, {**more, "OTEL_BRIDGE_ENDPOINT": endpoint})
                    told_ms = sorted(told["milliseconds"])
                    low, high = told_ms[len(told_ms) // 10], told_ms[-1 - len(told_ms) // 10]
                    label = f"{name}, sink {state}"
                    line = f"{label:32}{statistics.median(told_ms):10.1f}{low:8.1f}{high:8.1f}{told['stderr']:14}{times:8}"
                    print(line, flush=True)
                    found[label] = told


def paired(words: list[str], bare: list[str], home: Path, rounds: int, more: dict[str, str]) -> dict[str, object]:
    """Differences in milliseconds of one command against another, each pair in random order."""
    differences, said = [], 0
    shuffle = random.Random(7)
    for number in range(rounds + 2):
        taken = {}
        for one in shuffle.sample((0, 1), 2):
            started = time.perf_counter()
            done = subprocess.run((words, bare)[one], cwd=home, env=environment(home, **more), capture_output=True)
            taken[one] = (time.perf_counter() - started) * 1000
            said += len(done.stderr) if one == 0 else 0
        if number >= 2:  # the first two warm caches
            differences.append(round(taken[0] - taken[1], 2))
    return {"milliseconds": differences, "stderr": said}


def main() -> None:
    """Count, time, print a table, keep the raw figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=150)
    rounds = parser.parse_args().rounds
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if not shutil.which("valgrind"):
        sys.exit("valgrind is missing; `make system-deps` installs it on Debian")
    found: dict[str, object] = {}
    timed: dict[str, object] = {}
    count(found)
    shell.count(found, TWINS)
    clock(timed, rounds)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"python": sys.version.split()[0], "counted": found, "timed": timed}, indent=1) + "\n")


if __name__ == "__main__":
    main()
