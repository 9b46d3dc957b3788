"""What a machine can put in the way: a queue that is damaged, folders, the clock, a loop; refused in a line, or survived."""

import os
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, attributes, in_file
from ledger import Ledger, duplicates, in_files, post, record, request, splunk, until
from refusal import refused

from otel_bridge.collector.process import free_port, running

SPLUNK = {"OTEL_BRIDGE_SINK": "splunk", "OTEL_BRIDGE_SPLUNK_URL": "http://127.0.0.1:1/services/collector"}


def backlog(tmp_path: Path) -> tuple[Ledger, Path]:
    """A queue on disk in which 50 records wait for a Splunk that is down."""
    ledger = Ledger()
    told = {**SPLUNK, "OTEL_BRIDGE_SPLUNK_TOKEN": "x", "OTEL_BRIDGE_SINK_2": "file"}
    with running(tmp_path / "intake", told) as intake:
        assert ledger.send(intake, 50) == 200
    return ledger, tmp_path / "intake/queue/exporter_splunk_hec__logs"


@pytest.mark.parametrize("damage", ["no database", "cut off", "first pages gone"])
def test_a_queue_that_is_no_database_is_refused_by_name(tmp_path: Path, damage: str) -> None:
    """One line, where the collector has a panic of a hundred; moved away, as the line says, the intake starts, the archive whole."""
    ledger, queue = backlog(tmp_path)
    held = queue.read_bytes()
    queue.write_bytes(
        {"no database": b"x" * len(held), "cut off": held[:9000], "first pages gone": bytes(8192) + held[8192:]}[damage]
    )
    told = {**SPLUNK, "OTEL_BRIDGE_SPLUNK_TOKEN": "x", "OTEL_BRIDGE_QUEUE_DIR": str(queue.parent)}
    (line,) = refused(tmp_path, **told)
    assert line.startswith(f"{queue}: is no queue any more")
    queue.rename(tmp_path / "away")
    with running(tmp_path / "intake", {**told, "OTEL_BRIDGE_SINK_2": "file"}) as intake:
        assert ledger.send(intake, 1) == 200
        assert (ledger.lost(in_files(intake.files)), duplicates(in_files(intake.files))) == (set(), 0)


@pytest.mark.parametrize("overlay", ["none", "sink-worker", "replay"])
def test_a_queue_with_damaged_pages_is_set_aside(tmp_path: Path, overlay: str) -> None:
    """What its first pages do not show: the collector keeps it as `.backup`, begins a new one, and takes events; a worker behind
    Kafka and a replay do the same.
    """
    ledger, queue = backlog(tmp_path)
    held = queue.read_bytes()
    queue.write_bytes(held[:8192] + os.urandom(len(held) - 8192))
    (tmp_path / "replay").mkdir()
    (tmp_path / "replay/logs.jsonl").write_bytes(request([record(99)]) + b"\n")
    with splunk() as hec:
        told = {**SPLUNK, **hec.variables, "OTEL_BRIDGE_SINK_2": "file", "OTEL_BRIDGE_OVERLAY": overlay}
        told |= {"OTEL_BRIDGE_SINK_GROUP": "splunk", "OTEL_BRIDGE_KAFKA_BROKER": "127.0.0.1:1"}
        told |= {"OTEL_BRIDGE_REPLAY_DIR": str(tmp_path / "replay"), "OTEL_BRIDGE_REPLAY_QUEUE_DIR": str(queue.parent)}
        with running(tmp_path / "intake", told) as intake:
            if overlay == "none":
                assert ledger.send(intake, 1) == 200
            if overlay != "sink-worker":  # it has no broker here
                until(hec.seen)
                assert hec.seen()
    backups = [file for file in queue.parent.iterdir() if file.name.startswith(f"{queue.name}.") and file.suffix == ".backup"]
    assert (len(backups), backups[0].stat().st_size >= len(held)) == (1, True)
    assert ledger.lost(in_files(tmp_path / "intake/out")) == set()


def test_every_queue_on_disk_is_the_same_but_for_its_folder() -> None:
    """base, agent, sink-worker and replay: a damaged one is set aside and a grown one shrinks, in its own folder."""
    found = []
    for file in ("base", "scale/agent", "scale/sink-worker", "overlays/replay"):
        queue = yaml.safe_load((ROOT / f"collector-config/{file}.yaml").read_text())["extensions"]["file_storage/queue"]
        assert queue.pop("directory") == queue["compaction"].pop("directory")
        found.append(queue)
    assert found == [found[0]] * 4
    assert (found[0]["recreate"], found[0]["compaction"]["on_start"]) == (True, True)


@pytest.fixture
def bound() -> list[str]:
    """Words in front of a command that take root's right to write everything away; nobody else needs any."""
    words = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if os.geteuid():
        return []
    if shutil.which("setpriv") and subprocess.run([*words, "true"], capture_output=True).returncode == 0:
        return words
    assert not os.environ.get("CI"), "setpriv, which takes a right from root, is missing or may not"
    pytest.skip("setpriv, which takes a right from root, is missing or may not")


