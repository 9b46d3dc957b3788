"""Writes to a standard output whose reader has gone, is slow, or leaves after one line, or to a full disk."""
# run: few >closed => 120 0
# run: flushed >closed => 120 1
# run: many >closed => 1
# run: default >closed => SIGPIPE nothing
# run: caught >closed
# run: many >head => 1
# run: default >head => SIGPIPE nothing
# run: many >slow
# run: long >slow
# run: few >full => 120 0
# run: flushed >full => 120 1
# run: many >full => 1
# run: raises >full => 120 1
# run: few >file
# run: PYTHONUNBUFFERED=1 few >closed => 1

import os
import signal
import sys


def main():
    way = sys.argv[1]
    if way == "default":
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if way == "few":
        print("one line")
    elif way == "flushed":
        print("one line", flush=True)
    elif way == "caught":
        try:
            print("one line", flush=True)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            print("gone", file=sys.stderr)
    elif way == "raises":
        print("one line")
        raise ValueError("and failed")
    elif way == "long":
        sys.stdout.write("x" * 300_000 + "\n")
    else:
        for number in range(20_000):
            print("line", number)
