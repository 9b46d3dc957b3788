"""Read the documents of a spool back: OTLP/JSON lines, whatever became of them in between."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST = 1 << 20  # bytes of a line; nothing that we write is nearly as long
_STARTS = ('{"resourceLogs":', '{"resourceSpans":')  # a quoted string never holds this: its quotes are escaped
TOP = {"logs": ("resourceLogs", "scopeLogs", "logRecords"), "traces": ("resourceSpans", "scopeSpans", "spans")}
_ENOUGH = 256  # resources that are kept parsed: those of one product on one machine differ little


@dataclass(frozen=True, slots=True)
class Item:
    """One record or span of a spool: the JSON object that OTLP has for it, with its resource, its scope and its line."""

    signal: str
    resource: dict[str, Any]
    scope: dict[str, Any]
    body: dict[str, Any]
    line: str
    head: int = 0  # characters of the line that other records of the same resource object begin with, too


class Reader:
    """Reads the documents of one signal; those of one run share their resource, which is parsed once."""

    def __init__(self, signal: str) -> None:
        self.signal, self.top = signal, TOP[signal]
        self._open = f'"{self.top[2]}":['
        self._heads: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}

    def read(self, path: Path) -> Iterator[Item | None]:
        """The items of a file in their order, None for a document that cannot be read (a half-written one, for instance)."""
        if not path.is_file():  # none yet, or a pipe or a folder in its place
            return
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return
        with file:
            while line := file.readline(LONGEST):
                if len(line) == LONGEST and not line.endswith(b"\n"):  # nobody's record: skip it, whatever its length
                    while len(line) == LONGEST and not line.endswith(b"\n"):
                        line = file.readline(LONGEST)
                    yield None
                    continue
                for document in _documents(line.decode("utf-8", "replace").rstrip("\n")):
                    try:
                        yield from self._items(document)
                    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                        yield None

    def _items(self, document: str) -> list[Item]:
        """The items of a document; ours have one, and end as `_head` looks for. Raises ValueError and the like."""
        at = document.find(self._open) + len(self._open)
        head = self._head(document[:at]) if document.endswith("]}]}]}") else None
        if head is not None:
            try:
                body = json.loads(document[at:-6])
                if isinstance(body, dict):
                    return [Item(self.signal, *head, body, document, at)]
            except ValueError:  # several records
                pass
        resources, scopes, records = self.top
        return [
            Item(self.signal, group.get("resource", {}), scoped.get("scope", {}), _object(body), document)
            for group in json.loads(document)[resources]
            for scoped in group[scopes]
            for body in scoped[records]
        ]

    def _head(self, text: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The resource and the scope of a document that has one of each, by what stands before its records."""
        known = self._heads.get(text)
        if known is None:
            try:
                ((group,),) = json.loads(text + "]}]}]}").values()
                ((scoped,),) = [group[self.top[1]]]
                known = group.get("resource", {}), scoped.get("scope", {})
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                return None
            if len(self._heads) >= _ENOUGH:
                self._heads.clear()
            self._heads[text] = known
        return known


def _object(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise TypeError(type(body))
    return body


def _documents(line: str) -> list[str]:
    """The documents that stand on a line: more than one where a half-written one had no newline."""
    if line.startswith(_STARTS) and all(line.find(start, 1) < 0 for start in _STARTS):
        return [line]
    starts = sorted({0} | {at for start in _STARTS for at in _find(line, start)})
    return [line[begin:end] for begin, end in zip(starts, [*starts[1:], len(line)], strict=True) if line[begin:end].strip()]


def _find(line: str, start: str) -> Iterator[int]:
    at = line.find(start)
    while at >= 0:
        yield at
        at = line.find(start, at + 1)


def read(path: Path, signal: str) -> tuple[list[Item], int]:
    """The items of a spool file, and how many documents could not be read."""
    found = list(Reader(signal).read(path))
    items = [item for item in found if item is not None]
    return items, len(found) - len(items)
