"""Say what is wrong with a world after its last drain: compare what writers noted, what servers took and what was counted."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faulty_server import of_json

from otel_bridge.record.losses import Row, table

UID = re.compile(rb'"key":"log\.record\.uid","value":\{"stringValue":"([0-9a-f-]{36})"')
SPAN = re.compile(rb'"spans":\[\{"traceId":"[0-9a-f]{32}","spanId":"([0-9a-f]{16})"')
NEVER_WRITTEN = ("busy", "disk_full", "unwritable")
KNOWN = {*NEVER_WRITTEN, "spool_full", "too_old", "torn", "refused", "rejected", "unfinished"}


@dataclass
class Found:
    """What is known of a world, by the ids of records."""

    tried: set[str] = field(default_factory=set)
    acked: set[str] = field(default_factory=set)
    old: set[str] = field(default_factory=set)  # recorded with a clock 40 days behind
    unwritten: set[str] = field(default_factory=set)
    torn: set[str] = field(default_factory=set)
    short: set[str] = field(default_factory=set)  # cut by a full disk, and the writer died at it: half a line is left, or nothing
    taken: set[str] = field(default_factory=set)
    rejected: set[str] = field(default_factory=set)
    quarantined: set[str] = field(default_factory=set)
    dropped: dict[str, set[str]] = field(default_factory=dict)  # by reason
    lines: Counter[str] = field(default_factory=Counter)  # of dropped files, by reason
    pieces: int = 0  # torn ones in dropped files
    told: dict[str, tuple[str, int]] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    marks: tuple[int, int] = (0, 0)  # runs that died: at least, at most
    faults: list[str] = field(default_factory=list)

    @property
    def counted(self) -> Counter[str]:
        """How much was counted, by reason."""
        return Counter({reason: row.lost for reason, row in self.rows.items() if row.lost})

    def all_dropped(self) -> set[str]:
        """Everything that stood in a dropped file."""
        return set().union(*self.dropped.values())


def gathered(world: Path, state: Path, seen: "set[str] | None" = None) -> Found:
    """Read what a world has left; `seen` are the ids in a real collector's files."""
    found = Found(rows=table(str(state)).rows)
    least = most = 0
    for file in (world / "notes").iterdir():
        words = [line.split(" ", 1) for line in file.read_text().splitlines()]
        notes = {kind: {uid for one, uid in words if one == kind} for kind in ("try", "ack", "lost", "torn", "short")}
        found.tried |= notes["try"]
        found.acked |= notes["ack"]
        found.unwritten |= notes["lost"]
        found.torn |= notes["torn"]
        found.short |= notes["short"] - notes["lost"] - notes["ack"]
        found.old |= notes["try"] if file.name.startswith("old") else set()
        kinds = {one for one, _ in words}
        least += "marked" in kinds and "unmark" not in kinds
        most += "mark" in kinds and "unmarked" not in kinds
    found.marks = (least, most)
    _dropped(found, world)
    _quarantined(found, state)
    _journal(found, world)
    found.taken |= seen or set()
    if (world / "stderr").exists() and (said := (world / "stderr").read_text().strip()):
        found.faults.append(f"a process of ours spoke: {said[-800:]}")
    if left := sorted(one.name for one in (state / "spool").iterdir()):
        found.faults.append(f"left in the spool: {left}")
    return found


def _dropped(found: Found, world: Path) -> None:
    for file in (world / "dropped").iterdir():
        reason, data = file.suffix[1:], file.read_bytes()
        found.lines[reason] += data.count(b"\n") + (not data.endswith(b"\n"))
        whole = [one for one in re.split(rb'(?=\{"resource(?:Logs|Spans)":)|\n', data) if one]
        found.pieces += sum(1 for one in whole if not _whole(one))
        uids = {one.decode() for part in whole if _whole(part) for one in (*UID.findall(part), *SPAN.findall(part))}
        found.dropped.setdefault(reason, set()).update(uids)


def _whole(document: bytes) -> bool:
    try:
        return isinstance(json.loads(document), dict)
    except ValueError:
        return False


