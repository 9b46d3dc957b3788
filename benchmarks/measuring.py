"""How the parts of the comparison measure: a program and what it used, a sink in each of its states, figures kept as JSON."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import machine
from counting import sink as no_sink

HERE = Path(__file__).resolve().parent
PATIENCE = 20.0  # seconds; a run that takes longer is killed
OURS = "kitchen.driver.name"  # stands once in each event of ours: its policies let no text through that could name a run


@dataclass(frozen=True)
class Measured:
    """What a program used: seconds of wall clock and CPU, bytes of memory at its peak and of standard error, its exit code."""

    seconds: float
    cpu: float
    peak: int
    stderr: int
    killed: bool
    code: int
    group: int
    output: str


def measure(words: Sequence[str], home: Path, environment: Mapping[str, str], patience: float = 600.0) -> Measured:
    """Run a program in a home; whatever it has left running in its process group goes on until `end`."""
    output, errors = home / ".output", home / ".errors"
    launcher = [sys.executable, "-I", "-S", str(HERE / "launch.py"), str(patience), str(output), str(errors)]
    done = subprocess.run([*launcher, *words], cwd=home, env=dict(environment), capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    return Measured(**told, stderr=errors.stat().st_size, output=output.read_text(errors="replace"))


def end(group: int) -> None:
    """End what a program has left running in its own process group."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


@dataclass(frozen=True)
class Where:
    """Base URLs of a sink for HTTP and for gRPC; what came can be counted when it is up."""

    http: str
    grpc: str

    def count(self, word: str, below: str = "/") -> dict[str, int]:
        """Requests and bytes below a path, and how often a word stands in them; gRPC paths begin with the service's name."""
        return self._ask(f"/_count?word={quote(word)}&below={quote(below)}")

    def forget(self) -> None:
        """Drop what came so far."""
        self._ask("/_forget")

    def wait(self, word: str, below: str = "/", number: int = 1, patience: float = 6.0) -> int:
        """How often a word stands in what came, when it is as often as expected or the time is up."""
        until = time.monotonic() + patience
        while (found := self.count(word, below)["count"]) < number and time.monotonic() < until:
            time.sleep(0.05)
        return found

    def _ask(self, path: str) -> dict[str, int]:
        with urllib.request.urlopen(self.http + path, timeout=60) as answer:
            return dict(json.load(answer))


@contextmanager
def sink(state: str, folder: Path) -> Iterator[Where]:
    """A sink that is up (sink.py), refused, hanging (accepts and never answers) or absent (no such host)."""
    if state != "up":
        with no_sink(state, folder) as endpoint:
            yield Where(endpoint, endpoint)
        return
    process = subprocess.Popen([sys.executable, str(HERE / "sink.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout
    try:
        ports = json.loads(process.stdout.readline())
        yield Where(f"http://127.0.0.1:{ports['http']}", f"http://127.0.0.1:{ports['grpc']}")
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def keep(out: Path, name: str, found: Mapping[str, object], described: Mapping[str, object]) -> None:
    """Write the raw figures of a part, with the machine's description, to NAME.json."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(json.dumps({"machine": described, **found}, indent=1) + "\n")


def plain(told: Measured) -> dict[str, object]:
    """What is kept of a measured run."""
    found = asdict(told)
    return {name: round(found[name], 4) for name in ("seconds", "cpu")} | {
        name: found[name] for name in ("peak", "stderr", "killed")
    }


describe = machine.describe
