"""End a sender that is at work, in the middle of a request if need be, for the person has said off."""

import os
import signal
import struct
import sys
import time

from .detach import busy

STUBBORN = 5.0  # seconds to wait for a sender that cannot be killed from here: of another machine or container


def stop(folder: str) -> bool:
    """End the sender of a product, in the middle of a request if need be; whether none is left. Raises nothing.

    The kernel itself says which process holds the lock, so nothing else is ever killed.
    """
    until = time.monotonic() + STUBBORN
    while os.path.exists(folder + "/sender.lock") and busy(folder):
        holder = _holder(folder + "/sender.lock")
        try:
            if holder > 0 and holder != os.getpid():
                os.kill(holder, signal.SIGKILL)
        except OSError:  # gone by itself, or somebody else's
            pass
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def _holder(path: str) -> int:
    """The process that holds the lock of a file (fcntl(2), F_GETLK); 0 when that cannot be known from here."""
    import fcntl  # Windows has none

    linux = sys.platform == "linux"
    form = "hhqqi4x" if linux else "qqihh"  # struct flock: type, whence, start, length, pid; elsewhere start comes first
    asked = struct.pack(form, fcntl.F_WRLCK, 0, 0, 0, 0) if linux else struct.pack(form, 0, 0, 0, fcntl.F_WRLCK, 0)
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        told = struct.unpack(form, fcntl.fcntl(fd, fcntl.F_GETLK, asked))
    finally:
        os.close(fd)
    kind, pid = (told[0], told[4]) if linux else (told[3], told[2])
    return int(pid) if kind != fcntl.F_UNLCK else 0