def _quarantined(found: Found, state: Path) -> None:
    for file in (state / "quarantine").glob("*.jsonl"):
        for document in re.findall(r'\{"time":.*', file.read_text()):  # an entry that follows half of one stands on its line
            try:
                found.quarantined |= {uid for uid, _ in of_json(json.loads(document[document.rindex('{"time":') :]))}
            except ValueError:  # half of one: its sender was killed
                continue


def _journal(found: Found, world: Path) -> None:
    lines = (world / "journal").read_text().splitlines() if (world / "journal").exists() else []
    for line in filter(None, lines):
        try:
            entry: dict[str, Any] = json.loads(line)
        except ValueError:  # its server was killed, and never answered
            continue
        if "bad" in entry:
            found.faults.append(f"a request that nobody can read: {entry['bad']}")
            continue
        found.taken |= set(entry["taken"])
        found.rejected |= set(entry["rejected"])
        for uid, reason, count in entry["told"]:
            hear(found, uid, reason, count)


def hear(found: Found, uid: str, reason: str, count: int) -> None:
    """Note one event `telemetry.dropped`; the same one says the same again."""
    if found.told.setdefault(uid, (reason, count)) != (reason, count):
        found.faults.append(f"the event {uid} tells of {count} {reason}, and told of {found.told[uid]}")


def judged(found: Found) -> list[str]:
    """Everything that is wrong, one line each."""
    wrong = list(found.faults)
    places = {
        "seen": found.taken,
        "quarantined": found.quarantined,
        "rejected": found.rejected,
        "dropped": found.all_dropped(),
        "never written": found.unwritten,
    }
    for name, uids in places.items():
        if invented := uids - found.tried:
            wrong.append(f"{name}, but never recorded: {_some(invented)}")
    names = list(places)
    for at, one in enumerate(names):
        for other in names[at + 1 :]:
            if both := places[one] & places[other]:
                wrong.append(f"{one} and {other}: {_some(both)}")
    nowhere = found.acked - set().union(*places.values()) - found.old
    if nowhere:
        wrong.append(f"acknowledged, neither seen nor lost for a reason: {_some(nowhere)}")
    if found.old & found.taken:
        wrong.append(f"too old, and sent: {_some(found.old & found.taken)}")
    return wrong + _counts(found, places) + _telling(found)


def _counts(found: Found, places: dict[str, set[str]]) -> list[str]:
    """Numbers that differ from what they count."""
    wrong = []
    unsure = len(found.tried - found.acked)
    old = found.old - found.all_dropped() - found.unwritten
    aged = len(old & found.acked), len(old - found.torn)
    expected = {
        "spool_full": (found.lines["spool_full"],) * 2,
        "too_old": (found.lines["too_old"] + aged[0], found.lines["too_old"] + aged[1]),
        "torn": (len(found.torn) - found.pieces, len(found.torn | found.short) - found.pieces),
        "refused": (len(found.quarantined),) * 2,
        "rejected": (len(found.rejected),) * 2,
        "unfinished": found.marks,
    }
    for reason, (least, most) in expected.items():
        if not least <= found.counted[reason] <= most:
            wrong.append(f"{reason}: {found.counted[reason]} counted, {least}{f' to {most}' if most != least else ''} lost")
    never = sum(found.counted[reason] for reason in NEVER_WRITTEN)
    if not len(found.unwritten) <= never <= len(found.unwritten) + unsure:
        wrong.append(f"never written: {never} counted, {len(found.unwritten)} lost")
    if other := {reason: number for reason, number in found.counted.items() if reason not in KNOWN}:
        wrong.append(f"lost for reasons that nobody has given: {other}")
    return wrong


def _telling(found: Found) -> list[str]:
    """What the intake was told, by distinct events, is what was counted."""
    told: Counter[str] = Counter()
    for reason, count in found.told.values():
        told[reason] += count
    wrong = [] if told == found.counted else [f"told {dict(told)}, counted {dict(found.counted)}"]
    if open_ := sorted(reason for reason, row in found.rows.items() if row.told != row.lost or row.uid):
        wrong.append(f"still to be told: {open_}")
    return wrong


def _some(uids: set[str]) -> str:
    return f"{len(uids)}, of which {', '.join(sorted(uids)[:3])}"
