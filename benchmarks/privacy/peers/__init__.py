"""The scrubbers that are measured beside ours, each in an environment of its own below .cache/privacy-peers."""

import json
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[2] / ".cache/privacy-peers"
PEERS = ("presidio", "scrubadub", "logfire", "sentry")


def installed(peer: str) -> Path:
    """The Python of a peer's environment, made when it is not there or its requirements have changed."""
    wanted = (HERE / f"requirements-{peer}.txt").read_text()
    folder = CACHE / peer
    python, stamp = folder / "bin/python", folder / "installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"{peer}: installing", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, clear=True)
        words = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]
        subprocess.run([*words, str(HERE / f"requirements-{peer}.txt")], check=True, stdout=sys.stderr)
        stamp.write_text(wanted)
    return python


def ask(peer: str, entries: Sequence[Any]) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """The versions of a peer, and for every entry what it left, by place, with the seconds that it took."""
    python = installed(peer)
    print(f"{peer}: {len(entries):,} strings", file=sys.stderr, flush=True)
    lines = "".join(json.dumps({"text": one.text, "secret": one.secret, "label": one.label}) + "\n" for one in entries)
    words = [str(python), str(HERE / f"for_{peer}.py")]
    done = subprocess.run(words, input=lines, cwd=CACHE, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{peer}: {done.stderr}")
    first, *rest = (json.loads(line) for line in done.stdout.splitlines())
    return first["versions"], rest
