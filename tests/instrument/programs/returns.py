"""Prints, and returns what its word says."""
# run: none
# run: zero
# run: three => 3
# run: true => 1
# run: false
# run: text => 1
# run: empty => 1
# run: negative => 255
# run: 256
# run: 300 => 44
# run: huge => 255
# run: minus-huge => 255
# run: long => 3
# run: flag => 6
# run: float => 1
# run: tuple => 1
# run: bytes => 1
# run: odd => 1

import enum
import sys


class Odd:
    def __str__(self):
        raise ValueError("no text")


class Flag(enum.IntFlag):
    A = 2
    B = 4


VALUES = {
    "none": None,
    "zero": 0,
    "three": 3,
    "true": True,
    "false": False,
    "text": "a text",
    "empty": "",
    "negative": -1,
    "256": 256,
    "300": 300,
    "huge": 1 << 80,
    "minus-huge": -(1 << 80),
    "long": (1 << 40) + 3,
    "flag": Flag.A | Flag.B,
    "float": 2.5,
    "tuple": (1, "two"),
    "bytes": b"raw",
    "odd": Odd(),
}


def main():
    print("out")
    return VALUES[sys.argv[1]]
