"""Count the runs that never said how they ended: killed on the spot, left by `os._exit`, or replaced by another program.

Every recorded run leaves a mark, an empty file named by its process, and takes it away at its end.
"""

import os

from . import losses


def settle(folder: str) -> int:
    """Count as lost the runs of a product whose process is gone, and take their marks away; returns their number. Never raises."""
    gone = 0
    for place in (folder, folder + "/local"):
        try:
            marks = os.listdir(place + "/running")
        except OSError:
            continue
        for name in marks:
            pid, mark = name.partition(".")[0], f"{place}/running/{name}"
            try:
                there = pid.isdecimal() and not _runs(int(pid), mark) and os.path.exists(mark)  # its owner is gone: it stays or not
                if there and losses.settle(place, {"unfinished": 1}, name.rpartition(".")[2][:8]):  # once, whoever else finds it
                    os.unlink(mark)
                    gone += 1
            except OSError:  # it ended at this very moment
                continue
    return gone


def _runs(pid: int, mark: str) -> bool:
    """Whether the process that made a mark is there; one that began after the mark was made only has its number."""
    try:
        os.kill(pid, 0)
    except (OSError, OverflowError):  # gone, somebody else's, or no process that there could be
        return False
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat, open("/proc/stat", encoding="ascii") as machine:
            ticks = int(stat.read().rpartition(")")[2].split()[19])  # proc(5): field 22, since the machine was started
            boot = int(next(line for line in machine if line.startswith("btime")).split()[1])
    except FileNotFoundError:  # no Linux
        return True
    return boot + ticks / os.sysconf("SC_CLK_TCK") <= os.stat(mark).st_mtime + 2  # `btime` has whole seconds
