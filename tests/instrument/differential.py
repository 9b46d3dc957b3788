"""Plays one program in several variants, on a ground where everything that it can see has the same name and contents.

Every file in `programs/` is the module behind a console script, whose text is pip's own. A line `# run: WORDS` in it is one run,
written as in a shell: variables first, redirections last (`>closed` is a pipe that nobody reads). `=> 3` is how the bare program
ends, by default 0; a second word is the exit code that is recorded, by default the same; `0?` where the record may be lost.
"""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from conftest import BIN, PROBE, attributes

from otel_bridge.export import spool

STATE = ".local/state/otel-bridge/probe"
PROGRAMS = Path(__file__).parent / "programs"
SCRIPT = """\
#!{python}
import sys
from {prefix}{module} import {name}
if __name__ == '__main__':
    if sys.argv[0].endswith('.exe'):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit({entry}())
"""
VARIANTS = ("bare", "off", "on", "due")
PATIENCE = 60  # seconds for one run of one program, which takes a tenth of one
HELP = "spans:\n  - {type: cli.run, attributes: [{ref: otel_bridge.help}]}\n"  # runs that only print help are recorded, too
NOT_PYTHON = {  # what no Python file can say
    "syntax_error": '"""Cannot be compiled."""\n# run: => 1 nothing\n\ndef main(:\n    pass\n',
    "not_utf8": '"""Is in no encoding."""\n# run: => 1 nothing\n\ndef main():\n    "\udcff"\n',
    "no_module": "# run: => 1 nothing\n# entry: probe.nowhere:main\n",
}


@dataclass(frozen=True)
class Case:
    """One run of one program: what is typed, how the bare program ends, which exit codes are recorded, and whether they may be lost."""

    program: str
    text: str
    typed: str
    status: int
    recorded: tuple[int, ...]
    lossy: bool = False

    @property
    def variables(self) -> dict[str, str]:
        return dict(word.split("=", 1) for word in self._words() if re.match(r"[A-Z_0-9]+=", word))

    @property
    def words(self) -> list[str]:
        return [word for word in self._words() if not re.match(r"[A-Z_0-9]+=|\d?[<>]", word)]

    @property
    def streams(self) -> list[str]:
        return [word for word in self._words() if re.match(r"\d?[<>]", word)]

    def _words(self) -> list[str]:
        return shlex.split(self.typed)

    @property
    def name(self) -> str:
        return f"{self.program} {self.typed}".strip()

    @property
    def missing(self) -> str | None:
        """The module that the program needs and that is not installed."""
        needed = self.said("needs")
        return needed if needed and not find_spec(needed) else None

    def said(self, key: str, default: str = "") -> str:
        """What a comment `# key: value` of the program says."""
        found = re.search(rf"^# {key}: (.+)$", self.text, re.MULTILINE)
        return found[1] if found else default


@dataclass(frozen=True)
class Outcome:
    """Everything that a run leaves."""

    status: int
    out: bytes
    err: bytes
    files: dict[str, tuple[str, bytes]]
    home: list[str]
    recorded: tuple[object, ...]
    senders: int


def number(word: str) -> int:
    """The status that a word means: a number, or the negative number of a signal."""
    return -signal.Signals[word] if word.startswith("SIG") else int(word)


def cases() -> list[Case]:
    """Every run that the programs ask for."""
    texts = {path.stem: path.read_text() for path in sorted(PROGRAMS.glob("*.py"))} | NOT_PYTHON
    found = []
    for program, text in texts.items():
        for line in re.findall(r"^# run:(.*)$", text, re.MULTILINE):
            typed, _, told = line.partition("=>")
            status, *recorded = told.split() or ["0"]
            known = recorded[0] if recorded else str(abs(number(status)) + 128 * (number(status) < 0))
            codes = () if known == "nothing" else tuple(map(int, known.rstrip("?").split(",")))
            found.append(Case(program, text, typed.strip(), number(status), codes, known.endswith("?")))
    return found


@dataclass(frozen=True)
class Ground:
    """What all runs share: the compiled product, a home for each variant, and an address where nobody ever answers."""

    root: Path
    endpoint: str

    def environment(self, root: Path) -> dict[str, str]:
        return {
            "HOME": str(root / "home"),
            "TMPDIR": str(root / "tmp"),
            "PATH": f"{BIN}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(root / "src"),
            "OTEL_BRIDGE_ENDPOINT": self.endpoint,
        }

    def stage(self, root: Path, case: Case) -> None:
        """The source of one program, below a folder of its own."""
        module = case.said("entry", "probe.cli:main").partition(":")[0].partition(".")[2]
        package = root / "src/probe"
        shutil.copytree(self.root / "src/probe", package)
        (root / "tmp").mkdir()
        if module != "nowhere":
            (package / f"{module}.py").write_text(case.text, errors="surrogateescape")
        if case.said("registry") == "none":
            (package / "_telemetry.py").unlink()
        elif case.said("registry"):
            (package / "_telemetry.py").write_text("PRODUCT = 'probe'\nrubbish rubbish\n")

    def script(self, case: Case, variant: str) -> Path:
        """The script that an installer would write for a program; made once, for a fork might hold it open for writing."""
        module, _, entry = case.said("entry", "probe.cli:main").partition(":")
        prefix = "" if variant == "bare" else "otel_bridge.auto."
        made = self.root / f"scripts/{prefix}{module}:{entry}"
        if not made.exists():
            made.parent.mkdir(exist_ok=True)
            given = {"python": sys.executable, "prefix": prefix, "module": module, "entry": entry}
            made.write_text(SCRIPT.format(name=entry.partition(".")[0], **given))
            made.chmod(0o755)
        return made


