"""What the tests share: a world of its own for every test, the installed programs in it, and a real collector."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from terminal import Terminal

from otel_bridge.collector.process import Running, running
from otel_bridge.export import spool

settings.register_profile("prove", max_examples=10_000)  # before pytest looks for it: `make prove`
ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
_COMPILED: dict[tuple[str, str], str] = {}
# A suite started in the background, or by nohup: children would inherit deafness.
for number, usual in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
    (signal.SIGQUIT, signal.SIG_DFL),
):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, usual)


@dataclass
class World:
    """A home, a working folder and a temporary folder that nobody else uses, and no variable but these."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def state(self) -> Path:
        return self.home / ".local/state/otel-bridge"

    def environment(self, **more: str) -> dict[str, str]:
        path = f"{BIN}{os.pathsep}/usr/bin{os.pathsep}/bin"
        return {
            "HOME": str(self.home),
            "TMPDIR": str(self.root / "tmp"),
            "PATH": path,
            "LANG": "C.UTF-8",
            "OTEL_BRIDGE_DETACH": "0",
            **more,
        }

    def run(self, *words: str, ok: bool | None = True, **more: str) -> subprocess.CompletedProcess[str]:
        """Run an installed program; `ok=None` accepts any exit code."""
        done = subprocess.run(
            words,
            cwd=self.work,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if ok is not None:
            assert (done.returncode == 0) is ok, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def terminal(self, *words: str, **more: str) -> Terminal:
        """Start an installed program on a pseudo-terminal of its own."""
        return Terminal((str(BIN / words[0]), *words[1:]), self.environment(**more), str(self.work))

    def json(self, *words: str, ok: bool | None = True, **more: str) -> dict:
        return json.loads(self.run(*words, ok=ok, **more).stdout)

    def on(self, product: str = "kitchen") -> None:
        self.run("otel-bridge", "on", "--product", product)

    def waiting(self, product: str = "kitchen") -> list[spool.Item]:
        return [item for items in spool.waiting(self.state / product).values() for item in items]

    def bytes_in(self, *below: str) -> bytes:
        """Everything that the files below a folder of the home hold."""
        files = (self.home / Path(*below)).rglob("*")
        return b"".join(file.read_bytes() for file in files if file.is_file())


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    for folder in (made.home, made.work, tmp_path / "tmp"):
        folder.mkdir()
    return made


@pytest.fixture
def needs() -> Callable[[str], str]:
    """Finds a program that a test needs; without it the test is skipped and says so, but never in CI."""

    def find(program: str) -> str:
        found = shutil.which(program)
        if not found:
            assert not os.environ.get("CI"), f"{program} is missing; `make system-deps` installs it on Debian"
            pytest.skip(f"{program} is missing; `make system-deps` installs it on Debian")
        return found

    return find


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "collector", {"OTEL_BRIDGE_LOG_LEVEL": "warn", "OTEL_BRIDGE_SINK": "file"}) as started:
        yield started


def compile_once(world: World, source: Path) -> None:
    """Compile the declaration of the product probe; what the program has written for the same texts before is put there again."""
    texts, compiled = (
        ((source / "pyproject.toml").read_text(), (source / "telemetry.yaml").read_text()),
        source / "probe/_telemetry.py",
    )
    if texts not in _COMPILED:
        world.run("otel-bridge", "compile", str(source / "telemetry.yaml"))
        _COMPILED[texts] = compiled.read_text()
    compiled.write_text(_COMPILED[texts])


@pytest.fixture
def probe(world: World) -> Callable[[str], list[str]]:
    """Makes the words that run a program text as the entry point of a small product called probe, declared and compiled."""
    package = world.root / "probe-src" / "probe"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package.parent / "pyproject.toml").write_text(
        '[project]\nname = "probe"\nversion = "1.2.3"\n[tool.otel-bridge]\nproduct = "probe"\npackage = "probe"\n'
    )
    (package.parent / "telemetry.yaml").write_text(PROBE)
    compile_once(world, package.parent)

    def words(program: str) -> list[str]:
        (package / "cli.py").write_text(program)
        place = f"import sys; sys.path.insert(0, {str(package.parent)!r})"
        start = f"{place}\nfrom otel_bridge.auto.probe.cli import main\nsys.exit(main())\n"
        return [str(BIN / "python"), "-c", start]

    return words


def in_file(collector: Running, signal: str) -> list[spool.Item]:
    """Every record in a collector's file."""
    return spool.read(collector.files / f"{signal}.jsonl", signal)[0]


def attributes(item: spool.Item) -> dict:
    """The attributes of a record, values as JSON has them."""
    from otel_bridge.export.prepare import plain

    return plain(item.body.get("attributes", []))


def uid(item: spool.Item) -> str:
    return attributes(item)["log.record.uid"]


def lines_of(line: str, number: int) -> list[str]:
    """A line of the spool as `number` lines, each with a uid of its own."""
    found = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", line.partition("log.record.uid")[2])
    assert found is not None
    return [line.replace(found[0], f"{one:08x}{found[0][8:]}") for one in range(number)]


PROBE = """\
file_format: definition/2
attributes:
  - key: probe.step
    type: int
    stability: development
    brief: Which step it was.
    examples: [1]
    annotations: {privacy: {policy: count, max: 100, purpose: "Which step?", category: interaction, owner: telemetry@example.org}}
  - key: probe.word
    type: string
    stability: development
    brief: One of two words.
    examples: [red]
    annotations: {privacy: {policy: enum, values: [red, blue], purpose: "Which word?", category: interaction, owner: telemetry@example.org}}
events:
  - name: probe.step
    stability: development
    requirement_level: recommended
    brief: A step was done.
    attributes: [{ref: probe.step, requirement_level: required}, {ref: probe.word, requirement_level: recommended}]
"""
