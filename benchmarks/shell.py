"""What a run costs that others start: under `opentelemetry-instrument`, and by `otel-bridge emit` and `run` in a shell.

Counted by callgrind: instructions of all processes of a command, children included, each beside what it is compared with, counted
in the same run. Raw results go where benchmarks/hot_path.py, which calls this, puts its own.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from counting import BIN, PYTHON, counted, files, run
from opentelemetry.instrumentation import auto_instrumentation

BRIDGE = str(BIN / "otel-bridge")
REGISTRY = Path(__file__).resolve().parents[1] / "examples/kitchen/telemetry.yaml"
MODES = {"on": {"KITCHEN_TELEMETRY": "on"}, "off": {"KITCHEN_TELEMETRY": "off"}}
# Exporters that send nothing: what the user's own telemetry costs to ship is not the question.
NOTHING = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}
WITHOUT_OURS = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "otel_bridge_cli"}
# What `opentelemetry-instrument` sets for the program that it becomes; its own start, as much again, is the same without us.
AGENT = {"PYTHONPATH": os.path.dirname(auto_instrumentation.__file__), **NOTHING}
EVENT = ("kitchen.create", "kitchen.driver.name=vagrant", "kitchen.platform=debian-12", "kitchen.transport=ssh")
COMMANDS = {"/bin/true": ("/bin/true",), "python -c pass": (PYTHON, "-c", "pass")}


def count(found: dict[str, object], twins: Mapping[str, tuple[str, str]]) -> None:
    """The twins under `opentelemetry-instrument`, and `emit` and `run` beside what they are compared with."""
    print(f"\n{'under opentelemetry-instrument':32}{'instructions':>14}{'added':>13}{'files':>7}")
    found["under opentelemetry-instrument"] = {twin: instrumented(twin, *scripts) for twin, scripts in twins.items()}
    print(f"\n{'otel-bridge':32}{'instructions':>14}{'added':>13}{'x bare':>9}{'x python':>10}")
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        run([BRIDGE, "register", str(REGISTRY)], home)
        python = counted([*COMMANDS["python -c pass"]], home, children=True)
        found["python -c pass"] = {"instructions": python}
        emit = (BRIDGE, "emit", "--product", "kitchen", *EVENT)
        found["emit"] = compared("emit", python, python, emit, home)
        for name, command in COMMANDS.items():
            bare = counted([*command], home, children=True)
            words = (BRIDGE, "run", "--product", "kitchen", "--", *command)
            found[f"run {name}"] = compared(f"run {name}", bare, python, words, home)


def under_the_agent(name: str, home: Path, **more: str) -> int:
    """Instructions of one warm run of a script as `opentelemetry-instrument` starts it."""
    return counted([PYTHON, str(BIN / name), "create", "debian"], home, children=True, **AGENT, **more)


def instrumented(twin: str, script: str, bare: str) -> dict[str, object]:
    """The rows of one twin; what is added is added to the bare twin started the same way, with our instrumentor disabled.

    A bare twin is a script of nobody's, so its second row is what any other process pays. A recorded run without our instrumentor
    is a row, too: what is missing there is the instrumentor's share.
    """
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        base = under_the_agent(bare, home, **WITHOUT_OURS)
        print(f"{twin:10}{'bare':22}{base:14,}{0:13,}{0:7}", flush=True)
        rows: dict[str, object] = {"bare": {"instructions": base}}
        ways = {"bare, our instrumentor": (bare, {}), **{mode: (script, more) for mode, more in MODES.items()}}
        ways["on, without our instrumentor"] = (script, {**MODES["on"], **WITHOUT_OURS})
        for name, (started, more) in ways.items():
            found = under_the_agent(started, home, **more)
            loaded = files(started, home, **AGENT, **more)  # of a run that is not the first
            print(f"{twin:10}{name:28}{found:14,}{found - base:13,}{len(loaded):7}", flush=True)
            rows[name] = {"instructions": found, "added": found - base, "files": loaded}
    return rows


def compared(title: str, bare: int, python: int, words: tuple[str, ...], home: Path) -> dict[str, object]:
    """The rows of one command of ours, on and off: beside the bare command, and beside a Python that does nothing."""
    print(f"{title:24}{'bare':8}{bare:14,}{0:13,}{1:9.2f}{bare / python:10.2f}", flush=True)
    rows: dict[str, object] = {"bare": {"instructions": bare}}
    for mode, more in MODES.items():
        found = counted([*words], home, children=True, **more)
        print(f"{title:24}{mode:8}{found:14,}{found - bare:13,}{found / bare:9.2f}{found / python:10.2f}", flush=True)
        ratios = {"to_bare": round(found / bare, 3), "to_python": round(found / python, 3)}
        rows[mode] = {"instructions": found, "added": found - bare, **ratios}
    return rows
