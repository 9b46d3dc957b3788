"""Imports argparse only while it runs, and looks at how it was imported."""
# run: --number 3
# run: --number x => 2
# run: --help
# run: stack --number 3
# run: module
# run: reload --number 3
# run: thread --number 3

import importlib
import sys
import threading
import traceback


def counted(text):
    traceback.print_stack(limit=5)
    return int(text)


def parse(kind):
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument("--number", type=kind)
    print(parser.parse_args())


def main():
    way = sys.argv.pop(1) if not sys.argv[1].startswith("-") else ""
    if way == "module":
        import argparse

        print(type(argparse.__loader__).__name__, argparse.__spec__.loader is argparse.__loader__, argparse.__spec__.origin)
        print(
            type(argparse).__name__, argparse.__file__ == argparse.__spec__.origin, argparse.__cached__ == argparse.__spec__.cached
        )
        print([getattr(finder, "__name__", type(finder).__name__) for finder in sys.meta_path])
    elif way == "reload":
        import argparse

        importlib.reload(argparse)
        parse(int)
    elif way == "thread":
        thread = threading.Thread(target=parse, args=(int,))
        thread.start()
        thread.join()
    else:
        parse(counted if way == "stack" else int)
