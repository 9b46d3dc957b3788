"""The real collector in a faulty world: killed on the spot and started again, on the same ports and in the same folders."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from faulty_server import of_json
from verdict import Found, hear

from otel_bridge.collector.process import _started, free_port
from otel_bridge.export.documents import read


class Collector:
    """One collector after the other, with the file sink."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.running = folder, ExitStack()
        ports = {name: f"127.0.0.1:{free_port()}" for name in ("HTTP", "GRPC", "HEALTH")}
        self.endpoint, self.health = f"http://{ports['HTTP']}", f"http://{ports['HEALTH']}/"
        self.told = {
            **{f"OTEL_BRIDGE_{name}_ENDPOINT": address for name, address in ports.items()},
            "OTEL_BRIDGE_METRICS_PORT": str(free_port()),
            "OTEL_BRIDGE_QUEUE_DIR": str(folder / "queue"),
            "OTEL_BRIDGE_FILE_DIR": str(folder / "out"),
            "OTEL_BRIDGE_LOG_LEVEL": "warn",
            "OTEL_BRIDGE_SINK": "file",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def restart(self) -> None:
        """Kill it, and start another."""
        if self.process is not None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
        command = [sys.executable, "-m", "otel_bridge.commands", "collector", "run"]
        self.process, _ = self.running.enter_context(_started(command, self.told, self.folder, self.health))

    def stop(self) -> None:
        """End it."""
        self.running.close()

    def documents(self) -> list[str]:
        """The documents in its files."""
        files = sorted((self.folder / "out").glob("*.jsonl"))
        return [item.line for file in files for item in read(file, file.name.partition(".")[0].partition("-")[0])[0]]

    def seen(self) -> set[str]:
        """The ids of the records in its files."""
        return {uid for uid, told in self._records() if not told}

    def hear(self, found: Found) -> None:
        """What it was told of losses."""
        for _, told in self._records():
            if told:
                hear(found, *told)

    def _records(self) -> list[tuple[str, list]]:
        import json

        return [one for document in set(self.documents()) for one in of_json(json.loads(document))]
