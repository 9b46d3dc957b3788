"""Keep aside a record that a server refused alone, with what it said, so that somebody can find out why."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import ledger, otlp_json
from .otlp import Answer
from .prepare import Ready

BYTES = 1 << 20  # of one file; the one before it is kept too


def keep(folder: Path, signal: str, endpoint: str, answer: Answer, ready: Ready) -> None:
    """Append one record, as a line of the ledger's form with the answer in words. Raises OSError."""
    told = {"answer": answer.error}
    ledger.append(folder / "quarantine" / f"{signal}.jsonl", BYTES, endpoint, answer, otlp_json.body(signal, [ready]), told)


def entries(folder: Path) -> Iterator[dict[str, Any]]:
    """The records kept aside, oldest first, each once."""
    seen = set()
    for signal in ("logs", "traces"):
        for entry in ledger.read(folder / "quarantine" / f"{signal}.jsonl"):
            key = json.dumps([entry.get("resourceLogs"), entry.get("resourceSpans")])
            if key not in seen:
                seen.add(key)
                yield entry
