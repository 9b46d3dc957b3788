"""Genuine collectors that a test starts, kills and starts again on the same folder, with any files of collector-config/."""

import os
import signal
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from conftest import ROOT

from otel_bridge.collector import binary
from otel_bridge.collector.process import free_port


class Collector:
    """One collector: its files of configuration, its folder, its ports, its process."""

    def __init__(self, folder: Path, files: list[str], variables: Mapping[str, str], program: Path | None = None) -> None:
        self.folder, self.program = folder, program or binary()
        self.files = [ROOT / "collector-config" / file for file in files]
        ports = {name: f"127.0.0.1:{free_port()}" for name in ("HTTP", "GRPC", "HEALTH")}
        self.endpoint, self.health = f"http://{ports['HTTP']}", f"http://{ports['HEALTH']}/"
        self.variables = {
            **{f"OTEL_BRIDGE_{name}_ENDPOINT": address for name, address in ports.items()},
            "OTEL_BRIDGE_METRICS_PORT": str(free_port()),
            "OTEL_BRIDGE_QUEUE_DIR": str(folder / "queue"),
            "OTEL_BRIDGE_FILE_DIR": str(folder / "out"),
            **variables,
        }
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> "Collector":
        """Start it, and wait until it says that it is healthy."""
        command = [str(self.program), *(f"--config={file}" for file in self.files)]
        with (self.folder / "log").open("ab") as log:
            told = {**os.environ, **self.variables}
            self.process = subprocess.Popen(command, env=told, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with urllib.request.urlopen(self.health, timeout=1):
                    return self
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"not healthy; its log ends with:\n{self.log()}")

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None and self.process.poll() is None, self.log()
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM; an exporter that still retries may not end by itself, its queue is on disk."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-3000:]


@contextmanager
def stopped_at_the_end() -> Iterator[Callable[..., Collector]]:
    """Makes collectors; whatever runs of them at the end is stopped."""
    made: list[Collector] = []

    def make(folder: Path, files: list[str], variables: Mapping[str, str], program: Path | None = None) -> Collector:
        made.append(Collector(folder, files, variables, program))
        return made[-1]

    try:
        yield make
    finally:
        for collector in made:
            collector.stop()


def base(*middle: str) -> list[str]:
    """The files of an intake: base first, privacy last."""
    return ["base.yaml", *middle, "privacy.yaml"]


def eventually(seen: Callable[[], Counter[int]], wanted: set[int], seconds: float = 60) -> Counter[int]:
    """What is seen, as soon as all that is wanted is among it; when time is up, what is seen then."""
    until = time.monotonic() + seconds
    while not wanted <= set(found := seen()) and time.monotonic() < until:
        time.sleep(0.5)
    return found
