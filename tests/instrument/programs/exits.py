"""Leaves by SystemExit, from a nested function, in the way that its word says."""
# run: nothing
# run: none
# run: seven => 7
# run: text => 1
# run: object => 1
# run: negative => 254
# run: 300 => 44
# run: huge => 255
# run: two => 1
# run: builtin => 4
# run: subclass => 9
# run: changed => 8
# run: nested => 3
# run: odd => 1
# run: cause => 5
# run: group => 1
# run: true => 1
# run: swallowed => 2

import sys


class Odd:
    def __str__(self):
        raise ValueError("no text")

    def __repr__(self):
        return "an odd one"


class Leave(SystemExit):
    def __init__(self):
        super().__init__("words")
        self.code = 9


def changed():
    try:
        sys.exit(1)
    except SystemExit as leaving:
        leaving.code = 8
        raise


def cause():
    try:
        {}["a"]
    except KeyError as error:
        raise SystemExit(5) from error


def swallowed():
    try:
        sys.exit(1)
    except SystemExit:
        pass
    finally:
        sys.exit(2)


def main():
    print("out")
    way = sys.argv[1]
    values = {"none": None, "seven": 7, "text": "no more", "object": ["a", 1], "negative": -2, "300": 300}
    values |= {"huge": 1 << 70, "odd": Odd(), "true": True, "nested": SystemExit(3)}

    def leave():
        if way in values:
            sys.exit(values[way])
        if way == "nothing":
            raise SystemExit
        if way == "two":
            raise SystemExit(1, 2)
        if way == "builtin":
            exit(4)
        if way == "subclass":
            raise Leave
        if way == "group":
            raise BaseExceptionGroup("both", [SystemExit(3), ValueError(1)])
        {"changed": changed, "cause": cause, "swallowed": swallowed}[way]()

    leave()
