"""Start a program, wait for it, and tell as one line of JSON how long it took and what it used.

Words: seconds until it is killed with its process group, files for its output and its errors, then the program's own. It is
started from here because Linux counts the memory of whoever starts a program into that program's peak: this is small.
"""

import os
import signal
import sys
import time

patience, output, errors, *words = sys.argv[1:]
flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
actions = [
    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, output, flags, 0o600),
    (os.POSIX_SPAWN_OPEN, 2, errors, flags, 0o600),
]
killed = False


def kill(*signalled: object) -> None:
    """Its time is up."""
    global killed
    killed = True
    os.killpg(child, signal.SIGKILL)


signal.signal(signal.SIGALRM, kill)
began = time.perf_counter()
child = os.posix_spawn(words[0], words, os.environ, file_actions=actions, setsid=True)
signal.setitimer(signal.ITIMER_REAL, float(patience))
_, status, used = os.wait4(child, 0)
took = time.perf_counter() - began
signal.setitimer(signal.ITIMER_REAL, 0)
print(
    '{"seconds": %r, "killed": %s, "code": %d, "cpu": %r, "peak": %d, "group": %d}'
    % (
        *(took, "true" if killed else "false", os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime),
        *(used.ru_maxrss * (1 if sys.platform == "darwin" else 1024), child),
    )
)
