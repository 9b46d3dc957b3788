"""Prints tracebacks that it has caught itself, below main."""
# run: print_exc
# run: format_exc
# run: exc_info
# run: log
# run: last
# run: file
# run: walk

import logging
import sys
import traceback


def inner():
    return 1 / 0


def main():
    way = sys.argv[1]
    try:
        inner()
    except ZeroDivisionError as error:
        if way == "print_exc":
            traceback.print_exc()
        elif way == "format_exc":
            print(traceback.format_exc())
        elif way == "exc_info":
            print(sys.exc_info()[:2], [frame.name for frame in traceback.extract_tb(sys.exc_info()[2])])
        elif way == "log":
            logging.basicConfig()
            logging.exception("it failed")
        elif way == "last":
            print(sys.exception() is error, error.__context__, error.__cause__)
        elif way == "file":
            with open("traceback.txt", "w") as file:
                traceback.print_exc(file=file)
        elif way == "walk":
            for frame, line in traceback.walk_tb(error.__traceback__):
                print(frame.f_code.co_qualname, line, sorted(frame.f_locals))
    print(sys.exc_info())
