"""What a replay has done so far, in a folder of its own for each place that it gives records to."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from ..errors import DeliveryError
from .counters import EVERY, Key
from .sinks import every

_PLACE = ("_URL", "_ENDPOINT", "_BROKER", "_BUCKET", "_PREFIX", "_TOPIC", "_DB", "_INDEX")  # variables that say where a sink is


def folder_for(root: Path, endpoint: str | None, sinks: tuple[str, ...]) -> Path:
    """The folder of queue and progress for an intake's URL, or for sinks where their variables say that they are; it is made.

    Another place has another folder: what one has taken, the other has not. Raises OSError.
    """
    where = [endpoint.rstrip("/")] if endpoint else []
    for sink in every() if not endpoint else ():
        if sink.name in sinks:
            places = [one for one in (*sink.needs, *sink.may) if one.name.endswith(_PLACE)]
            where += [f"{one.name}={os.environ.get(one.name) or one.default or ''}" for one in places]
    digest = hashlib.sha256("\n".join(where).encode()).hexdigest()[:12]
    folder = root / f"{'endpoint' if endpoint else '+'.join(sinks)}-{digest}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def free(folder: Path) -> None:
    """Raises DeliveryError when a collector has the queue of this folder: another replay's, or one that outlived a kill -9."""
    import fcntl  # here, for a system without it

    for file in sorted(folder.glob("queue/*")):
        with file.open("rb") as opened:
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                pid = (folder / "collector.pid").read_text() if (folder / "collector.pid").exists() else "unknown"
                raise DeliveryError(
                    f"{folder / 'queue'}: process {pid} has it, the collector of a replay that runs or was killed; "
                    f"let it end, or `kill {pid}`, then the same command goes on"
                ) from None


class Done:
    """How many requests of which file were taken, and what the sinks were owed then, in a file of the replay's folder.

    From there a stopped replay goes on. Keys are digests of files, `SIGNAL EXPORTER` for what is owed, and `SIGNAL *` for what was
    given away and not counted since: only a replay that could not end leaves that, and it is then too much, never too little.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            self._kept: dict[str, int] = {str(key): int(value) for key, value in json.loads(file.read_text()).items()}
        except (OSError, ValueError, AttributeError, TypeError):
            self._kept = {}

    @property
    def owed(self) -> dict[Key, int]:
        """What lay in the queues when the last replay ended, by signal and exporter."""
        return {(signal, who): number for key, number in self._kept.items() for signal, _, who in [key.partition(" ")] if who}

    def of(self, digest: str) -> int:
        """The requests of a file that were taken already."""
        return self._kept.get(digest, 0)

    def put(self, digest: str, number: int) -> None:
        """Write down that so many of a file's requests were taken. Raises OSError."""
        self._kept[digest] = number
        self._write()

    def give(self, signal: str, number: int) -> None:
        """Write down, before they are posted, that so many more records may lie in every queue. Raises OSError."""
        self._kept[f"{signal} {EVERY}"] = self._kept.get(f"{signal} {EVERY}", 0) + number
        self._write()

    def owe(self, left: Mapping[Key, int], doubtful: bool) -> None:
        """Write down what lies in the queues now, as counted; whether that began with a doubt stays known. Raises OSError."""
        taken = {key: number for key, number in self._kept.items() if " " not in key}
        doubt = {f"logs {EVERY}": 0} if doubtful else {}
        self._kept = taken | doubt | {f"{signal} {who}": number for (signal, who), number in left.items() if number > 0}
        self._write()

    def forget(self) -> None:
        """Everything is done: the next replay begins at the beginning. Raises OSError."""
        self._kept = {}
        self.file.unlink(missing_ok=True)

    def _write(self) -> None:
        new = self.file.with_name(f".{self.file.name}.new")
        new.write_text(json.dumps(self._kept))
        new.replace(self.file)
