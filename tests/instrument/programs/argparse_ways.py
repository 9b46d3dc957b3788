"""Uses argparse's other doors: known, intermixed, own errors, no exit on error, classes and parsers made at import."""
# run: known --a 1 --unknown 2 x
# run: intermixed 1 --a 2 3
# run: intermixed --unknown => 2
# run: own-error --unknown => 7
# run: own-error
# run: no-exit --a x => 1
# run: no-exit-caught --a x => 3
# run: subclass --a 5
# run: subclass --a none => 8
# run: at-import --a 6
# run: namespace --a 7
# run: list
# run: list-fails => 2
# run: many-parsers --a 1
# run: defaults
# run: deep => 2
# run: methods
# run: prog --unknown => 2
# run: recursion => 1

import argparse
import sys
import traceback

way = sys.argv.pop(1)


class Own(argparse.ArgumentParser):
    def error(self, message):
        print("own error:", message)
        traceback.print_stack(limit=3)
        self.exit(7)


class Sub(argparse.ArgumentParser):
    def _get_values(self, action, arg_strings):
        print("own _get_values", arg_strings)
        return super()._get_values(action, arg_strings)

    def parse_known_args(self, args=None, namespace=None):
        print("own parse_known_args")
        return super().parse_known_args(args, namespace)

    def exit(self, status=0, message=None):
        print("own exit", status, message)
        sys.exit(8)


def made(kind=argparse.ArgumentParser, **more):
    parser = kind(**more)
    parser.add_argument("--a", type=int, default="0")
    return parser


at_import = made()


def no_exit_caught():
    try:
        made(exit_on_error=False).parse_args()
    except argparse.ArgumentError as error:
        print(error, error.argument_name)
        print([frame.name for frame in traceback.extract_tb(error.__traceback__)])
        return 3


def intermixed():
    parser = made()
    parser.add_argument("rest", nargs="*", type=int)
    print(parser.parse_intermixed_args())


def many_parsers():
    first = made(add_help=False)
    first.add_argument("--b", choices=["x"])
    print(first.parse_known_args())
    second = argparse.ArgumentParser(parents=[first])
    print(second.parse_args(["--a", "3", "--b", "x"]), second.get_default("a"))


def deep():
    parser = argparse.ArgumentParser(prog="deep")
    place = parser
    for number in range(20):
        place = place.add_subparsers(required=True).add_parser(f"p{number}")
    parser.parse_args([f"p{number}" for number in range(19)])


def methods():
    parser = made()
    parser.parse_args([])
    for name in ("parse_args", "parse_known_args", "_get_values", "_parse_known_args", "error", "exit", "__init__"):
        function = getattr(argparse.ArgumentParser, name)
        print(name, function.__module__, function.__qualname__, function.__code__.co_filename == argparse.__file__)
    print(sorted(vars(parser)), sorted(name for name in vars(argparse.ArgumentParser) if "otel" in name))


def recursion():
    def again(text):
        made_too = argparse.ArgumentParser(prog="x", add_help=False)
        made_too.add_argument("value", type=again)
        return made_too.parse_args([text])

    parser = argparse.ArgumentParser()
    parser.add_argument("value", type=again)
    parser.parse_args(["x"])


ways = {
    "known": lambda: print(made().parse_known_args()),
    "intermixed": intermixed,
    "own-error": lambda: print(made(Own).parse_args()),
    "no-exit": lambda: print(made(exit_on_error=False).parse_args()),
    "no-exit-caught": no_exit_caught,
    "subclass": lambda: print(made(Sub).parse_args()),
    "at-import": lambda: print(at_import.parse_args()),
    "namespace": lambda: print(made().parse_args(namespace=argparse.Namespace(b=1))),
    "list": lambda: print(made().parse_args(["--a", "9"])),
    "list-fails": lambda: print(made().parse_args(["--a", "nine"])),
    "many-parsers": many_parsers,
    "defaults": lambda: print(made().parse_args([])),
    "deep": deep,
    "methods": methods,
    "prog": lambda: print(made(prog="another", usage="%(prog)s [x]").parse_args()),
    "recursion": recursion,
}


def main():
    return ways[way]()
