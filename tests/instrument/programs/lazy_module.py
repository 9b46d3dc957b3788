"""Gives its entry point by a module-level __getattr__."""
# run: => 3

import sys


def run():
    print("lazily", sys.argv[1:])
    return 3


def __getattr__(name):
    if name == "main":
        return run
    raise AttributeError(f"no {name} here")