@contextmanager
def prepared(root: Path) -> Iterator[Ground]:
    """The ground of all runs, below one folder."""
    package = root / "src/probe"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    project = '[project]\nname = "probe"\nversion = "1.2.3"\n[tool.otel-bridge]\nproduct = "probe"\npackage = "probe"\n'
    (root / "src/pyproject.toml").write_text(project)
    (root / "src/telemetry.yaml").write_text(PROBE.replace("attributes:\n", HELP + "attributes:\n", 1))
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as server:  # connections are made, and never answered
        made = Ground(root, f"http://127.0.0.1:{server.getsockname()[1]}")
        environment = made.environment(root) | {"OTEL_BRIDGE_DETACH": "0"}

        def bridge(*words: str, home: str) -> None:
            subprocess.run([BIN / "otel-bridge", *words], env=environment | {"HOME": str(root / home)}, check=True)

        bridge("compile", str(root / "src/telemetry.yaml"), home="nobody")
        for home, verb in (("off", "off"), ("due", "on"), ("on", "on")):
            (root / home).mkdir()
            bridge(verb, "--product", "probe", home=home)
        shutil.copytree(root / "on", root / "bare")
        nothing = next(case for case in cases() if case.program == "nothing_to_do")
        (package / "cli.py").write_text(nothing.text)
        for case in cases():
            for variant in ("bare", "on"):
                made.script(case, variant)
        # Not the first run: the identity is there, and the last sender was a moment ago.
        subprocess.run([made.script(nothing, "on")], env=environment | {"HOME": str(root / "on")}, check=True)
        (root / "on" / STATE / "drain").write_text(f"last = {int(time.time())}\n")
        (root / "on" / STATE / "spool/traces.jsonl").unlink()
        (package / "cli.py").unlink()
        shutil.rmtree(package / "__pycache__")
        yield made


def senders(home: Path) -> list[int]:
    """Processes that are senders of this home."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as line:
                if b"otel_bridge.export.sender" not in line.read():
                    continue
            with open(f"/proc/{entry}/environ", "rb") as variables:
                if os.fsencode(home) + b"\0" in variables.read():
                    found.append(int(entry))
        except OSError:  # it has ended
            continue
    return found


def run(words: list[str], case: Case, **more: object) -> tuple[int, bytes, bytes]:
    """Run a program with the streams that its line asks for; exit status (of a signal: negative), output and errors."""
    read = write = -1
    style = next((stream for stream in case.streams if stream[0] == ">" and stream != ">&-"), "")
    shut = [stream for stream in case.streams if stream.endswith("&-")]
    if shut:
        words = ["/bin/sh", "-c", 'exec "$0" "$@" ' + " ".join(shut), *words]
    if style in (">full", ">file"):
        write = os.open("/dev/full" if style == ">full" else str(more["cwd"]) + "/out", os.O_WRONLY | os.O_CREAT)
    elif style:
        read, write = os.pipe()
        if style == ">closed":
            os.close(read)
    given = case.said("stdin").replace("\\n", "\n").encode()
    streams = {"stdout": write if style else subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.PIPE}
    with subprocess.Popen(words, start_new_session=True, **streams, **more) as process:
        out = b""
        try:
            if style:
                os.close(write)
            while style in (">head", ">slow") and (chunk := os.read(read, 4096)):
                out += chunk
                if style == ">head":
                    out = out[: out.index(b"\n")]
                    break
                time.sleep(0.0005)
            if style in (">head", ">slow"):
                os.close(read)
            rest, err = process.communicate(given, timeout=PATIENCE)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, out + (rest or b""), err


How = Callable[..., tuple[int, bytes, bytes]]


def tree(folder: Path) -> dict[str, tuple[str, bytes]]:
    """What a folder holds: kind and mode of everything in it, and the contents of files."""
    return {
        str(path.relative_to(folder)): (oct(path.lstat().st_mode), path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def plain(text: bytes) -> bytes:
    """Without the addresses of objects; the script's import line reads as in the bare one."""
    text = re.sub(rb"\b0x[0-9a-f]{6,}", b"0x", text)
    return text.replace(b"    from otel_bridge.auto.probe.", b"    from probe.")


def play(ground: Ground, root: Path, case: Case, variant: str, how: How = run) -> Outcome:
    """One run of one program in one variant; `how` starts it and gives status, output and errors."""
    home, work = root / "home", root / "work"
    for folder in (home, work, root / "bin", root / "src/probe/__pycache__"):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ground.root / variant, home)
    work.mkdir()
    (root / "bin").mkdir()
    os.link(ground.script(case, variant), root / "bin/probe")
    environment = ground.environment(root) | case.variables
    try:
        status, out, err = how([str(root / "bin/probe"), *case.words], case, env=environment, cwd=work)
        until = time.monotonic() + PATIENCE
        while case.words == ["daemonises"] and not (work / "until").exists() and time.monotonic() < until:
            time.sleep(0.01)
    finally:
        started = senders(home)
        for pid in started:
            os.kill(pid, signal.SIGKILL)
    waiting = spool.waiting(home / STATE)
    return Outcome(
        status,
        plain(out),
        plain(err),
        tree(work) if work.exists() else {"": ("gone", b"")},
        [name for name in ["", *tree(home)] if not name.startswith(".local/state/otel-bridge/")] if home.exists() else [],
        tuple(attributes(item).get("process.exit.code") for items in waiting.values() for item in items if item.signal == "traces"),
        min(1, len(started)),
    )
