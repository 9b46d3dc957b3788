"""End a sender that is at work, in the middle of a request if need be, for the person has said off."""

import os
import signal
import struct
import sys
import time

from ..errors import DeliveryError
from ..paths import state_dir
from .detach import busy

STUBBORN = 5.0  # seconds to wait for a sender that cannot be killed from here: of another machine or container


def stop(product: str) -> None:
    """End the sender of a product, in the middle of a request if need be. Raises DeliveryError when one is left.

    The kernel itself says which process holds the lock, so nothing else is ever killed.
    """
    folder = state_dir(product)
    until = time.monotonic() + STUBBORN
    while os.path.exists(folder + "/sender.lock") and busy(folder):
        holder = _holder(folder + "/sender.lock")
        try:
            if holder > 0 and holder != os.getpid():
                os.kill(holder, signal.SIGKILL)
        except OSError:  # gone by itself, or somebody else's
            pass
        if time.monotonic() > until:
            raise DeliveryError(
                f"{product}: a sender is at work that cannot be stopped from here; it ends by itself, then run this again"
            )
        time.sleep(0.02)


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
