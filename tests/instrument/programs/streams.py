"""Reads standard input, asks, and tells whether it talks to a terminal."""
# stdin: first line\nsecond line\nlast
# run: all
# run: lines
# run: input
# run: one
# run: eof => 1
# run: tty
# run: bytes
# run: unread
# run: PYTHONUNBUFFERED=1 input

import getpass
import os
import sys


def main():
    way = sys.argv[1]
    if way == "all":
        print(repr(sys.stdin.read()))
    elif way == "lines":
        for line in sys.stdin:
            print(line.rstrip(), file=sys.stderr)
    elif way == "input":
        print(input("who? "), input("what? "))
    elif way == "one":
        print(sys.stdin.readline(), os.read(0, 5))
    elif way == "eof":
        while True:
            input("more? ")
    elif way == "tty":
        print([stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)], [os.isatty(number) for number in range(4)])
        try:
            print(os.get_terminal_size())
        except OSError as error:
            print(error.errno)
        try:
            print(os.open("/dev/tty", os.O_RDONLY))
        except OSError as error:
            print(error.errno, getpass.getuser())
    elif way == "bytes":
        sys.stdout.buffer.write(sys.stdin.buffer.read() + b"\xff\x00\n")
        os.write(1, b"written directly\n")
        os.write(2, b"\x1b[31mred\x1b[0m\n")
