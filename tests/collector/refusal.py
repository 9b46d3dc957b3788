"""What `otel-bridge collector` says when it refuses."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from conftest import ROOT


def refused(tmp_path: Path, verb: str = "run", *words: str, before: Sequence[str] = (), **told: str) -> list[str]:
    """The lines of `otel-bridge collector VERB`, which must refuse: exit code 1, nothing but whole lines, no traceback."""
    places = {"OTEL_BRIDGE_QUEUE_DIR": str(tmp_path / "queue"), "OTEL_BRIDGE_FILE_DIR": str(tmp_path / "out")}
    done = subprocess.run(
        [*before, sys.executable, "-m", "otel_bridge.commands", "collector", verb, *words],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1", **places, **told},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, ""), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()
