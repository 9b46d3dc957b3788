"""Take the whole documents out of the file sink's lines: a collector that was killed leaves half ones, and glues others to them.

The file exporter writes a document and its newline with two calls. After a kill or on a full disk the next document that was
acknowledged stands behind a half one, or behind a whole one, on the same line. A half one was never acknowledged.
"""

import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STARTS = {b'{"resourceLogs":': "logs", b'{"resourceSpans":': "traces"}  # a quoted string never holds these: its quotes are escaped
PARTS = {"logs": ("resourceLogs", "scopeLogs", "logRecords"), "traces": ("resourceSpans", "scopeSpans", "spans")}
Item = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]  # resource, scope, and record or span
_TOO_DEEP = 100  # of an exporter's document a dozen levels, and a few a value nests


@dataclass(frozen=True)
class Document:
    """One request as the sink wrote it, and where it stands: line and column from 1."""

    signal: str
    body: dict[str, Any]
    line: int
    column: int


@dataclass(frozen=True)
class Piece:
    """What is no document: where it begins, how many bytes it has, and what is wrong with it."""

    line: int
    column: int
    size: int
    why: str


def mended(file: Path) -> Iterator[Document | Piece]:
    """Every document of a file of the file sink (`.gz` as well), and every piece that is none, in order. Raises OSError."""
    with _opened(file) as lines:
        for number, line in enumerate(lines, 1):
            yield from documents(line.rstrip(b"\n"), number)


def _opened(file: Path) -> io.BufferedReader:
    return io.BufferedReader(gzip.open(file)) if file.suffix == ".gz" else file.open("rb")


def documents(line: bytes, number: int = 1) -> Iterator[Document | Piece]:
    """The documents and the pieces that stand on one line."""
    starts = sorted({at for start in STARTS for at in _find(line, start)})
    if line.strip() and (not starts or line[: starts[0]].strip()):
        starts = [0, *starts]
    for begin, end in zip(starts, [*starts[1:], len(line)][: len(starts)], strict=True):
        yield _read(line[begin:end], number, begin + 1)


def _find(line: bytes, start: bytes) -> Iterator[int]:
    at = line.find(start)
    while at >= 0:
        yield at
        at = line.find(start, at + 1)


def _read(text: bytes, line: int, column: int) -> Document | Piece:
    signal = next((signal for start, signal in STARTS.items() if text.startswith(start)), "")
    if not signal:
        return Piece(line, column, len(text), "no OTLP/JSON")
    if text.endswith(b"\x00"):
        text = text.rstrip(b"\x00")  # a machine that lost power leaves zeros where a file had grown
    try:
        body = json.loads(text)
        if _deeper(body, _TOO_DEEP):
            return Piece(line, column, len(text), "nested too deep")
        list(items(signal, body))
    except RecursionError:
        return Piece(line, column, len(text), "nested too deep")
    except (ValueError, TypeError, KeyError, AttributeError):
        return Piece(line, column, len(text), "no whole document")
    return Document(signal, body, line, column)


def _deeper(value: Any, levels: int) -> bool:
    level = [value]
    for _ in range(levels):
        level = [
            one
            for outer in level
            if isinstance(outer, dict | list)
            for one in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(one, dict | list)
        ]
        if not level:
            return False
    return True


def items(signal: str, body: dict[str, Any]) -> Iterator[Item]:
    """Resource, scope and record of everything in a document. Raises what a dict raises that is no OTLP/JSON."""
    resources, scopes, records = PARTS[signal]
    for group in body[resources]:
        for scoped in group.get(scopes, []):
            for record in scoped.get(records, []):
                record.get("attributes", [])
                yield group.get("resource", {}), scoped.get("scope", {}), record


def document(signal: str, chosen: list[Item]) -> dict[str, Any]:
    """A request of chosen items; neighbours with one resource and one scope stand together."""
    resources, scopes, records = PARTS[signal]
    groups: list[dict[str, Any]] = []
    last: tuple[dict[str, Any], dict[str, Any]] | None = None
    for resource, scope, record in chosen:
        if last is None or (last[0] is not resource and last[0] != resource) or last[1] != scope:
            groups.append({"resource": resource, scopes: [{"scope": scope, records: []}]})
            last = (resource, scope)
        groups[-1][scopes][0][records].append(record)
    return {resources: groups}


def portions(signal: str, body: dict[str, Any], limit: int) -> Iterator[tuple[int, bytes]]:
    """A request as bodies of at most `limit` bytes, each with its number of records; halved as often as that takes."""
    waiting = [list(items(signal, body))]
    while waiting:
        chosen = waiting.pop()
        text = json.dumps(document(signal, chosen), separators=(",", ":")).encode()
        if len(text) <= limit or len(chosen) == 1:
            if chosen:
                yield len(chosen), text
        else:
            waiting += [chosen[len(chosen) // 2 :], chosen[: len(chosen) // 2]]
