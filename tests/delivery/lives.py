"""What the processes of a faulty world do: record numbered events, send what waits, serve; each forked, each may be killed.

A writer notes in a file of its own what only it can know, one line each: `try ID` before it records, `ack ID` once `record` has
returned, `lost ID` when `append` says that nothing waits, `torn ID` when half a line is all that will be there, `short ID` when half
a line has to be cut off again, `mark`, `marked`, `unmark` and `unmarked` around the mark of its run.
"""

import os
import random
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from dying import REAL, Fate, suffer
from faulty_server import GOOD

from otel_bridge import record, shell
from otel_bridge.consent import Decision
from otel_bridge.export import detach, sender
from otel_bridge.export.drain import drain
from otel_bridge.paths import opened
from otel_bridge.record import Run
from otel_bridge.schema.compile import Compiled, read

PRODUCT = "kitchen"
ROOT = Path(__file__).resolve().parents[2]
LONG_AGO = 40 * 86400 * 10**9  # nanoseconds; more than the 30 days that records wait


def fork(world: Path, live: Callable[[], object], environment: dict[str, str]) -> int:
    """Start a process; its standard error is a file of the world."""
    process = os.fork()
    if process:
        return process
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        os.environ.update(environment, OTEL_BRIDGE_DEBUG="1")
        null, told_here = os.open(os.devnull, os.O_RDWR), os.open(world / "stderr", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for fd, place in ((null, 0), (null, 1), (told_here, 2)):
            os.dup2(fd, place)
        live()
    except BaseException as raised:
        if not isinstance(raised, SystemExit):
            os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(0)


def write(world: Path, name: str, number: int, fate: Fate, seed: str, old: bool, harm: str = "", prefix: str = "") -> None:
    """Record so many events, some of them spans."""
    chance = random.Random(f"{seed} {name}")
    notes = os.open(world / "notes" / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    current = ""

    def note(word: str) -> None:
        REAL["write"](notes, f"{word} {current}\n".encode())

    appended = record.append

    def append(run: Run, signal: str, line: str) -> bool:
        waits = appended(run, signal, line)
        if not waits:
            note("lost")
        return waits

    def uid() -> str:
        note("try")
        return current

    record.append, record.new_uuid = append, uid  # type: ignore[assignment]
    if old:
        real_now = record.now
        record.now = lambda: real_now() - LONG_AGO  # type: ignore[assignment]
    place, declared = os.environ["XDG_STATE_HOME"] + "/otel-bridge/" + PRODUCT, _declared()
    run = Run(declared, Decision("on", "because", "test"), place, {})
    harms = _tearing(chance) if harm == "tears" else None
    suffer(fate, world, chance, note)
    if harms:
        harms()
    current = f"{os.getpid()}"
    mark = f"{run.folder}/running/{os.getpid()}.{run.span_id}"
    note("mark")
    os.close(opened(mark, os.O_WRONLY))
    note("marked")
    head = prefix or f"{int(name.split('-')[1]):08x}"
    for one in range(number):
        if chance.random() < 0.15 or (prefix and one == 0):
            current = run.span_id = f"{head}{one + 1:08x}"
            note("try")
            record.record_span(run, record.now(), 1_000_000, chance.random() < 0.2)
        else:
            current = f"{head}-0000-4000-8000-{one + 1:012x}"
            record.record(run, "kitchen.destroy", {"kitchen.platform": "debian-12"})
        note("ack")
    current = f"{os.getpid()}"
    note("unmark")
    os.unlink(mark)
    note("unmarked")


def _tearing(chance: random.Random) -> Callable[[], None]:
    """Harm done on purpose: lines are written half and nobody is told."""

    def begin() -> None:
        real = os.write

        def half(fd: int, data: bytes) -> int:
            if data.startswith(b'{"resource') and chance.random() < 0.1:
                REAL["write"](fd, data[: len(data) // 2])
                return len(data)
            return real(fd, data)

        os.write = half

    return begin


def _declared() -> ModuleType:
    import kitchen._telemetry as declared

    return declared


def send(world: Path, name: str, how: str, fate: Fate, seed: str, timeout: float) -> None:
    """Send what waits, as the library, the command or the detached sender does."""
    _wait_for(timeout)
    chance = random.Random(f"{seed} {name}")
    suffer(fate, world, chance, lambda word: None)
    if how == "detached":
        sys.argv = ["-c", PRODUCT]
        if not detach.busy(os.environ["XDG_STATE_HOME"] + "/otel-bridge/" + PRODUCT):
            sender.main()
    elif how == "command":
        sys.argv = ["otel-bridge", "drain", "--product", PRODUCT, "--json"]
        shell.main()
    else:
        drain(PRODUCT, patience=0.5)


def _wait_for(seconds: float) -> None:
    """Wait so long for an answer."""
    os.environ["OTEL_BRIDGE_TIMEOUT"] = str(seconds)


def close(world: Path, seed: str, number: int) -> None:
    """What a healthy day brings: some good records, and a sender without a fault."""
    write(world, f"healthy-{number}", 4, Fate(), seed, old=False, prefix=f"{GOOD}{number:04x}")
    _wait_for(10)
    drain(PRODUCT, patience=10)


def compiled() -> Compiled:
    """The declaration as senders read it."""
    return read(Path(str(_declared().__file__)))
