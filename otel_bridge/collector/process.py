"""Run a collector beside the demo and the tests: its own folder, free ports on the loopback, healthy before it is used."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CollectorError
from . import binary, config_folder

_PATIENCE = 40.0  # seconds until healthy; 0.5 s is usual, on a machine that others use much more


@dataclass(frozen=True)
class Running:
    """A collector at work: its OTLP/HTTP base URL, the folder of its file sink, its process and its log."""

    endpoint: str
    files: Path
    process: subprocess.Popen[bytes]
    log: Path


def free_port() -> int:
    """A loopback port that nobody listens on; below the ephemeral range, where a connection could take it meanwhile."""
    for _ in range(200):
        port = 20000 + int.from_bytes(os.urandom(2)) % 12000
        with socket.socket() as attempt:
            try:
                attempt.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise CollectorError("no free port on the loopback")


@dataclass(frozen=True)
class Peer:
    """A genuine HEC endpoint in the place of Splunk: what the collector must be told of it, and the file it writes."""

    variables: Mapping[str, str]
    file: Path

    def documents(self) -> list[dict[str, Any]]:
        """The requests it wrote, as OTLP/JSON. It writes in blocks: behind the last newline stands half a one."""
        written = self.file.read_bytes() if self.file.exists() else b""
        return [json.loads(line) for line in written.split(b"\n")[:-1]]

    def events(self) -> list[dict[str, Any]]:
        """What it understood so far: see `events_of`."""
        return [event for document in self.documents() for event in events_of(document)]


def events_of(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The fields of each event in a peer's document, and its `event`, a name or, of a run, the span as a dict."""
    for group in document["resourceLogs"]:
        host = _plain({"kvlistValue": {"values": group["resource"].get("attributes", [])}})
        for record in (one for scope in group["scopeLogs"] for one in scope["logRecords"]):
            fields = _plain({"kvlistValue": {"values": record.get("attributes", [])}})
            yield {**host, **fields, "event": _plain(record["body"])}


def _plain(value: dict[str, Any]) -> Any:
    """A value of OTLP/JSON as Python has it."""
    found: Any
    kind, found = next(iter(value.items()), ("", None))
    if kind == "kvlistValue":
        return {one["key"]: _plain(one["value"]) for one in found.get("values", [])}
    if kind == "arrayValue":
        return [_plain(one) for one in found.get("values", [])]
    return int(found) if kind == "intValue" else found


@contextmanager
def hec_peer(folder: Path, port: int = 0) -> Iterator[Peer]:
    """Start a second collector whose splunk_hec receiver listens where Splunk would; its variables are for the first one."""
    address, token = f"127.0.0.1:{port or free_port()}", "00000000-0000-0000-0000-000000000001"
    told = {"OTEL_BRIDGE_HEC_PEER_ENDPOINT": address, "OTEL_BRIDGE_HEC_PEER_FILE": str(folder / "hec-peer.jsonl")}
    command = [str(binary()), f"--config={config_folder() / 'overlays/hec-peer.yaml'}"]
    with _started(command, {**told, "OTEL_BRIDGE_SPLUNK_TOKEN": token}, folder, f"http://{address}/services/collector/health"):
        url = f"http://{address}/services/collector"
        yield Peer({"OTEL_BRIDGE_SPLUNK_URL": url, "OTEL_BRIDGE_SPLUNK_TOKEN": token}, folder / "hec-peer.jsonl")


@contextmanager
def running(folder: Path, environment: Mapping[str, str] | None = None, before: Sequence[str] = ()) -> Iterator[Running]:
    """Start `otel-bridge collector run` with everything it writes below `folder`, its pid too; stop it with SIGTERM.

    It has a session of its own: Ctrl-C on a terminal ends whoever uses it, and only then, in order, the collector.

    `before` are words in front of the command, of a program that becomes it (`env`, `unshare`).
    Raises CollectorError with the end of its log when it is not healthy within 40 seconds.
    """
    ports = {name: f"127.0.0.1:{free_port()}" for name in ("HTTP", "GRPC", "HEALTH")}
    told = {
        **{f"OTEL_BRIDGE_{name}_ENDPOINT": address for name, address in ports.items()},
        "OTEL_BRIDGE_METRICS_PORT": str(free_port()),
        "OTEL_BRIDGE_QUEUE_DIR": str(folder / "queue"),
        "OTEL_BRIDGE_FILE_DIR": str(folder / "out"),
        **(environment or {}),
    }
    command = [*before, sys.executable, "-m", "otel_bridge.commands", "collector", "run"]
    with _started(command, told, folder, f"http://{ports['HEALTH']}/") as (process, log):
        yield Running(f"http://{ports['HTTP']}", folder / "out", process, log)


@contextmanager
def _started(
    command: list[str], environment: Mapping[str, str], folder: Path, health: str
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "collector.log"
    with log.open("ab") as output:
        told = {**os.environ, **environment}
        process = subprocess.Popen(
            command, env=told, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        (folder / "collector.pid").write_text(str(process.pid))
        _wait(health, process, log)
        yield process, log
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except urllib.error.HTTPError as answer:
            if answer.code == 401:  # the HEC peer asks for its token even here
                return
            time.sleep(0.05)
        except OSError:
            time.sleep(0.05)
    tail = log.read_text(errors="replace")[-2000:]
    raise CollectorError(f"the collector is not healthy; its log ends with:\n{tail}")
