"""Has an entry point that is no plain function."""
# run: instance => 3
# run: partial => 4
# run: bound => 5
# run: static => 6
# run: class => 1
# run: lambda => 7
# run: generator => 1
# run: odd-class => 1
# run: wrapped => 8
# run: cached => 9
# run: builtin
# run: stack
# run: raising => 1
# run: slots => 2
# run: arguments => 5
# run: not-callable => 1
# run: none => 1

import asyncio
import contextlib
import functools
import sys


class Tool:
    def __init__(self):
        print("made")

    def __call__(self):
        return 3

    def bound(self):
        return 5

    @staticmethod
    def static():
        return 6

    def __str__(self):
        return "a tool"


class Dictionary:
    def __new__(cls):
        return {"a": 1}


class Slots:
    __slots__ = ()

    def __call__(self):
        return 2


def given(number):
    return number


def counting():
    yield 1


async def wrapped():
    await asyncio.sleep(0)
    return 8


def run(function):
    @functools.wraps(function)
    def runs():
        return asyncio.run(function())

    return runs


@contextlib.contextmanager
def around():
    print("before")
    yield
    print("after")


@around()
def inside():
    print("inside")


class Raising:
    def __call__(self):
        raise ValueError("from an instance")

    def __getattr__(self, name):
        raise AttributeError(f"has no {name}")


def defaults(number=5, *, word="w", **more):
    print(word, more)
    return number


entries = {
    "instance": Tool,
    "partial": lambda: functools.partial(given, 4),
    "bound": lambda: Tool().bound,
    "static": lambda: Tool.static,
    "class": lambda: Tool,
    "lambda": lambda: lambda: 7,
    "generator": lambda: counting,
    "odd-class": lambda: Dictionary,
    "wrapped": lambda: run(wrapped),
    "cached": lambda: functools.cache(lambda: 9),
    "builtin": lambda: print,
    "stack": lambda: inside,
    "raising": Raising,
    "slots": Slots,
    "arguments": lambda: defaults,
    "not-callable": lambda: 3,
    "none": lambda: None,
}


main = entries[sys.argv[1]]()
