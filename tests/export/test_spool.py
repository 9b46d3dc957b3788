"""Reading back what was written, whatever became of it in between."""

from pathlib import Path

from otel_bridge.export import spool

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


def test_claims_are_numbered_and_kept_in_order(tmp_path: Path) -> None:
    """Each claim is a file of its own; what a dead sender left is found again."""
    (tmp_path / "spool").mkdir()
    for number in range(1, 4):
        (tmp_path / "spool/logs.jsonl").write_text(LOG % number + "\n")
        spool.claim(tmp_path, "logs")
    files = spool.claim(tmp_path, "logs")
    assert [names(file)[0] for file in files] == [["e1"], ["e2"], ["e3"]]
    spool.keep(files[0], [])
    assert not files[0].exists()
    spool.keep(files[1], spool.read(files[1], "logs")[0])
    assert [names(file)[0] for file in spool.claimed(tmp_path, "logs")] == [["e2"], ["e3"]]


def test_the_thousandth_claim_replaces_none(tmp_path: Path) -> None:
    """Claims are ordered by number, not by spelling."""
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool/logs.998.claimed").write_text(LOG % 0 + "\n")
    for number in range(1, 5):
        (tmp_path / "spool/logs.jsonl").write_text(LOG % number + "\n")
        spool.claim(tmp_path, "logs")
    found = [names(file)[0] for file in spool.claimed(tmp_path, "logs")]
    assert found == [["e0"], ["e1"], ["e2"], ["e3"], ["e4"]]
