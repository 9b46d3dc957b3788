"""Keep on this machine what left it: when, where to, with which answer, and the SHA-256 of the body."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..clock import moment, now
from ..paths import write
from . import otlp_json
from .otlp import Answer

BYTES = 4 << 20  # of one file; the one before it is kept too


def note(folder: Path, signal: str, endpoint: str, answer: Answer) -> None:
    """Append one request that a server took."""
    head = {
        "time": moment(now()),
        "endpoint": endpoint,
        "status": answer.status,
        "sha256": answer.sha256,
        "rejected": answer.rejected,
    }
    line = json.dumps({**head, **otlp_json.told(signal, answer.body)}, separators=(",", ":")) + "\n"
    path = folder / "sent" / "sent.jsonl"
    if path.exists() and path.stat().st_size + len(line) > BYTES:
        path.replace(path.with_name("sent.1.jsonl"))
    write(str(path), os.O_APPEND, line)


def entries(folder: Path) -> Iterator[dict[str, Any]]:
    """The requests that left, oldest first."""
    for name in ("sent.1.jsonl", "sent.jsonl"):
        path = folder / "sent" / name
        if path.exists():
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    yield json.loads(line)
                except ValueError:
                    continue
