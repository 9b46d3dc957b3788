"""Run a collector beside the demo and the tests: its own folder, free ports on the loopback, healthy before it is used."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import CollectorError

_PATIENCE = 20.0  # seconds until healthy; 0.2 s is usual


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


@contextmanager
def running(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Start `otel-bridge collector run` with everything it writes below `folder`; stop it with SIGTERM.

    Raises CollectorError with the end of its log when it is not healthy within 20 seconds.
    """
    ports = {name: f"127.0.0.1:{free_port()}" for name in ("HTTP", "GRPC", "HEALTH")}
    told = {
        **{f"OTEL_BRIDGE_{name}_ENDPOINT": address for name, address in ports.items()},
        "OTEL_BRIDGE_METRICS_PORT": str(free_port()),
        "OTEL_BRIDGE_QUEUE_DIR": str(folder / "queue"),
        "OTEL_BRIDGE_FILE_DIR": str(folder / "out"),
        **(environment or {}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "collector.log"
    command = [sys.executable, "-m", "otel_bridge.commands", "collector", "run"]
    with log.open("ab") as output:
        process = subprocess.Popen(command, env={**os.environ, **told}, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        _wait(f"http://{ports['HEALTH']}/", process, log)
        yield Running(f"http://{ports['HTTP']}", folder / "out", process, log)
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
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    tail = log.read_text(errors="replace")[-2000:]
    raise CollectorError(f"the collector is not healthy; its log ends with:\n{tail}")
