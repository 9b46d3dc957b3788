"""Prints when things end: callbacks at exit, finalisers, and objects that go."""
# run: order
# run: order-raises => 1
# run: order-exits => 3
# run: objects
# run: objects-raises => 1
# run: objects-exits => 3
# run: cycle
# run: cycle-raises => 1
# run: context
# run: generator
# run: generator-exits => 3
# run: module
# run: module-raises => 1
# run: imports

import atexit
import contextvars
import gc
import sys
import weakref

WORD = contextvars.ContextVar("WORD", default="unset")


class Thing:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("gone:", self.name, flush=True)


def last():
    print("last words")
    atexit.register(print, "registered while leaving")


def numbers():
    try:
        yield 1
    finally:
        print("generator closed", flush=True)


def imports():
    import fractions

    print("imported", fractions.Fraction(1, 3))


def main():
    global kept, weak
    way = sys.argv[1]
    if way.startswith("order"):
        atexit.register(print, "first registered")
        atexit.register(last)
        atexit.register(lambda: print(atexit._ncallbacks()))
    elif way.startswith("objects"):
        local = Thing("local")
        kept = Thing("global")
        weak = weakref.finalize(Thing("finalised"), print, "finaliser")
        weakref.finalize(local, print, "finaliser of the local one")
        sys.modules["probe"].attached = Thing("attached to the package")
        atexit.register(print, "at exit")
    elif way.startswith("cycle"):
        gc.disable()
        local = Thing("cycle")
        local.itself = local
        del local
        atexit.register(lambda: print("collected", gc.collect() > 0))
    elif way == "context":
        WORD.set("set in main")
        atexit.register(lambda: print(WORD.get()))
    elif way.startswith("generator"):
        running = numbers()
        next(running)
    elif way.startswith("module"):
        sys.modules[__name__].__del__ = Thing("in the module")
        sys.held = Thing("in sys")
        kept = [Thing("in a list")]
    elif way == "imports":
        atexit.register(imports)
    print("main is over")
    if way.endswith("raises"):
        raise ValueError("and failed")
    if way.endswith("exits"):
        sys.exit(3)
