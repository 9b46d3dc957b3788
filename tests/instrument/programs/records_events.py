"""Records events itself, in main, in a thread, in a forked child and at exit; sees nothing of it."""
# run: => 3

import atexit
import os
import sys
import threading

import otel_bridge


def step(number):
    return otel_bridge.event("probe.step", {"probe.step": number})


def main():
    print(step(1), otel_bridge.event("no.such.event"), otel_bridge.event(["x"], 3))
    thread = threading.Thread(target=step, args=(2,))
    thread.start()
    thread.join()
    sys.stdout.flush()
    if os.fork() == 0:
        step(3)
        os._exit(0)
    print(os.wait()[1], sorted(os.listdir("/proc/self/fd")))
    atexit.register(lambda: print(step(4), file=sys.stderr))
    return 3