def shut(place: Path) -> None:
    """Take the right to write away: from oneself, or from root by giving it to another."""
    if os.geteuid() == 0:
        os.chown(place, 65534, 65534)
    place.chmod(0o555 if place.is_dir() else 0o444)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, bound: list[str]) -> None:
    """Queue and archive; a started collector would say that it is healthy and answer 503 to every record."""
    (tmp_path / "shut").mkdir()
    shut(tmp_path / "shut")
    places = {f"OTEL_BRIDGE_{name}_DIR": str(tmp_path / "shut" / name) for name in ("QUEUE", "FILE")}
    lines = refused(tmp_path, before=bound, **places)
    wanted = [f"{name}: {tmp_path / 'shut'} cannot be written by user {os.geteuid()}" for name in places]
    assert [line.partition("; ")[0] for line in lines] == wanted


def test_an_archive_of_another_user_is_named(tmp_path: Path, bound: list[str]) -> None:
    """The folder may be written, the file in it not: this too would be healthy and refuse everything."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/logs.jsonl").write_text("")
    shut(tmp_path / "out/logs.jsonl")
    (line,) = refused(tmp_path, before=bound)
    assert line.startswith(f"{tmp_path / 'out/logs.jsonl'}: cannot be written by user {os.geteuid()}")


def test_a_file_where_a_folder_must_be_is_named(tmp_path: Path) -> None:
    """OTEL_BRIDGE_QUEUE_DIR below a file."""
    (tmp_path / "queue").write_text("")
    (line,) = refused(tmp_path)
    assert line == f"OTEL_BRIDGE_QUEUE_DIR: {tmp_path / 'queue'} is a file; name a folder"


def test_a_clock_that_is_behind_is_refused(tmp_path: Path) -> None:
    """A file of the day after tomorrow: with this clock the filter would drop today's events as the future's."""
    config = shutil.copytree(ROOT / "collector-config", tmp_path / "config", ignore=shutil.ignore_patterns("__pycache__"))
    then = time.time() + 3 * 86400
    os.utime(config / "base.yaml", (then, then))
    (line,) = refused(tmp_path, OTEL_BRIDGE_COLLECTOR_CONFIG=str(config))
    assert line.startswith(f"{config / 'base.yaml'}: written {time.strftime('%Y-%m-%d', time.gmtime(then))}")
    assert "set the clock" in line


def test_a_record_of_a_client_whose_clock_is_ahead_is_dropped_and_counted(tmp_path: Path) -> None:
    """From the day after tomorrow, from before 2020, and without a time: 200 and not stored; the one beside it is."""
    port = free_port()
    with running(tmp_path, {"OTEL_BRIDGE_METRICS_PORT": str(port)}) as intake:
        records = [record(number) for number in range(4)]
        for one, moment in zip(records, (time.time() + 3 * 86400, 946684800, 0, time.time() + 3600), strict=True):
            one["timeUnixNano"] = str(int(moment) * 10**9)
        assert post(intake, request(records)) == 200
        assert [attributes(item)["log.record.uid"] for item in in_file(intake, "logs")] == ["00000003-0000-4000-8000-000000000000"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            counted = [
                line for line in answer.read().decode().splitlines() if line.startswith("otelcol_processor_filter_logs_filtered")
            ]
    assert [line.rsplit(" ", 1)[1] for line in counted if 'filter="filter/refuse"' in line] == ["3"]


@pytest.mark.parametrize(
    ("told", "what"),
    [
        (
            {"OTEL_BRIDGE_OVERLAY": "sink-worker", "OTEL_BRIDGE_SINK": "kafka", "OTEL_BRIDGE_SINK_GROUP": "g"},
            "sinks/kafka.yaml: a sink worker",
        ),
        (
            {"OTEL_BRIDGE_OVERLAY": "replay", "OTEL_BRIDGE_REPLAY_DIR": "/nowhere/at/all"},
            "OTEL_BRIDGE_REPLAY_DIR: /nowhere/at/all is no",
        ),
        (
            {"OTEL_BRIDGE_OVERLAY": "replay", "OTEL_BRIDGE_REPLAY_DIR": "{}/out"},
            "OTEL_BRIDGE_REPLAY_DIR: {}/out is what the file sink",
        ),
        (
            {"OTEL_BRIDGE_OVERLAY": "replay", "OTEL_BRIDGE_REPLAY_DIR": "{}", "OTEL_BRIDGE_BLOCK_ON_OVERFLOW": "false"},
            "OTEL_BRIDGE_BLOCK_ON_OVERFLOW: a replay loses",
        ),
    ],
    ids=["kafka into kafka", "no folder", "into itself", "drops"],
)
def test_what_would_go_round_or_lose_is_refused(tmp_path: Path, told: dict[str, str], what: str) -> None:
    """A worker that fills the topic it reads, a replay of the folder it writes, a replay that does not wait for its sink."""
    (tmp_path / "out").mkdir()
    places = {name: value.format(tmp_path) for name, value in told.items()}
    (line,) = refused(tmp_path, OTEL_BRIDGE_REPLAY_QUEUE_DIR=str(tmp_path / "replay"), **places)
    assert line.startswith(what.format(tmp_path))
