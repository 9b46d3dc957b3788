"""Prints what an operating system knows of the process."""
# run: main
# run: exit
# run: LC_ALL=C main
# run: LC_ALL=C PYTHONCOERCECLOCALE=0 PYTHONUTF8=0 main

import atexit
import gc
import locale
import os
import resource
import signal
import sys
import threading


def show():
    files = []
    for name in sorted(os.listdir("/proc/self/fd"), key=int):
        try:
            files.append((int(name), os.readlink(f"/proc/self/fd/{name}").partition(":")[0], os.get_inheritable(int(name))))
        except OSError:
            files.append((int(name), "the listing itself"))
    print(files)
    first = os.open(os.devnull, os.O_RDONLY)
    print("next descriptor", first)
    os.close(first)
    print("threads", [thread.name for thread in threading.enumerate()], len(os.listdir("/proc/self/task")))
    mask = os.umask(0)
    os.umask(mask)
    print("umask", oct(mask), "cwd", os.getcwd())
    print(locale.setlocale(locale.LC_ALL), locale.getencoding(), sys.stdout.encoding, sys.getfilesystemencoding())
    for name in sorted(dir(resource)):
        if name.startswith("RLIMIT_"):
            print(name, resource.getrlimit(getattr(resource, name)))
    print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), signal.getitimer(signal.ITIMER_REAL))
    print(os.getuid(), os.geteuid(), os.getgid(), os.getgroups(), os.getpriority(os.PRIO_PROCESS, 0))
    print(os.getpgrp() == os.getpid(), os.getsid(0) == os.getpid(), [os.get_blocking(number) for number in (0, 1, 2)])
    print(gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), gc.callbacks, gc.get_debug())
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    with open("/proc/self/task/%d/children" % os.getpid()) as file:
        print("children", file.read())


def main():
    if sys.argv[1] == "main":
        show()
    else:
        atexit.register(show)
