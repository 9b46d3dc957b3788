"""Give the file sink's documents back to a collector, each record once it was acknowledged, and count what becomes of them.

Every request is posted until it is taken: a 503 (a full queue, a sink that is down) is asked again. Nothing is skipped over in
silence, as the collector's own file receiver does. What was taken is written down, so that a replay that was stopped goes on.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import DeliveryError
from .mend import Document, Item, Piece, document, items, mended, portions
from .post import Target
from .progress import Done

BODY = 60_000  # bytes of one request: an intake behind overlays/gateway.yaml takes 65,536
_SHOWN = 20  # pieces that are told one by one


@dataclass
class Count:
    """What a replay read and what became of it; records, but for files, documents, requests asked again, unreadable pieces."""

    files: int = 0
    documents: int = 0
    records: int = 0
    before: int = 0
    deleted: int = 0
    accepted: int = 0
    asked_again: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    unreadable: int = 0
    where: list[str] = field(default_factory=list)

    def unread(self, file: Path, piece: Piece) -> None:
        """Count a piece that is no document; the first ones with their place."""
        self.unreadable += 1
        if len(self.where) < _SHOWN:
            self.where.append(f"{file}:{piece.line}:{piece.column}: {piece.why}, {piece.size} bytes")


def files_of(places: Iterable[Path]) -> list[Path]:
    """The files to replay, oldest first: those named, and of a folder what the file sink wrote there. Raises DeliveryError."""
    found: list[Path] = []
    for place in places:
        inside = [one for one in place.glob("*.jsonl*") if one.name.startswith(("logs", "traces"))] if place.is_dir() else [place]
        if not inside:
            raise DeliveryError(f"{place}: no logs*.jsonl and no traces*.jsonl in it; name the folder of the file sink")
        found += inside
    for file in found:
        if not file.is_file():
            raise DeliveryError(f"{file}: no such file; name files of the file sink, or their folder")
    return sorted(dict.fromkeys(found), key=lambda file: (file.stat().st_mtime, file.name))


def survey(files: Iterable[Path]) -> tuple[set[str], int]:
    """The installation ids whose deletion somebody asked for in these files, and how many records there are. Raises OSError."""
    asked: set[str] = set()
    number = 0
    for file in files:
        for one in mended(file):
            for _, _, record in items(one.signal, one.body) if isinstance(one, Document) else ():
                number += 1
                if record.get("eventName") == "deletion.request":
                    for attribute in record.get("attributes", []):
                        if attribute.get("key") == "otel_bridge.deletion.ids":
                            values = attribute.get("value", {}).get("arrayValue", {}).get("values", [])
                            asked |= {value.get("stringValue", "") for value in values}
    return asked - {""}, number


def digest_of(file: Path) -> str:
    """What a file is known by, wherever it was moved. Raises OSError."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def replay(file: Path, target: Target | None, done: Done, deleted: set[str], count: Count) -> Iterator[int]:
    """Post every whole document of one file; yields how many records it went on by. Without a target it only counts.

    Raises DeliveryError and OSError.
    """
    digest, number = digest_of(file), 0
    already = done.of(digest)
    count.files += 1
    for one in mended(file):
        if isinstance(one, Piece):
            count.unread(file, one)
            continue
        number += 1
        if number <= already:
            found = sum(1 for _ in items(one.signal, one.body))
            count.documents, count.records, count.before = count.documents + 1, count.records + found, count.before + found
            yield found
            continue
        found, kept = _kept(one, deleted, count)
        if target is not None:
            done.give(one.signal, len(kept))
            for size, body in portions(one.signal, document(one.signal, kept), BODY):
                _offer(target, one.signal, body, size, count)
            done.put(digest, number)
        yield found


def write(files: Iterable[Path], folder: Path, deleted: set[str], count: Count) -> Iterator[int]:
    """Mended copies: the same names, one whole document a line, none of the deleted. Yields records; raises DeliveryError."""
    for file in files:
        new = folder / file.name.removesuffix(".gz")
        if new.exists():
            raise DeliveryError(f"{new}: is there already; name an empty folder")
        count.files += 1
        with new.open("xb") as mending:
            for one in mended(file):
                if isinstance(one, Piece):
                    count.unread(file, one)
                    continue
                found, kept = _kept(one, deleted, count)
                if kept:
                    text = json.dumps(document(one.signal, kept), separators=(",", ":"), ensure_ascii=False)
                    mending.write(text.encode("utf-8", "surrogatepass") + b"\n")
                yield found


def _kept(one: Document, deleted: set[str], count: Count) -> tuple[int, list[Item]]:
    """How many records a document has, and those of them that nobody wants deleted."""
    found = list(items(one.signal, one.body))
    kept = [item for item in found if not _belongs(item[0], deleted) or item[2].get("eventName") == "deletion.request"]
    count.documents += 1
    count.records += len(found)
    count.deleted += len(found) - len(kept)
    return len(found), kept


def _offer(target: Target, signal: str, body: bytes, size: int, count: Count) -> None:
    status, again = target.post(signal, body)
    count.asked_again += again
    if status == 200:
        count.accepted += size
    elif status in (400, 413, 500):  # what stands in this one is not to its taste; the next may be
        count.refused[status] += size
    else:
        raise DeliveryError(f"the intake answers {status}: name its base URL with --endpoint, its key with OTEL_BRIDGE_HEADERS")


def _belongs(resource: Mapping[str, object], ids: set[str]) -> bool:
    given = resource.get("attributes", [])
    assert isinstance(given, list)
    return any(one.get("key") == "app.installation.id" and one.get("value", {}).get("stringValue") in ids for one in given)
