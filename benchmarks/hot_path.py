"""What a run of a real CLI costs with telemetry: instructions (callgrind) and files of ours, beside its bare twin.

Instructions are counted, not timed: the same run gives the same figure to some tenths of a per cent, on any machine at any load.
Results go to benchmarks/results/hot_path.json.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BIN = Path(sys.executable).parent
RESULTS = Path(__file__).parent / "results" / "hot_path.json"
MODES = {
    "on": {"KITCHEN_TELEMETRY": "on"},
    "off": {"KITCHEN_TELEMETRY": "off"},
    "DO_NOT_TRACK": {"DO_NOT_TRACK": "1"},
    "undecided": {},
    "CI": {"GITHUB_ACTIONS": "true"},
}
TWINS = {"click": ("kitchen", "kitchen-bare"), "argparse": ("kitchen-argparse", "kitchen-argparse-bare")}
_FILES = """
import atexit, os, sys
sys.argv = ['kitchen', 'create', 'debian']
@atexit.register
def tell():
    files = [getattr(m, '__file__', None) for n, m in sorted(sys.modules.items())
             if n.split('.')[0] == 'otel_bridge' or n.endswith('._telemetry')]
    print('FILES', *sorted({f for f in files if f}), file=sys.stderr)
from otel_bridge.auto.kitchen.%s import main
sys.exit(main())
"""


def environment(home: Path, **more: str) -> dict[str, str]:
    """A world without anything of the person's, with bytecode kept."""
    return {
        "HOME": str(home),
        "PATH": f"{BIN}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "OTEL_BRIDGE_DETACH": "0",
        **more,
    }


def run(words: list[str], home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the world of the benchmark; it must succeed."""
    return subprocess.run(words, cwd=home, env=environment(home, **more), capture_output=True, text=True, check=True)


def instructions(script: str, home: Path, **more: str) -> int:
    """Instructions of one warm run of a script, its children left out."""
    words = [str(BIN / script), "create", "debian"]
    for _ in range(2):
        run(words, home, **more)
    interpreter = os.path.realpath(sys.executable)
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(BIN / "python"), *words]
    done = run(command, home, **more)
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found, f"{interpreter}: {done.stderr}"
    return int(found[1])


def files(twin: str, home: Path, **more: str) -> list[str]:
    """The module files of ours that a run loads."""
    module = "cli" if twin == "click" else "argparse_cli"
    done = run([str(BIN / "python"), "-c", _FILES % module], home, **more)
    told = next(line for line in done.stderr.splitlines() if line.startswith("FILES"))
    return [name.rpartition("site-packages/")[2].split("/otel_bridge/")[-1] for name in told.split()[1:]]


def main() -> None:
    """Count, print a table, keep the raw figures."""
    if not shutil.which("valgrind"):
        sys.exit("valgrind is missing; `make system-deps` installs it on Debian")
    found: dict[str, dict[str, dict[str, object]]] = {}
    print(f"{'':10}{'mode':14}{'instructions':>14}{'added':>12}{'files':>7}")
    for twin, (script, bare) in TWINS.items():
        with tempfile.TemporaryDirectory() as home:
            base = instructions(bare, Path(home))
            print(f"{twin:10}{'bare':14}{base:14,}{0:12,}{0:7}", flush=True)
            found[twin] = {"bare": {"instructions": base}}
            for mode, more in MODES.items():
                count = instructions(script, Path(home), **more)
                loaded = files(twin, Path(home), **more)
                found[twin][mode] = {"instructions": count, "added": count - base, "files": loaded}
                print(f"{twin:10}{mode:14}{count:14,}{count - base:12,}{len(loaded):7}", flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"python": sys.version.split()[0], "twins": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
