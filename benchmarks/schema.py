"""What declaring costs: instructions of one recorded event, and of `otel-bridge check` beside merely loading the same YAML.

Counted by callgrind, so the figures hold on any machine at any load. Raw results go to benchmarks/results/schema.json.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
RESULTS = HERE / "results" / "schema.json"
ATTRIBUTES = 200
EVENT = """
import sys
import kitchen._telemetry as declared
from otel_bridge.consent import Decision
from otel_bridge.privacy import clean
from otel_bridge.record import Run, attributes, record
run = Run(declared, Decision("on", "because", "variable"), sys.argv[1], {"told": "7c1d9a40-0d52-8a7e-b3b2-5f2b9b7a0c55"})
run.parsed["otel_bridge.command"] = "converge"
given = {
    "kitchen.provisioner.name": "chef_zero",
    "kitchen.provisioner.product": "chef",
    "kitchen.provisioner.product_version": "17.10",
    "kitchen.provisioner.channel": "stable",
    "kitchen.provisioner.resolver": "policyfile",
    "kitchen.seconds": 2.5,
    "kitchen.succeeded": True,
}
specs = (*declared.EVENTS["kitchen.converge"], *declared.COMMON[:2])
whole = {**given, "otel_bridge.command": "converge", "otel_bridge.sequence": 7}
for _ in range(int(sys.argv[2])):
"""
STEPS = {
    "built: cleaned, and written as OTLP/JSON": "    attributes(clean(specs, whole, run.names, run.told, run.seen)[0])",
    "recorded: with uid, session, times and resource, locked and appended": "    record(run, 'kitchen.converge', given)",
}
LOAD = "import sys, yaml; yaml.safe_load(open(sys.argv[1], encoding='utf-8'))"
ONE = """\
  - key: big.attribute_{0}
    type: string
    stability: development
    brief: One of two words, number {0}.
    examples: [red]
    annotations: {{privacy: {{policy: enum, values: [red, blue], purpose: "Which word?", category: usage, owner: a@example.org}}}}
"""


def instructions(home: Path, *words: str) -> int:
    """Instructions of one warm run of a command."""
    environment = {
        "HOME": str(home),
        "PATH": f"{BIN}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "KITCHEN_TELEMETRY": "on",
    }
    subprocess.run(words, env=environment, capture_output=True, check=True)
    counting = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *words]
    done = subprocess.run(counting, env=environment, capture_output=True, text=True, check=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found, done.stderr
    return int(found[1])


def event(home: Path, step: str) -> int:
    """Instructions of one event with nine attributes: the hundredth part of a hundred more of them."""
    program = (str(BIN / "python"), "-c", EVENT + STEPS[step], str(home / "state"))
    counted = [instructions(home, *program, times) for times in ("1", "101")]
    return (counted[1] - counted[0]) // 100


def checking(home: Path) -> tuple[int, int]:
    """Instructions of importing PyYAML and loading a registry of 200 attributes, and of checking it."""
    keys = range(ATTRIBUTES)
    refs = "".join(f"      - {{ref: big.attribute_{number}, requirement_level: recommended}}\n" for number in keys)
    text = "file_format: definition/2\nattributes:\n" + "".join(map(ONE.format, keys))
    text += f"events:\n  - name: big.event\n    brief: All of them.\n    attributes:\n{refs}"
    (home / "telemetry.yaml").write_text(text, encoding="utf-8")
    (home / "otel-bridge.toml").write_text('product = "big"\npackage = "big"\n', encoding="utf-8")
    file = str(home / "telemetry.yaml")
    return instructions(home, str(BIN / "python"), "-c", LOAD, file), instructions(home, str(BIN / "otel-bridge"), "check", file)


def main() -> None:
    """Count, print, keep the raw figures."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if not shutil.which("valgrind"):
        sys.exit("valgrind is missing; `make system-deps` installs it on Debian")
    with tempfile.TemporaryDirectory() as place:
        events = {step: event(Path(place), step) for step in STEPS}
        loading, check = checking(Path(place))
    print("instructions")
    for step, counted in events.items():
        print(f"{counted:14,}  an event with nine attributes, {step}")
    print(f"{loading:14,}  importing PyYAML and loading {ATTRIBUTES} attributes")
    print(f"{check:14,}  otel-bridge check of the same, {check / loading:.2f} times as many")
    RESULTS.parent.mkdir(exist_ok=True)
    found = {"python": sys.version.split()[0], "events": events, "attributes": ATTRIBUTES, "load": loading, "check": check}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
