"""Recurses as deep as it may."""
# run: uncaught => 1
# run: two => 1
# run: caught
# run: limited
# run: raised
# run: too-low
# run: thread
# run: main => 1
# run: deep-caught
# run: generator => 1
# run: repr => 1
# run: hook => 1
# run: exit

import atexit
import sys
import threading


def down(depth=0):
    global deepest
    deepest = depth
    down(depth + 1)


def one():
    two()


def two():
    one()


def measured():
    try:
        down()
    except RecursionError as error:
        print(deepest, error)


def numbers(depth):
    yield from numbers(depth + 1)


def leaves(depth=0):
    try:
        leaves(depth + 1)
    except RecursionError:
        sys.exit(0)


def main():
    way = sys.argv[1]
    if way == "uncaught":
        down()
    elif way == "two":
        one()
    elif way in ("caught", "limited", "raised"):
        if way == "limited":
            sys.setrecursionlimit(200)
        if way == "raised":
            sys.setrecursionlimit(3000)
        measured()
        measured()
        print(sys.getrecursionlimit())
        atexit.register(lambda: print("at exit", sys.getrecursionlimit()))
        atexit.register(measured)
    elif way == "too-low":
        for limit in range(1, 12):
            try:
                sys.setrecursionlimit(limit)
            except RecursionError as error:
                print(limit, error)
            else:
                sys.setrecursionlimit(1000)
                print(limit, "is enough")
                break
    elif way == "thread":
        thread = threading.Thread(target=measured)
        thread.start()
        thread.join()
    elif way == "main":
        main()
    elif way == "deep-caught":
        sys.setrecursionlimit(20_000)
        measured()
    elif way == "generator":
        next(numbers(0))
    elif way == "repr":
        nested = []
        for _ in range(5000):
            nested = [nested]
        print(len(repr(nested)))
    elif way == "hook":
        sys.excepthook = lambda kind, error, trace: print(kind.__name__, error, deepest)
        down()
    elif way == "exit":
        leaves()
