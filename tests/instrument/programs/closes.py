"""Closes or replaces its standard streams, and goes on."""
# run: stdout
# run: stderr
# run: both
# run: stdin
# run: fd0
# run: fd1 => 120 0
# run: fd2
# run: fd2-raises => 120 1
# run: all => 120 0
# run: range => 120 0
# run: none
# run: none-raises => 1
# run: string
# run: broken => 120 1
# run: broken-stderr => 120 1
# run: detached => 120 0
# run: devnull
# run: moved

import io
import os
import sys


class Broken:
    def write(self, text):
        raise OSError("cannot write")

    def flush(self):
        raise OSError("cannot flush")


def main():
    way = sys.argv[1]
    print("out")
    if way in ("stdout", "both"):
        sys.stdout.close()
    if way in ("stderr", "both"):
        sys.stderr.close()
    if way == "stdin":
        sys.stdin.close()
    if way in ("fd0", "all"):
        os.close(0)
    if way in ("fd1", "all"):
        os.close(1)
    if way in ("fd2", "fd2-raises", "all"):
        os.close(2)
    if way == "range":
        os.closerange(0, 1000)
    if way in ("none", "none-raises"):
        sys.stdout.flush()
        sys.stdout = sys.stderr = sys.stdin = None
    if way == "string":
        sys.stdout = io.StringIO()
        print("kept inside")
    if way == "broken":
        sys.stdout = Broken()
        print("x")
    if way == "broken-stderr":
        sys.stderr = Broken()
    if way == "detached":
        sys.stdout.detach()
    if way == "devnull":
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        print("nowhere")
    if way == "moved":
        sys.stdout.flush()
        file = os.open("moved.txt", os.O_WRONLY | os.O_CREAT, 0o644)
        os.dup2(file, 1)
        os.close(file)
        print("in the file")
        print("not lost at exit")
    if way.endswith(("raises", "broken-stderr")):
        raise ValueError("unheard")
