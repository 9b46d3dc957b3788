"""`otel-bridge replay`: what the file sink has kept goes to another sink, whole, once, and counted."""

import gzip
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from conftest import ROOT, World

from otel_bridge.collector.mend import Document, documents, items, portions
from otel_bridge.collector.process import Peer, free_port, hec_peer
from otel_bridge.testing import OtlpSink

SOMEBODY, NOBODY = "2f5ba7a2-66a5-8b6c-9d6b-1d1f6c3e9a11", "2f5ba7a2-66a5-8b6c-9d6b-1d1f6c3e9a12"
DEEP = '{"resourceLogs":' + "[" * 20_000 + "]" * 20_000 + "}"


def uid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def text(key: str, value: str) -> dict:
    return {"key": key, "value": {"stringValue": value}}


def resource(who: str = SOMEBODY) -> dict:
    told = [("service.name", "kitchen"), ("service.version", "3.6.0"), ("app.installation.id", who)]
    return {"attributes": [text(*one) for one in told]}


def record(number: int, event: str = "kitchen.destroy", *more: dict) -> dict:
    attributes = [text("log.record.uid", uid(number)), *more]
    return {"timeUnixNano": "1796066100000000000", "body": {"stringValue": event}, "eventName": event, "attributes": attributes}


def logs(*records: dict, who: str = SOMEBODY) -> str:
    scoped = [{"scope": {"name": "otel_bridge"}, "logRecords": list(records)}]
    return json.dumps({"resourceLogs": [{"resource": resource(who), "scopeLogs": scoped}]}, separators=(",", ":"))


def run_of(number: int) -> str:
    span = {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": "cli.run",
        "kind": 1,
        "startTimeUnixNano": "1796066100000000000",
        "endTimeUnixNano": "1796066100006100000",
    }
    scoped = [{"scope": {"name": "otel_bridge"}, "spans": [span]}]
    return json.dumps({"resourceSpans": [{"resource": resource(), "scopeSpans": scoped}]}, separators=(",", ":"))


def uids(peer: Peer) -> Counter[str]:
    return Counter(event["log.record.uid"] for event in peer.events() if "log.record.uid" in event)


def spans(peer: Peer) -> Counter[str]:
    return Counter(event["event"]["span_id"] for event in peer.events() if isinstance(event["event"], dict))


def arrived(seen: Callable[[], Counter[str]], wanted: Counter[str]) -> Counter[str]:
    """What a peer has written, as soon as all that is wanted is among it; after 30 seconds, what it has then."""
    until = time.monotonic() + 30
    while not (found := seen()) >= wanted and time.monotonic() < until:
        time.sleep(0.05)
    return found


WHOLE, HALF = logs(record(1)), logs(record(2))[:-40]
LINES = {
    "one document": (WHOLE, [("logs", 1)]),
    "two without a newline between": (WHOLE + logs(record(3)), [("logs", 1), ("logs", len(WHOLE) + 1)]),
    "a half one, then a whole one": (HALF + WHOLE, [(len(HALF), "no whole document"), ("logs", len(HALF) + 1)]),
    "a whole one, then a half one": (WHOLE + HALF, [("logs", 1), (len(HALF), "no whole document")]),
    "two halves, then a run": (HALF * 2 + run_of(1), [(len(HALF), "no whole document")] * 2 + [("traces", 2 * len(HALF) + 1)]),
    "a half one that ends in a character": (
        HALF.encode() + b"\xe2\x82" + WHOLE.encode(),
        [(len(HALF) + 2, "no whole document"), ("logs", len(HALF) + 3)],
    ),
    "zeros of a machine that lost power": (WHOLE + "\0" * 99, [("logs", 1)]),
    "20,000 deep": (DEEP, [(len(DEEP), "nested too deep")]),
    "20,000 deep, then a whole one": (DEEP + WHOLE, [(len(DEEP), "nested too deep"), ("logs", len(DEEP) + 1)]),
    "something else": ("hello" + WHOLE, [(5, "no OTLP/JSON"), ("logs", 6)]),
    "OTLP in name only": ('{"resourceLogs":7}', [(18, "no whole document")]),
    "a marker inside a value": (logs(record(1, "kitchen.destroy", text("x", '{"resourceLogs":'))), [("logs", 1)]),
    "nothing": ("  ", []),
}


