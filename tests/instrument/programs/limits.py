"""Runs into a limit of the operating system, or lives with one."""
# run: memory
# run: memory-raised => 1
# run: memory-held => 0 nothing
# run: files
# run: files-raised => 1 nothing
# run: files-held => 0 nothing
# run: no-files => 0 nothing
# run: file-size => 0 nothing
# run: file-size-raised => 1 nothing
# run: no-file-size => 0 nothing
# run: file-size-default => SIGXFSZ nothing
# run: processes
# run: stack

import os
import resource
import signal
import sys


def memory(more):
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + more, resource.RLIM_INFINITY))


def fill():
    global held
    held = []
    size = 1 << 22
    while size > 1 << 9:
        try:
            held.append(bytearray(size))
        except MemoryError:
            size >>= 1


def exhaust():
    global held
    resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))
    held = []
    while True:
        held.append(os.open(os.devnull, os.O_RDONLY))


def write():
    with open("large.txt", "wb", buffering=0) as file:
        for _ in range(3):
            file.write(b"x" * 700)


def main():
    way = sys.argv[1]
    if way == "memory":
        memory(1 << 25)
        try:
            bytearray(1 << 28)
        except MemoryError as error:
            print("no memory", error)
    elif way == "memory-raised":
        memory(1 << 25)
        bytearray(1 << 28)
    elif way == "memory-held":
        memory(1 << 25)
        fill()
    elif way == "files":
        try:
            exhaust()
        except OSError as error:
            print(error, len(held) > 10)
        while held:
            os.close(held.pop())
    elif way == "files-raised":
        exhaust()
    elif way == "files-held":
        try:
            exhaust()
        except OSError as error:
            print(error)
    elif way == "no-files":
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    elif way in ("file-size", "file-size-raised", "file-size-default"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        if way == "file-size-default":
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        try:
            write()
        except OSError as error:
            print(error)
            if way == "file-size-raised":
                raise
    elif way == "no-file-size":
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    elif way == "processes":
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    elif way == "stack":
        resource.setrlimit(resource.RLIMIT_STACK, (1 << 16, 1 << 16))
