"""Calls sys.exit in a thread, which ends that thread alone."""
# run: => 6

import sys
import threading


def work():
    print("in the thread", flush=True)
    sys.exit(5)


def main():
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    print("still here")
    sys.exit(6)
