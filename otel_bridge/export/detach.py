"""Start a sender that nobody waits for, in a session of its own, holding nothing of the host's.

An inherited standard output stalled `tool | cat` for as long as the sender lived (measured: 3 s), so every descriptor is
closed or on /dev/null. The user's own OTEL_* variables stay behind: they steer the user's telemetry, not a product's.
"""

import os
import sys
import time

from ..paths import environ

PATIENCE = 1.0  # seconds that a run in continuous integration waits: its machine may be gone the moment it ends
_SENDER = "from otel_bridge.export.sender import main; main()"
_PYTHONS = ("python", "pypy", "graalpy")
_DEFAULT = (1, 2, 3, 14, 15)  # SIGHUP, SIGINT, SIGQUIT, SIGALRM, SIGTERM, wherever there is posix_spawn


def spawn(product: str, folder: str, wait: bool) -> int:
    """Start a sender, unless one is at work, or this interpreter is no Python that could run one; its process id, or 0."""
    if getattr(sys, "frozen", False) or not (sys.executable or "").rpartition("/")[2].startswith(_PYTHONS) or busy(folder):
        return 0
    null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
    child = os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", "-c", _SENDER, product],
        _environment(),
        file_actions=[*null, *((os.POSIX_SPAWN_CLOSE, fd) for fd in _inheritable())],
        setsid=True,
        setsigdef=_DEFAULT,
        setsigmask=(),
    )
    until = time.monotonic() + PATIENCE
    while wait and time.monotonic() < until and os.waitpid(child, os.WNOHANG) == (0, 0):
        time.sleep(0.02)
    return child


def _environment() -> "dict[bytes, bytes]":
    """The variables of this process without what steers the user's own telemetry, and without its agent."""
    kept = {
        key: value
        for key, value in environ.items()
        if not key.startswith(b"OTEL_") or key.startswith(b"OTEL_BRIDGE_") or key == b"OTEL_SDK_DISABLED"
    }
    if b"PYTHONPATH" in kept:  # `opentelemetry-instrument` works by a sitecustomize of its own
        parts = kept[b"PYTHONPATH"].split(b":")
        kept[b"PYTHONPATH"] = b":".join(
            one for one in parts if not one.endswith(b"/opentelemetry/instrumentation/auto_instrumentation")
        )
    return kept


def _inheritable() -> "list[int]":
    """Descriptors above standard error that a child would get: a shell's `3>file`, a CI runner's log."""
    found = []
    for fd in map(int, os.listdir("/dev/fd")):
        try:
            if fd > 2 and os.get_inheritable(fd):
                found.append(fd)
        except OSError:  # the descriptor of this very listing
            pass
    return found


def busy(folder: str) -> bool:
    """Whether a sender holds the lock; it looks at the spool again after it has let go, so nothing is forgotten."""
    try:
        fd = os.open(folder + "/sender.lock", os.O_WRONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:  # and none is made: `forget` may have been here
        return False
    try:
        os.lockf(fd, os.F_TEST, 0)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False
