"""Keep on this machine what left it: when, where to, with which answer, and the SHA-256 of the body."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..clock import moment, now
from ..paths import write
from .otlp import Answer

BYTES = 4 << 20  # of one file; the one before it is kept too


def note(folder: Path, endpoint: str, answer: Answer, body: bytes) -> None:
    """Append one request that a server took, with its `body` as OTLP/JSON. Raises OSError."""
    append(folder / "sent" / "sent.jsonl", BYTES, endpoint, answer, body, {"rejected": answer.rejected})


def append(path: Path, most: int, endpoint: str, answer: Answer, body: bytes, more: Mapping[str, object]) -> None:
    """Append a request and its answer to a file; beyond `most` bytes another is begun, and the one before the last goes."""
    told = {"time": moment(now()), "endpoint": endpoint, "status": answer.status, "sha256": answer.sha256, **more}
    line = f"{json.dumps(told, separators=(',', ':'))[:-1]},{body.decode()[1:]}\n"
    if path.exists() and path.stat().st_size + len(line) > most:
        path.replace(_before(path))
    write(str(path), os.O_APPEND, line)


def entries(folder: Path) -> Iterator[dict[str, Any]]:
    """The requests that left, oldest first."""
    return read(folder / "sent" / "sent.jsonl")


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The entries of a file and the one before it; of what a newer version, or somebody's editor, wrote, what can be understood."""
    for one in (_before(path), path):
        if one.is_file():
            for line in one.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    entry = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                told = entry if isinstance(entry, dict) else {"unreadable": entry}
                yield {"time": "?", "endpoint": "?", "status": None, "sha256": "?", "rejected": 0, **told}


def _before(path: Path) -> Path:
    return path.with_name(f"{path.stem}.1{path.suffix}")