@pytest.mark.parametrize("name", LINES)
def test_every_whole_document_of_a_line_is_found(name: str) -> None:
    """Half ones, glued ones and hostile ones: what is whole is read, what is not is told with its place and size."""
    line, wanted = LINES[name]
    found = list(documents(line if isinstance(line, bytes) else line.encode(), 7))
    assert {one.line for one in found} <= {7}
    assert [(one.signal, one.column) if isinstance(one, Document) else (one.size, one.why) for one in found] == wanted


def test_a_request_that_an_intake_would_not_take_is_halved_and_no_record_is_lost_or_changed() -> None:
    """Every portion is below the limit but one of a single record; together they are the records, in order."""
    body = json.loads(logs(*(record(number) for number in range(100)), record(100, "kitchen.destroy", text("x", "y" * 5000))))
    found = [(size, len(text), json.loads(text)) for size, text in portions("logs", body, 3000)]
    assert [one for *_, document in found for one in items("logs", document)] == list(items("logs", body))
    assert [size for size, length, _ in found if length > 3000] == [1]
    assert all(size == len(list(items("logs", document))) for size, _, document in found)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A folder as the file sink leaves it: rotated, glued, torn, one file packed; 52 records and 2 runs, 2 of them declared no more."""
    folder = tmp_path / "out"
    folder.mkdir()
    whole = [logs(*(record(number) for number in range(at, at + 10))) for at in range(0, 40, 10)]
    (folder / "logs-2026-11-30T19-00-00.000.jsonl").write_text(f"{whole[0]}{whole[1]}\n{HALF}{whole[2]}\n{DEEP}\n")
    with gzip.open(folder / "logs-2026-11-30T18-00-00.000.jsonl.gz", "wt") as packed:
        packed.write(whole[3] + "\n")
    asked = record(
        40, "deletion.request", {"key": "otel_bridge.deletion.ids", "value": {"arrayValue": {"values": [{"stringValue": NOBODY}]}}}
    )
    gone = logs(*(record(number) for number in range(41, 45)), who=NOBODY)
    old = logs(*(record(number, "kitchen.retired") for number in range(45, 47)))
    (folder / "logs.jsonl").write_text(f"{gone}\n{old}\n{logs(asked, who=NOBODY)}\n{HALF}")
    (folder / "traces.jsonl").write_text(f"{run_of(1)}{run_of(2)}\n")
    return folder


WANTED = Counter(uid(number) for number in range(41))
RUNS = Counter(f"{number:016x}" for number in (1, 2))


def told(world: World, *words: object, ok: bool = True, **more: str) -> dict:
    return world.json(
        "otel-bridge", "replay", *map(str, words), "--json", ok=ok, OTEL_BRIDGE_COLLECTOR_CONFIG=str(CONFIG), **BINARY, **more
    )


CONFIG = ROOT / "collector-config"
BINARY = {"OTEL_BRIDGE_OTELCOL": str(ROOT / ".cache/otelcol-bridge")}
READ = {"files": 4, "documents": 9, "records": 49, "before": 0, "deleted": 4, "asked_again": 0, "refused": {}, "unreadable": 3}


def test_mended_files_go_through_privacy_into_splunk_each_record_once(world: World, archive: Path, tmp_path: Path) -> None:
    """Glued lines are whole at Splunk; the deleted, the undeclared and the torn are not, and each is counted; a second replay
    says the same again, with the same uids: duplicates, which readers know by them."""
    with hec_peer(tmp_path / "hec") as peer:
        variables = {**peer.variables, "OTEL_BRIDGE_SINK": "splunk", "OTEL_BRIDGE_SINK_2": "file"}
        found = told(world, archive, "--queue", tmp_path / "queue", **variables)
        where = found.pop("where")
        ends = {
            "accepted": 45,
            "filtered": 2,
            "sent": {"splunk_hec logs": 41, "splunk_hec traces": 2},
            "given_up": {},
            "waiting": {},
        }
        assert found == {**READ, **ends}
        assert where == [
            f"{archive}/logs-2026-11-30T19-00-00.000.jsonl:2:1: no whole document, {len(HALF)} bytes",
            f"{archive}/logs-2026-11-30T19-00-00.000.jsonl:3:1: nested too deep, {len(DEEP)} bytes",
            f"{archive}/logs.jsonl:4:1: no whole document, {len(HALF)} bytes",
        ]
        assert arrived(lambda: uids(peer), WANTED) == WANTED
        assert arrived(lambda: spans(peer), RUNS) == RUNS
        told(world, archive, "--queue", tmp_path / "queue", **variables)
        assert arrived(lambda: uids(peer), WANTED + WANTED) == WANTED + WANTED
        assert arrived(lambda: spans(peer), RUNS + RUNS) == RUNS + RUNS


def test_a_replay_into_a_sink_that_is_down_goes_on_where_it_stopped(world: World, archive: Path, tmp_path: Path) -> None:
    """Given up after the time allowed: exit 1, and what waits is told; the same command later sends all of it, once."""
    words = (archive, "--sink", "splunk", "--queue", tmp_path / "queue", "--timeout", "3")
    port = free_port()
    nowhere = {"OTEL_BRIDGE_SPLUNK_URL": f"http://127.0.0.1:{port}/services/collector", "OTEL_BRIDGE_SPLUNK_TOKEN": "x"}
    found = told(world, *words, ok=False, **nowhere)
    assert (found["accepted"], found["waiting"]) == (45, {"splunk_hec logs": 41, "splunk_hec traces": 2})
    with hec_peer(tmp_path / "hec", port) as peer:
        found = told(world, *words[:-1], "60", **peer.variables)
        assert (found["before"], found["accepted"], found["waiting"]) == (49, 0, {})
        assert arrived(lambda: uids(peer), WANTED) == WANTED
        assert arrived(lambda: spans(peer), RUNS) == RUNS


class Splunk(ThreadingHTTPServer):
    """A HEC endpoint that gives its first answers from a list, the last of which stays, and keeps what it takes."""

    def __init__(self, *answers: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = list(answers)
        self.taken: Counter[str] = Counter()
        self.variables = {
            "OTEL_BRIDGE_SPLUNK_URL": f"http://127.0.0.1:{self.server_port}/services/collector",
            "OTEL_BRIDGE_SPLUNK_TOKEN": "x",
        }

    def __enter__(self) -> "Splunk":
        self.thread = Thread(target=self.serve_forever, args=(0.05,))
        self.thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    server: Splunk

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        text = (gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body).decode()
        status = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        if status == 200:
            self.server.taken.update(re.findall(r'"log.record.uid":"([^"]*)"', text))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing on standard error."""


