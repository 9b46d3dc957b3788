"""A person at a terminal who types, interrupts, stops and hangs up: a way to run a program of the differential test."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from differential import PATIENCE, Case, How

HANG_UP = "the person closes the window"
# Becomes the program once the pseudo-terminal is the controlling one of its session; what Python ignores is not left ignored.
LEADER = """\
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def talk(turns: list[tuple[str, str]], shell: tuple[str, ...] = ()) -> How:
    """How to run a program at a terminal: each of `turns` is what to wait for, and what is typed then; below a shell if given."""

    def how(words: list[str], case: Case, env: dict[str, str], cwd: Path) -> tuple[int, bytes, bytes]:
        given = {**env, "TERM": "dumb", "PS1": "$ ", "PATH": f"{cwd.parent / 'bin'}{os.pathsep}{env['PATH']}"}
        master, slave = pty.openpty()
        leader = [sys.executable, "-I", "-S", "-c", LEADER, *(shell or words)]
        with subprocess.Popen(
            leader, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=given, cwd=cwd
        ) as process:
            os.close(slave)
            try:
                text = _converse(master, turns)
                status = process.wait(timeout=PATIENCE)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        return status, text, b""

    return how


def _converse(master: int, turns: list[tuple[str, str]]) -> bytes:
    """Everything that was on the screen."""
    text, seen = b"", 0
    for after, typed in turns:
        while (found := text.find(after.encode(), seen)) < 0:
            read = _read(master)
            assert read, f"{after!r} never came after {text!r}"
            text += read
        seen = found + len(after.encode())
        _until_it_waits(os.tcgetpgrp(master))
        if typed == HANG_UP:
            os.close(master)
            return text
        os.write(master, typed.encode())
    while read := _read(master):
        text += read
    os.close(master)
    return text


def _read(master: int) -> bytes:
    """What comes next; empty when nobody holds the other end any more."""
    assert select.select([master], [], [], PATIENCE)[0], "nothing comes any more"
    try:
        return os.read(master, 65536)
    except OSError:
        return b""


def _until_it_waits(process: int) -> None:
    """A key may hit a program between two lines, and its traceback would say so: wait until the program waits, too."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:  # the leader of its group has ended
            return
        if state == "S":
            return
        time.sleep(0.002)
