"""Make a process of ours die, dawdle or write half a line at a chosen system call, and keep a witness of what it drops.

`Fate` says what befalls one process. `suffer` puts it around the functions of `os` that the core calls; a killed process is
killed by SIGKILL, before or after the call, so nothing of Python's gets a last word.
"""

import os
import random
import signal
import socket
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REAL = {name: getattr(os, name) for name in ("link", "write", "kill", "getpid")}
CALLS = ("open", "write", "pwrite", "pread", "read", "rename", "replace", "unlink", "ftruncate", "lockf", "fstat", "stat")
CALLS += ("close", "mkdir", "listdir", "scandir")
NET = ("connect", "sendall", "recv_into")
DECIDING = ("write", "pwrite", "rename", "replace", "unlink", "lockf", "ftruncate", "sendall", "recv_into")  # that change a state
CHANGING = {"write", "pwrite", "rename", "replace", "unlink", "ftruncate", "sendall"}  # between two of these nothing is different
OFTEN = ("pwrite", "pwrite", "unlink", "rename")  # between which something is counted
DROPPED = (".spool_full", ".too_old", ".renamed_build")
SHORTEST, REST = 20, 10  # bytes of a torn line that are there, and that are not: a piece that can be told from a whole one


@dataclass(frozen=True)
class Fate:
    """What befalls a process: where it dies, how often it dawdles, which line it writes half and which a full disk cuts."""

    kind: str = ""  # of the call; "*" for any, "+" for any that changes something, nothing for a long life
    number: int = 0
    after: bool = False
    dawdle: float = 0.0  # the part of its calls that take a while
    tear: int = 0  # the number of the line
    short: int = 0


def drawn(chance: random.Random, most: int) -> Fate:
    """A fate by chance; `most` is about how many calls the process makes."""
    kind, number = "", 0
    if chance.random() < 0.7:
        kind = chance.choice(DECIDING + OFTEN) if chance.random() < 0.7 else "*"
        number = chance.randrange(1, most) if kind == "*" else min(int(chance.paretovariate(0.7)), max(most // 10, 4))
    dawdle = chance.choice((0, 0, 0.01, 0.05))
    tear = chance.randrange(1, 30) if chance.random() < 0.15 else 0
    short = chance.randrange(1, 30) if chance.random() < 0.1 else 0
    return Fate(kind, number, chance.random() < 0.5, dawdle, tear, short)


class Victim:
    """A process at the mercy of its fate: counts its calls, and notes what no other can know of them."""

    def __init__(self, fate: Fate, world: Path, chance: random.Random, note: Any) -> None:
        self.fate, self.world, self.chance, self.note = fate, world, chance, note
        self.calls: Counter[str] = Counter()
        self.lines = 0

    def wrap(self, owner: Any, kind: str) -> None:
        """Put the fate around one function."""
        real = getattr(owner, kind)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.before(kind)
            if kind == "unlink":
                self.witness(os.fspath(args[0]))
            done = self.line(real, *args) if kind == "write" else real(*args, **kwargs)
            self.after(kind)
            return done

        setattr(owner, kind, call)

    def before(self, kind: str) -> None:
        """One call more."""
        self.calls[kind] += 1
        self.calls["*"] += 1
        self.calls["+"] += kind in CHANGING
        if self.chance.random() < self.fate.dawdle:
            time.sleep(self.chance.random() * 0.02)
        self.die(kind, False)

    def after(self, kind: str) -> None:
        """It has been made."""
        self.die(kind, True)
        if self.chance.random() < self.fate.dawdle:
            time.sleep(self.chance.random() * 0.02)

    def die(self, kind: str, after: bool) -> None:
        """Die here, if it is here."""
        fate = self.fate
        mine = fate.kind in (kind, "*") or (fate.kind == "+" and kind in CHANGING)
        if mine and fate.after is after and self.calls[fate.kind] == fate.number:
            REAL["kill"](REAL["getpid"](), signal.SIGKILL)

    def line(self, real: Any, fd: int, data: bytes) -> int:
        """Write; one line of the spool may be torn by the death of its process, another cut short by a full disk."""
        if not data.startswith((b'{"resourceLogs"', b'{"resourceSpans"')) or not data.endswith(b"\n"):
            return int(real(fd, data))
        self.lines += 1
        if self.lines not in (self.fate.tear, self.fate.short):
            return int(real(fd, data))
        part = self.chance.randrange(SHORTEST, len(data) - REST)
        if self.lines == self.fate.tear:
            self.note("torn")
            real(fd, data[:part])
            REAL["kill"](REAL["getpid"](), signal.SIGKILL)
        self.note("short")
        return int(real(fd, data[:part]))

    def witness(self, path: str) -> None:
        """Keep what is dropped under a second name, before it is deleted."""
        if path.endswith(DROPPED):
            try:
                REAL["link"](path, self.world / "dropped" / os.path.basename(path))
            except (FileExistsError, FileNotFoundError):
                pass


def suffer(fate: Fate, world: Path, chance: random.Random, note: Any) -> Victim:
    """Put a fate around the calls of this process."""
    victim = Victim(fate, world, chance, note)
    for kind in CALLS:
        victim.wrap(os, kind)
    for kind in NET:
        victim.wrap(socket.socket, kind)
    return victim
