"""Prints its own whole call stack, from main."""
# run: print_stack
# run: inspect
# run: faulthandler
# run: recursion
# run: crash => SIGSEGV nothing
# run: timeout => 1 nothing

import faulthandler
import inspect
import resource
import sys
import time
import traceback

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main():
    way = sys.argv[1]
    if way == "print_stack":
        traceback.print_stack()
    elif way == "inspect":
        for frame in inspect.stack():
            print(f'  File "{frame.filename}", line {frame.lineno}, in {frame.function}')
    elif way == "faulthandler":
        faulthandler.dump_traceback()
    elif way == "recursion":
        frame, depth = sys._getframe(), 0
        while frame is not None:
            print(f'  File "{frame.f_code.co_filename}", line {frame.f_lineno}, in {frame.f_code.co_name}')
            frame, depth = frame.f_back, depth + 1
    elif way == "crash":
        faulthandler.enable()
        sys.stdout.flush()
        faulthandler._sigsegv()
    elif way == "timeout":
        faulthandler.dump_traceback_later(0.05, exit=True)
        time.sleep(60)
