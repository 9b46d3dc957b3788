"""Ends without Python's own end: by os._exit, or by becoming another program."""
# run: _exit => 4 nothing
# run: _exit-0 => 0 nothing
# run: echo => 0 nothing
# run: python => 5 nothing
# run: itself => 6 6
# run: bytes => 6 6
# run: missing => 1
# run: thread => 3 nothing
# run: atexit => 8 0

import atexit
import os
import sys
import threading


def main():
    way = sys.argv[1]
    print("out", flush=True)
    print("lost")
    if way == "_exit":
        os._exit(4)
    elif way == "_exit-0":
        os._exit(0)
    elif way == "echo":
        os.execlp("echo", "echo", "another program")
    elif way == "python":
        os.execv(sys.executable, [sys.executable, "-c", "import sys; print(sys.argv); sys.exit(5)"])
    elif way == "itself":
        os.execv(sys.argv[0], [sys.argv[0], "again"])
    elif way == "bytes":
        os.execv(sys.argv[0], [sys.argv[0], b"\xff\xfe"])
    elif way == "missing":
        os.execv("/no/such/program", ["x"])
    elif way == "thread":
        threading.Thread(target=os._exit, args=(3,)).start()
        threading.Event().wait(30)
    elif way == "atexit":
        atexit.register(os._exit, 8)
    else:
        print(ascii(sys.argv[1:]))
        return 6
    return None
