"""Reading back what was written, whatever became of it in between."""

from pathlib import Path

from otel_bridge.export import spool
from otel_bridge.export.segment import settled
from otel_bridge.record.losses import settle, table

LOG = '{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{"eventName":"e%d"}]}]}]}'


def names(path: Path) -> tuple[list[str], int]:
    items, torn = spool.read(path, "logs")
    return [item.body["eventName"] for item in items], torn


def test_a_half_written_last_line_is_skipped_and_counted(tmp_path: Path) -> None:
    """Whole lines before it are read."""
    file = tmp_path / "logs.jsonl"
    file.write_text(LOG % 1 + "\n" + (LOG % 2)[:40])
    assert names(file) == (["e1"], 1)


def test_a_line_after_a_half_written_one_is_read(tmp_path: Path) -> None:
    """Documents that were glued together for want of a newline are told apart."""
    file = tmp_path / "logs.jsonl"
    file.write_text((LOG % 1)[:40] + LOG % 2 + LOG % 3 + "\n" + LOG % 4 + "\n")
    assert names(file) == (["e2", "e3", "e4"], 1)


def test_rubbish_is_counted(tmp_path: Path) -> None:
    """Lines that are not JSON, not objects, of another signal, or no text."""
    file = tmp_path / "logs.jsonl"
    file.write_bytes(b'rubbish\n[]\n{"resourceSpans":[]}\n\xff\xfe\n\n' + (LOG % 1).encode() + b"\n")
    assert names(file) == (["e1"], 4)


def test_nothing_there_is_nothing(tmp_path: Path) -> None:
    """A spool that nobody has written to yet."""
    assert spool.read(tmp_path / "logs.jsonl", "logs") == ([], 0)
    assert spool.waiting(tmp_path) == {"logs": [], "traces": []}


def test_segments_are_taken_in_order_and_a_dead_senders_first(tmp_path: Path) -> None:
    """What a sender had claimed when it died comes first, then what writers have sealed, then what they write to."""
    (tmp_path / "spool").mkdir()
    for number, name in enumerate(("logs.000999.0a0a0a0a.claimed", "logs.001000.0b0b0b0b.sealed", "logs.jsonl")):
        (tmp_path / "spool" / name).write_text(LOG % number + "\n")
    passed: set[Path] = set()
    while segment := spool.take(tmp_path, "logs", passed):
        passed.add(segment.path)
    found = spool.segments(tmp_path, "logs", "claimed")
    assert [names(file)[0] for file in found] == [["e0"], ["e1"], ["e2"]]
    assert [file.name[:11] for file in found] == ["logs.000999", "logs.001000", "logs.001001"]
    assert passed == set(found)


def test_what_is_settled_is_not_handed_out_again(tmp_path: Path) -> None:
    """A sender that takes up a segment of a dead one goes on where that one was, and its last losses count once."""
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool/logs.jsonl").write_text("".join(LOG % number + "\n" for number in range(8)))
    first = spool.take(tmp_path, "logs", set())
    assert first is not None
    handed = first.items()
    assert [next(handed)[0] for _ in range(4)] == [0, 1, 2, 3]
    first.settle([0, 1, 3], {"torn": 2})
    second = spool.take(tmp_path, "logs", set())
    assert second is not None
    assert [number for number, _ in second.items()] == [2, 4, 5, 6, 7]
    assert [item.body["eventName"] for item in spool.each(tmp_path, "logs")] == ["e2", "e4", "e5", "e6", "e7"]
    assert {reason: row.lost for reason, row in table(str(tmp_path)).rows.items()} == {"torn": 2}
    second.settle([2, 4, 5, 6, 7], {})
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_half_written_step_settles_nothing(tmp_path: Path) -> None:
    """A progress line that was not written to its end, alone or glued to the next, makes no item disappear."""
    file = tmp_path / "logs.000001.0a0a0a0a.progress"
    for text, found in (
        (";0-5", set()),
        (";0-1\n;2-3 torn", {0, 1}),
        (";0-1;60-61\n", {60, 61}),
        (";0,1;60,7\n;9\n", {60, 7, 9}),
        ("0-1\n;9\n", {9}),
    ):
        file.write_text(text)
        assert settled(file) == found, text
    file.write_text(";0-99,101 torn=1\n;100\n")
    assert settled(file) == set(range(102))


def test_a_step_counts_once_however_much_is_lost_before_the_next_sender(tmp_path: Path) -> None:
    """A sender that a server turned away comes back when hundreds of other losses have been counted: its own are known still."""
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool/logs.jsonl").write_text("".join(LOG % number + "\n" for number in range(3)))
    first = spool.take(tmp_path, "logs", set())
    assert first is not None
    assert len(list(first.items())) == 3
    first.settle([1], {"refused": 1})
    for number in range(200):
        settle(str(tmp_path), {"spool_full": 1}, f"{number:08x}")
    assert spool.take(tmp_path, "logs", set()) is not None
    assert {reason: row.lost for reason, row in table(str(tmp_path)).rows.items()} == {"refused": 1, "spool_full": 200}