def test_a_full_queue_makes_a_replay_wait_and_loses_nothing(world: World, tmp_path: Path) -> None:
    """Splunk is busy, the queue of 256 KiB is full with 6,000 records to come: every refusal is asked again, nothing is skipped."""
    folder = tmp_path / "out"
    folder.mkdir()
    lines = [logs(*(record(number) for number in range(at, at + 50))) for at in range(0, 6000, 50)]
    (folder / "logs.jsonl").write_text("\n".join(lines) + "\n")
    with Splunk(503, 503, 503, 200) as splunk:
        more = {**splunk.variables, "OTEL_BRIDGE_QUEUE_BYTES": "262144"}
        found = told(world, folder, "--sink", "splunk", "--queue", tmp_path / "queue", **more)
    assert found["asked_again"] > 0
    assert (found["accepted"], found["sent"], found["waiting"]) == (6000, {"splunk_hec logs": 6000}, {})
    assert splunk.taken == Counter(uid(number) for number in range(6000))


def test_what_a_sink_refuses_for_good_is_told_and_can_be_replayed_again(world: World, archive: Path, tmp_path: Path) -> None:
    """A token that Splunk does not know (403): every record is counted as given up, exit 1; with another token all of it goes."""
    words = (archive, "--sink", "splunk", "--queue", tmp_path / "queue")
    with Splunk(403) as splunk:
        found = told(world, *words, ok=False, **splunk.variables)
        assert (found["accepted"], found["given_up"], found["waiting"]) == (45, {"splunk_hec logs": 41, "splunk_hec traces": 2}, {})
        splunk.answers = [200]
        assert told(world, *words, **splunk.variables)["sent"] == {"splunk_hec logs": 41, "splunk_hec traces": 2}
    assert splunk.taken == WANTED


