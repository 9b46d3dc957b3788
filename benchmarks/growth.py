"""Part e: what a run and a drained event cost when little waits and when much waits.

Instructions of the whole process: a run by callgrind, a drain by cachegrind without its caches, which
counts faster.
A drained event is what draining so many costs more than draining one, divided; the sink is ours.
"""

import re
import shutil
import subprocess
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import counting
from contenders import Contender
from measuring import sink
from recorded import BOUND, record, waiting


def measured(contenders: Sequence[Contender], options: Namespace, place: Path) -> dict[str, object]:
    """For each size of the spool: instructions of a run, and of an event that is drained."""
    del contenders  # ours alone has a spool
    if not shutil.which("valgrind"):
        return {"failed": "valgrind is missing; `make system-deps` installs it on Debian"}
    found = []
    with sink("up", place) as where:
        record(place / "one", 1)
        base = drained(place / "one", where.http)
        for size in options.sizes:
            home = place / f"of-{size}"
            record(home, size, **BOUND)
            events = waiting(home)
            copy = shutil.copytree(home, place / f"drained-{size}")
            run = counting.instructions("kitchen-argparse", home, KITCHEN_TELEMETRY="on")  # as it is usually run
            each = (drained(copy, where.http) - base) // (events - 1)
            found.append({"wanted": size, "events": events, "run": run, "drained": each})
            print(f"e: {events:,} events wait: a run {run:,} instructions, a drained event {each:,}", flush=True)
        bare = counting.instructions("kitchen-argparse-bare", place / "one")
    return {"sizes": found, "bare": bare}


def drained(home: Path, endpoint: str) -> int:
    """Instructions of `otel-bridge drain`; everything must have been sent."""
    before = waiting(home)
    words = [counting.PYTHON, str(counting.BIN / "otel-bridge"), "drain", "--product", "kitchen"]
    counting_words = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", *words]
    told = {"KITCHEN_TELEMETRY": "on", "OTEL_BRIDGE_ENDPOINT": endpoint, **BOUND}
    done = subprocess.run(counting_words, cwd=home, env=counting.environment(home, **told), capture_output=True, text=True)
    refs = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    assert done.returncode == 0 and refs and not waiting(home), f"{before} events waited\n{done.stdout}{done.stderr}"
    return int(refs[1].replace(",", ""))
