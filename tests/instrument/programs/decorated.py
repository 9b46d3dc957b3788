"""Has an entry point that a decorator wraps, and that is called with words by its own code."""
# run: once
# run: again => 3
# run: from-thread => 2
# run: from-fork => 4

import functools
import os
import sys
import threading


def logged(function):
    @functools.wraps(function)
    def runs(*words):
        print("before", words)
        try:
            return function(*words)
        finally:
            print("after", words, flush=True)

    return runs


@logged
def main(*words):
    way = sys.argv[1]
    if words:
        return len(words)
    if way == "again":
        return main("a", "b", "c")
    if way == "from-thread":
        results = []
        thread = threading.Thread(target=lambda: results.append(main("a", "b")))
        thread.start()
        thread.join()
        return results[0]
    if way == "from-fork":
        sys.stdout.flush()
        if os.fork() == 0:
            os._exit(main("a", "b", "c", "d"))
        return os.waitstatus_to_exitcode(os.wait()[1])
    return 0
