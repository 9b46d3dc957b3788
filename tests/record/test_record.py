"""What a run writes: whole lines, in its own file, and never anything that could trouble the host."""

import json
import os
import signal
import stat
import threading
import time
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ROOT

import otel_bridge
from otel_bridge.consent import Decision
from otel_bridge.export import spool
from otel_bridge.export.drain import losses
from otel_bridge.export.prepare import plain
from otel_bridge.record import Run, attributes, quoted, record, record_span


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("KITCHEN_TELEMETRY", "on")  # asked again when a spool begins
    declared = ModuleType("kitchen._telemetry")
    declared.__file__ = str(ROOT / "examples/kitchen/kitchen/_telemetry.py")
    exec(Path(declared.__file__).read_text(), declared.__dict__)
    return Run(declared, Decision("on", "because", "test"), str(tmp_path / "otel-bridge/kitchen"), {})


def lines(run: Run, signal: str) -> list[spool.Item]:
    return spool.read(Path(run.folder) / f"spool/{signal}.jsonl", signal)[0]


def test_an_event_is_one_line_of_otlp_json(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole line: floored times, the name as body, the trace of the run, uid and sequence, declared attributes only."""
    monkeypatch.setattr("otel_bridge.record.now", lambda: 1_795_327_999_123_456_789)
    monkeypatch.setattr("otel_bridge.record.new_uuid", lambda: "16e34217-2584-400e-8c14-ee2e1f7fd253")
    run.trace_id, run.span_id, run.resource = (
        "0" * 31 + "1",
        "0" * 15 + "2",
        '[{"key":"service.name","value":{"stringValue":"kitchen"}}]',
    )
    record(run, "kitchen.destroy", {"kitchen.platform": "debian-12", "secret": "x"})
    written = (Path(run.folder) / "spool/logs.jsonl").read_text()
    attribute = [
        {"key": "kitchen.platform", "value": {"stringValue": "debian-12"}},
        {"key": "otel_bridge.sequence", "value": {"intValue": "1"}},
        {"key": "log.record.uid", "value": {"stringValue": "16e34217-2584-400e-8c14-ee2e1f7fd253"}},
    ]
    assert written.endswith("\n")
    assert json.loads(written) == {
        "resourceLogs": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "kitchen"}}]},
                "scopeLogs": [
                    {
                        "scope": {"name": "otel_bridge", "version": otel_bridge.__version__},
                        "logRecords": [
                            {
                                "timeUnixNano": "1795327980000000000",
                                "observedTimeUnixNano": "1795327980000000000",
                                "severityNumber": 9,
                                "body": {"stringValue": "kitchen.destroy"},
                                "attributes": attribute,
                                "traceId": "0" * 31 + "1",
                                "spanId": "0" * 15 + "2",
                                "eventName": "kitchen.destroy",
                            }
                        ],
                    }
                ],
            }
        ]
    }


def test_a_span_begins_at_the_minute_and_lasts_two_digits(run: Run) -> None:
    """Time is data too: the start is floored to the resolution, the length rounded to two significant digits."""
    record_span(run, 1_795_327_999_123_456_789, 1_234_567_890, failed=True)
    (span,) = lines(run, "traces")
    assert (span.body["startTimeUnixNano"], span.body["endTimeUnixNano"]) == ("1795327980000000000", "1795327981200000000")
    assert (span.body["name"], span.body["kind"], span.body["status"]) == ("cli.run", 1, {"code": 2})
    assert (span.body["traceId"], span.body["spanId"]) == (run.trace_id, run.span_id)


def test_files_are_for_the_person_alone(run: Run) -> None:
    """Folders 0700, files 0600, whatever the umask."""
    before = os.umask(0)
    try:
        record(run, "kitchen.destroy")
        record(run, "no.such.event")
    finally:
        os.umask(before)
    for path in [Path(run.folder), *Path(run.folder).rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_what_is_not_declared_is_counted_and_the_rest_goes(run: Run) -> None:
    """An undeclared event and undeclared attributes are losses with a reason; what is declared is recorded."""
    record(run, "no.such.event", {"a": 1})
    record(run, "kitchen.destroy", {"kitchen.platform": "debian-12", "a": 1, "b": 2})
    assert len(lines(run, "logs")) == 1
    assert losses("kitchen") == {"undeclared_event": 1, "undeclared_attribute": 2}


class Hostile:
    """A value, a name or a mapping that raises at every touch."""

    def __getattribute__(self, name: str) -> object:
        raise RuntimeError(name)

    def __hash__(self) -> int:
        raise RuntimeError("hash")


def test_nothing_is_raised_whatever_is_given(run: Run) -> None:
    """Names and attributes of any kind cost at most a count."""
    names = ["kitchen.destroy", Hostile(), [], None, 7]
    attributes = [None, {}, {"kitchen.platform": Hostile()}, Hostile(), 7, ["kitchen.platform"], {7: 8}]
    for name in names:
        for given in attributes:
            record(run, name, given)  # type: ignore[arg-type]
    counted = losses("kitchen")
    assert len(lines(run, "logs")) == 4  # none, empty, a hostile value (absent), a key that is no string
    assert counted == {"undeclared_event": 14, "record_failed": 17, "undeclared_attribute": 1}


def test_a_place_that_cannot_be_written_is_silent(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """A file where the folder should be: nothing raised, nothing printed."""
    Path(run.folder).parent.mkdir(parents=True)
    Path(run.folder).write_text("in the way")
    record(run, "kitchen.destroy")
    record_span(run, 1, 1, failed=False)
    assert capfd.readouterr() == ("", "")


def test_a_full_spool_drops_its_oldest_and_counts_them(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its bound the spool does not grow: the oldest segment goes, whole, and each of its events is counted."""
    monkeypatch.setenv("OTEL_BRIDGE_SPOOL_BYTES", "16000")
    for number in range(60):
        run.sequence = number
        record(run, "kitchen.destroy")
    files = list((Path(run.folder) / "spool").iterdir())
    assert sum(file.stat().st_size for file in files) <= 16000
    kept = [plain(item.body["attributes"])["otel_bridge.sequence"] for item in spool.waiting(Path(run.folder))["logs"]]
    lost = losses("kitchen")["spool_full"]
    assert kept == list(range(lost + 1, 61))
    assert 30 < lost < 60


def test_threads_lose_nothing(run: Run) -> None:
    """8 threads, 50 events each: 400 whole lines with 400 uids."""
    threads = [threading.Thread(target=lambda: [record(run, "kitchen.destroy") for _ in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found, torn = spool.read(Path(run.folder) / "spool/logs.jsonl", "logs")
    uids = {one["value"]["stringValue"] for item in found for one in item.body["attributes"] if one["key"] == "log.record.uid"}
    assert (len(found), len(uids), torn) == (400, 400, 0)


def test_appending_and_claiming_at_once_loses_nothing(run: Run) -> None:
    """3 processes append 600 events each while this one claims the spool over and over: 1,800 records, each once."""
    folder = Path(run.folder)
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            for _ in range(600):
                record(run, "kitchen.destroy")
            os._exit(0)
        children.append(child)
    claimed: list[Path] = []
    while children:
        claimed += [one.path for one in [spool.take(folder, "logs", set(claimed))] if one is not None]
        done, status = os.waitpid(-1, os.WNOHANG)
        if done:
            assert status == 0
            children.remove(done)
    claimed += [one.path for one in [spool.take(folder, "logs", set(claimed))] if one is not None]
    found = [item for file in claimed for item in spool.read(file, "logs")[0]]
    assert len(claimed) > 3
    assert len({str(item.body["attributes"]) for item in found}) == len(found) == 1800


def test_a_lock_that_somebody_keeps_costs_half_a_second_and_a_count(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped process that holds the lock does not stop the host: the event is lost, and counted."""
    record(run, "kitchen.destroy")
    monkeypatch.setattr("otel_bridge.record.PATIENCE", 5)
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        fd = os.open(Path(run.folder) / "spool/logs.jsonl", os.O_WRONLY)
        os.lockf(fd, os.F_LOCK, 0)
        os.write(tell, b".")
        time.sleep(60)
        os._exit(0)
    os.read(told, 1)
    record(run, "kitchen.destroy")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(told)
    os.close(tell)
    assert losses("kitchen") == {"busy": 1}
    record(run, "kitchen.destroy")
    assert len(lines(run, "logs")) == 2


def test_a_signal_handler_may_record_while_its_thread_does(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that interrupts an event and records one itself neither hangs nor loses silently."""
    monkeypatch.setattr("otel_bridge.record.PATIENCE", 1)
    calls = 0

    def one(*_: object) -> None:
        nonlocal calls
        calls += 1
        record(run, "kitchen.destroy")

    before = signal.signal(signal.SIGALRM, one)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    try:
        for _ in range(300):
            one()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(lines(run, "logs")) + losses("kitchen")["busy"] == calls


def test_a_fork_while_another_thread_records_can_record(run: Run) -> None:
    """The child gets a lock that nobody holds, whatever the threads of its parent were doing."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            record(run, "kitchen.destroy")

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                started = time.monotonic()
                record(run, "kitchen.destroy")
                os._exit(0 if time.monotonic() - started < 0.4 else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("text", ["plain", 'quo"te', "back\\slash", "new\nline", "naïve", "\u2028", "\ud800", "😀", "\x00", ""])
def test_quoting_is_json(text: str) -> None:
    """What is written by hand is what `json` reads."""
    assert json.loads(quoted(text)) == text


def test_attributes_are_otlp_json() -> None:
    """Every kind of value that a policy can leave."""
    pairs = [("s", "a"), ("i", 7), ("d", 0.3), ("t", True), ("f", False), ("l", ["a", "b"]), ("e", [])]
    assert json.loads(attributes(pairs)) == [  # type: ignore[arg-type]
        {"key": "s", "value": {"stringValue": "a"}},
        {"key": "i", "value": {"intValue": "7"}},
        {"key": "d", "value": {"doubleValue": 0.3}},
        {"key": "t", "value": {"boolValue": True}},
        {"key": "f", "value": {"boolValue": False}},
        {"key": "l", "value": {"arrayValue": {"values": [{"stringValue": "a"}, {"stringValue": "b"}]}}},
        {"key": "e", "value": {"arrayValue": {"values": []}}},
    ]


RARE = ("otel_bridge.sample_rate", "double", "bucket", ((0.25,),), 0)


def test_a_rare_event_is_drawn_by_session_and_event(run: Run) -> None:
    """About a share of all sessions, all of an event's records in a session or none, with the rate; what is not drawn is no loss."""
    run.declared.EVENTS = {"rare": (RARE,), "other": (RARE,)}
    waiting = Path(run.folder) / "spool/logs.jsonl"
    drawn: dict[tuple[int, str], list[bool]] = {}
    for number in range(400):
        run.parsed = {"session.id": f"00000000-0000-8000-8000-{number:012}"}
        for name in ("rare", "other", "rare"):
            before = waiting.stat().st_size if waiting.exists() else 0
            record(run, name)
            drawn.setdefault((number, name), []).append(waiting.exists() and waiting.stat().st_size > before)
    assert all(len(set(found)) == 1 for found in drawn.values())
    shares = [sum(drawn[number, name][0] for number in range(400)) / 400 for name in ("rare", "other")]
    assert all(0.17 < share < 0.33 for share in shares)
    assert 0.02 < sum(drawn[number, "rare"][0] and drawn[number, "other"][0] for number in range(400)) / 400 < 0.12
    assert len(lines(run, "logs")) == sum(map(sum, drawn.values()))
    rate = {"key": "otel_bridge.sample_rate", "value": {"doubleValue": 0.25}}
    assert all(rate in item.body["attributes"] for item in lines(run, "logs"))
    assert losses("kitchen") == {}


def test_the_stack_of_an_error_is_told_without_its_message(run: Run) -> None:
    """Public frames alone, as the declaration of kitchen has it, and the sender's check takes them."""
    try:
        json.loads("{acme")
    except ValueError as raised:
        run.parsed["kitchen.error.frames"] = raised
    record_span(run, 1_795_327_999_123_456_789, 1, True)
    (item,) = lines(run, "traces")
    told = next(one["value"] for one in item.body["attributes"] if one["key"] == "kitchen.error.frames")
    frames = [value["stringValue"].rpartition(":")[0] for value in told["arrayValue"]["values"]]
    assert frames == ["", "json:loads", "json.decoder:JSONDecoder.decode", "json.decoder:JSONDecoder.raw_decode"]
    assert "acme" not in item.line


def test_a_single_key_set_by_the_user_may_be_said_as_a_text(run: Run) -> None:
    """`set_by_user="kitchen.target"` is one key, not its letters."""
    record(run, "kitchen.create", {"kitchen.target": "bento/debian-12"}, "kitchen.target")
    (item,) = lines(run, "logs")
    assert {"key": "kitchen.target", "value": {"stringValue": "__custom__"}} in item.body["attributes"]
