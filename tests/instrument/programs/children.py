"""Starts children in many ways, and waits for every child that there is."""
# run: returns
# run: leaves
# run: exits => 3
# run: raises
# run: execs
# run: all
# run: spawn
# run: subprocess
# run: system
# run: pipe
# run: not-waited
# run: group
# run: thread-fork
# run: only-child => 4
# run: at-exit
# run: daemonises

import atexit
import os
import subprocess
import sys
import threading
import time


def none_left():
    ended = []
    try:
        while True:
            ended.append(os.waitstatus_to_exitcode(os.wait()[1]))
    except ChildProcessError:
        print("ended", sorted(ended), flush=True)


def daemonise():
    sys.stdout.flush()
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    os.closerange(0, 256)
    os.open(os.devnull, os.O_RDWR)
    os.dup2(0, 1)
    os.dup2(0, 2)
    time.sleep(0.05)
    os.umask(0)
    with open("made", "w") as file:
        file.write("by the daemon")
    os.rename("made", "until")
    sys.exit(9)


def main():
    way = sys.argv[1]
    sys.stdout.flush()
    if way in ("returns", "leaves", "exits", "raises", "execs"):
        if os.fork() == 0:
            print("child", flush=True)
            if way == "leaves":
                os._exit(5)
            if way == "raises":
                raise ValueError("in the child")
            if way == "execs":
                os.execv("/bin/echo", ["echo", "replaced"])
            return 6 if way == "returns" else sys.exit(7)
        none_left()
        print("parent", flush=True)
        return 3 if way == "exits" else 0
    if way == "all":
        for code in range(5):
            if os.fork() == 0:
                os._exit(code)
        none_left()
    elif way == "spawn":
        os.posix_spawn("/bin/echo", ["echo", "spawned"], os.environ)
        none_left()
    elif way == "subprocess":
        print(subprocess.run(["sh", "-c", "echo out; echo err >&2; exit 4"], capture_output=True, check=False))
        none_left()
    elif way == "system":
        print(os.system("echo in the shell; exit 2"), flush=True)
    elif way == "pipe":
        with os.popen("echo through a pipe") as pipe:
            print(pipe.read(), flush=True)
        none_left()
    elif way == "not-waited":
        subprocess.Popen(["sleep", "0.05"])
    elif way == "group":
        child = os.posix_spawn("/bin/sleep", ["sleep", "100"], os.environ, setpgroup=0)
        os.killpg(child, 15)
        print(os.getpgrp() == os.getpid(), os.getsid(0) == os.getpid())
        none_left()
    elif way == "thread-fork":
        threading.Thread(target=os.waitpid, args=(os.fork() or os._exit(0), 0)).start()
    elif way == "only-child":
        if os.fork() == 0:
            return 4
        sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
    elif way == "at-exit":
        os.posix_spawn("/bin/true", ["true"], os.environ)
        atexit.register(lambda: print("at exit", os.waitstatus_to_exitcode(os.wait()[1])))
    elif way == "daemonises":
        daemonise()
    return 0
