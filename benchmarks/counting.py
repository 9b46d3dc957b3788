"""How a run of a program is counted: instructions by callgrind, module files of ours, and a sink in every state it can be in.

The same run gives the same figure to some tenths of a per cent, on any machine at any load.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from otel_bridge.collector.process import running

BIN = Path(sys.executable).parent
PYTHON = str(BIN / "python")
DUE = {"KITCHEN_TELEMETRY": "on", "OTEL_BRIDGE_DETACH": "1", "OTEL_BRIDGE_DRAIN_EVERY": "0"}
SINKS = ("up", "refused", "hanging", "absent")
_FILES = """
import atexit, runpy, sys
sys.argv[0] = %r
@atexit.register
def tell():
    ours = [m for n, m in sys.modules.items() if n.split('.')[0] == 'otel_bridge' or n.endswith('._telemetry')]
    print('FILES', *sorted({m.__file__ for m in ours if getattr(m, '__file__', None)}), file=sys.stderr)
runpy.run_path(sys.argv[0], run_name='__main__')
"""
# The interpreter's table of interned strings doubles at 5,461, 10,922 and so on, for 0.3 to 0.6 M instructions at once. Whether a
# program crosses such a point with us or without is chance, so both twins are kept away from it, by the same start.
START = """
import sys
kept = [sys.intern(f"_{number}") for number in range(3000)]
sys.argv = sys.argv[1:]
exec(compile(open(sys.argv[0]).read(), sys.argv[0], "exec"))
"""


def environment(home: Path, **more: str) -> dict[str, str]:
    """A world without anything of the person's, with bytecode kept."""
    fixed = {"LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "OTEL_BRIDGE_DETACH": "0"}
    return {"HOME": str(home), "PATH": f"{BIN}:/usr/bin:/bin", **fixed, **more}


def run(words: list[str], home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the world of the benchmark; it must succeed."""
    done = subprocess.run(words, cwd=home, env=environment(home, **more), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def settle(home: Path) -> None:
    """Wait until no sender of this home is left, and let the next one be due."""
    for entry in Path("/proc").iterdir():
        try:
            mine = entry.name.isdigit() and str(home).encode() in (entry / "environ").read_bytes()
            if mine and b"export.sender" in (entry / "cmdline").read_bytes():
                os.kill(int(entry.name), 9)
        except OSError:
            continue
    (home / ".local/state/otel-bridge/kitchen/drain").unlink(missing_ok=True)


def started(script: str, *before: str) -> list[str]:
    """The words that start a script for counting, behind those of a program that starts it."""
    return [*before, PYTHON, "-c", START, script if script.endswith(".py") else str(BIN / script), "create", "debian"]


def instructions(script: str, home: Path, **more: str) -> int:
    """Instructions of one warm run of a script; its children are left out."""
    return counted(started(script), home, **more)


def counted(words: list[str], home: Path, children: bool = False, **more: str) -> int:
    """Instructions of one warm run of a command; when wanted with those of its children and of what it becomes by `exec`."""
    run(words, home, **more)
    settle(home)
    with tempfile.TemporaryDirectory() as place:
        options = ["--trace-children=yes", "--dump-before=execve"] if children else []
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={place}/%p", *options, *words]
        process = subprocess.Popen(
            command, cwd=home, env=environment(home, **more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        said = process.communicate()[0]
        assert process.returncode == 0, said
        settle(home)
        return sum(map(_total, (file for file in Path(place).iterdir() if _counts(file, process.pid))))


def _counts(file: Path, first: int) -> bool:
    """Whether a profile counts: all of the first process; of a fork what it became, for it begins with the sum of its parent."""
    return file.stem == str(first) or not file.suffix


def _total(file: Path) -> int:
    found = re.search(r"^totals: (\d+)", file.read_text(), re.MULTILINE)
    assert found, file
    return int(found[1])


def files(script: str, home: Path, **more: str) -> list[str]:
    """The module files of ours that a run of a script loads, started by a file of the script's own name."""
    file = home / "files" / script
    file.parent.mkdir(exist_ok=True)
    file.write_text(_FILES % str(BIN / script))
    done = run([PYTHON, str(file), "create", "debian"], home, **more)
    settle(home)
    told = next(line for line in done.stderr.splitlines() if line.startswith("FILES"))
    return ["/".join(Path(name).parts[-2:]) for name in told.split()[1:]]


@contextmanager
def sink(state: str, folder: Path) -> Iterator[str]:
    """An endpoint that is up (a genuine collector), refused, hanging (accepts and never answers) or absent (no such host)."""
    if state == "up":
        with running(folder, {"OTEL_BRIDGE_LOG_LEVEL": "error"}) as collector:
            yield collector.endpoint
    elif state == "hanging":
        with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
            held: list[socket.socket] = []

            def accept() -> None:
                try:
                    while True:
                        held.append(server.accept()[0])
                except OSError:
                    return

            threading.Thread(target=accept, daemon=True).start()
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
            server.shutdown(socket.SHUT_RDWR)
            for connection in held:
                connection.close()
    else:
        yield {"refused": "http://127.0.0.1:1", "absent": "http://no-such-host.invalid:4318"}[state]
