"""Raises where nobody can catch it: in __del__, at exit, in a thread, or in a weak reference's callback."""
# run: del
# run: del-global
# run: atexit
# run: atexit-exit
# run: thread
# run: thread-hook
# run: unraisable-hook
# run: weakref
# run: after-main

import atexit
import sys
import threading
import weakref


class Falling:
    def __del__(self):
        raise ValueError("while falling")


def fall():
    raise ValueError("fell")


def in_a_thread():
    thread = threading.Thread(target=fall, name="worker")
    thread.start()
    thread.join()


def main():
    global kept
    way = sys.argv[1]
    if way == "del":
        Falling()
    elif way == "del-global":
        kept = Falling()
    elif way == "atexit":
        atexit.register(fall)
        atexit.register(print, "registered last")
    elif way == "atexit-exit":
        atexit.register(sys.exit, 7)
    elif way == "thread":
        in_a_thread()
    elif way == "thread-hook":
        threading.excepthook = lambda given: print("hook", given.exc_type.__name__, given.thread.name)
        in_a_thread()
    elif way == "unraisable-hook":
        sys.unraisablehook = lambda given: print("hook", given.exc_type.__name__, given.err_msg)
        Falling()
    elif way == "weakref":
        thing = Falling
        kept = weakref.ref(thing, lambda _: fall())
        one = weakref.ref(main_thing := type("Thing", (), {})(), lambda _: fall())
        del main_thing
        print(one())
    elif way == "after-main":
        atexit.register(in_a_thread_that_is_refused)


def in_a_thread_that_is_refused():
    try:
        in_a_thread()
    except RuntimeError as error:
        print("refused:", error)