def test_posting_to_a_running_intake_asks_again_and_counts_what_it_refuses(world: World, archive: Path, tmp_path: Path) -> None:
    """With --endpoint: 503 twice, then taken; a 400 is counted and the rest goes on; a 401 ends it with one line."""
    with OtlpSink() as sink:
        sink.answer(503, times=2)
        sink.answer(400, times=1)
        words = ("otel-bridge", "replay", str(archive), "--endpoint", sink.endpoint, "--queue", str(tmp_path / "queue"))
        done = world.run(*words, "--json", ok=False, OTEL_BRIDGE_HEADERS="Authorization=Bearer key")
        found = json.loads(done.stdout)
        assert (found["accepted"] + sum(found["refused"].values()), list(found["refused"])) == (45, ["400"])
        assert found["accepted"] == len(sink.records) + len(sink.spans)
        assert {request.headers["authorization"] for request in sink.requests} == {"Bearer key"}
        sink.answer(401)
        done = world.run(*words, ok=False)
        assert done.stderr == "the intake answers 401: name its base URL with --endpoint, its key with OTEL_BRIDGE_HEADERS\n"


def test_a_dry_run_reads_and_counts(world: World, archive: Path) -> None:
    """It starts nothing and sends nothing; the text says what the JSON says."""
    found = told(world, archive, "--dry-run")
    assert {key: found[key] for key in READ} == READ
    done = world.run("otel-bridge", "replay", str(archive), "--dry-run")
    assert done.stdout.startswith("read 49 records in 9 documents of 4 files\n")
    assert done.stderr.splitlines()[-1] == "3 pieces are no documents; half ones were never acknowledged, their sender kept them"


def test_mended_copies_are_one_whole_document_a_line(world: World, archive: Path, tmp_path: Path) -> None:
    """With --to: what overlays/replay.yaml can read; the half, the deep and the deleted are out; a second time is refused."""
    found = told(world, archive, "--to", tmp_path / "mended")
    assert {key: found[key] for key in READ} == READ
    lines = [line for file in sorted((tmp_path / "mended").iterdir()) for line in file.read_text().splitlines()]
    read = [json.loads(line) for line in lines]
    assert Counter(
        attribute["value"]["stringValue"]
        for line in read
        if "resourceLogs" in line
        for *_, one in items("logs", line)
        for attribute in one["attributes"]
        if attribute["key"] == "log.record.uid"
    ) == Counter(uid(number) for number in (*range(41), 45, 46))
    assert sorted(file.name for file in (tmp_path / "mended").iterdir()) == [
        "logs-2026-11-30T18-00-00.000.jsonl",
        "logs-2026-11-30T19-00-00.000.jsonl",
        "logs.jsonl",
        "traces.jsonl",
    ]
    done = world.run("otel-bridge", "replay", str(archive), "--to", str(tmp_path / "mended"), ok=False)
    assert done.stderr.endswith(": is there already; name an empty folder\n")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["nowhere"], "nowhere: no such file; name files of the file sink, or their folder"),
        (["."], ".: no logs*.jsonl and no traces*.jsonl in it; name the folder of the file sink"),
        (["x.jsonl"], "no sink but the file itself is active; name one with --sink (clickhouse, debug, kafka, otlp, s3, splunk)"),
        (["x.jsonl", "--sink", "file"], "--sink file: write one of clickhouse, debug, kafka, otlp, s3, splunk"),
        (["x.jsonl", "--sink=otlp", "--sink=s3", "--sink=kafka"], "--sink: at most two at once; replay into the others afterwards"),
        (["x.jsonl", "--endpoint", "host:4318"], "--endpoint `host:4318`: write a base URL such as https://host:4318"),
    ],
)
def test_what_cannot_be_replayed_is_one_line(world: World, words: list[str], line: str) -> None:
    """The line says what to write instead; nothing is started."""
    if "x.jsonl" in words:
        (world.work / "x.jsonl").write_text(WHOLE)
    done = world.run("otel-bridge", "replay", *words, ok=False, OTEL_BRIDGE_COLLECTOR_CONFIG=str(CONFIG))
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line + "\n")


def test_on_a_terminal_a_bar_shows_how_far_it_is(world: World, archive: Path, tmp_path: Path) -> None:
    """Records done, of how many."""
    with OtlpSink() as sink:
        words = ("otel-bridge", "replay", str(archive), "--endpoint", sink.endpoint, "--queue", str(tmp_path / "queue"))
        assert "49/49" in world.terminal(*words).wait().text
