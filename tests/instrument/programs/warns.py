"""Warns, in several ways, with and without filters."""
# run: plain
# run: deprecated
# run: caller
# run: PYTHONWARNINGS=always caller
# run: error => 1
# run: PYTHONWARNINGS=error plain => 1
# run: PYTHONWARNINGS=always deprecated
# run: PYTHONWARNINGS=error nothing
# run: filters
# run: shown
# run: resource
# run: PYTHONDEVMODE=1 resource
# run: syntax
# run: coroutine

import sys
import warnings


def inner():
    warnings.warn("of the user", stacklevel=1)


async def never():
    pass


def main():
    way = sys.argv[1]
    if way == "plain":
        inner()
        inner()
    elif way == "deprecated":
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    elif way == "caller":
        warnings.warn("told to the caller", DeprecationWarning, stacklevel=2)
    elif way == "error":
        warnings.simplefilter("error")
        inner()
    elif way == "filters":
        for given in warnings.filters:
            print(given)
    elif way == "shown":
        warnings.showwarning = lambda message, category, filename, lineno, file=None, line=None: print(message, lineno)
        inner()
    elif way == "resource":
        open(__file__)  # noqa: SIM115
    elif way == "syntax":
        exec("print(1 is 1)")
    elif way == "coroutine":
        never()
