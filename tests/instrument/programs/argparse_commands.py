"""An argparse program with subparsers, aliases, abbreviations, types, actions and choices."""
# run: => 2
# run: --help
# run: -h
# run: --version
# run: --no-such => 2
# run: no-such => 2
# run: greet => 2
# run: greet --help
# run: greet ann
# run: g ann --ti 2 => 2
# run: g ann --tim 2
# run: greet ann --times many => 2
# run: greet ann --ti 1 --colour pink => 2
# run: greet ann --co red
# run: greet ann bob => 2
# run: greet ann --t 3 => 2
# run: greet --times => 2
# run: typed good
# run: typed value => 2
# run: typed argument => 2
# run: typed broken => 1
# run: typed exit => 4
# run: act --now
# run: act --fail => 2
# run: act --break => 1
# run: act --leave => 5
# run: act --stack
# run: act --frames
# run: deep deeper --flag x y
# run: deep => 2
# run: many 1 2 3 --pair a b --sum
# run: many one => 2
# run: -v -v --verbose greet ann
# run: --verb greet ann
# run: @words.txt => 2
# run: -- greet ann => 2
# run: COLUMNS=40 --help

import argparse
import sys
import traceback


def typed(text):
    if text == "value":
        raise ValueError("not a value")
    if text == "argument":
        raise argparse.ArgumentTypeError("told by the type")
    if text == "broken":
        raise LookupError("in a type")
    if text == "exit":
        sys.exit(4)
    traceback.print_stack(limit=6)
    return text


class Act(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        print("acts on", option_string, values)
        if option_string == "--fail":
            raise argparse.ArgumentError(self, "failed by the action")
        if option_string == "--break":
            raise LookupError("in an action")
        if option_string == "--leave":
            parser.exit(5, "leaving\n")
        if option_string == "--stack":
            traceback.print_stack()
        if option_string == "--frames":
            frame = sys._getframe()
            while frame.f_code.co_name != "main":
                print(frame.f_code.co_filename.rpartition("/")[2], frame.f_code.co_name)
                frame = frame.f_back


def main():
    parser = argparse.ArgumentParser(description="A tool for tests.", epilog="The end.", fromfile_prefix_chars="@")
    parser.add_argument("--version", action="version", version="%(prog)s 1.2.3")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="say more")
    commands = parser.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    greet = commands.add_parser("greet", aliases=["g", "hello"], help="greet somebody")
    greet.add_argument("name")
    greet.add_argument("--times", type=int, default=1)
    greet.add_argument("--title")
    greet.add_argument("--colour", choices=["red", "blue"])
    commands.add_parser("typed").add_argument("value", type=typed)
    act = commands.add_parser("act")
    for name in ("--now", "--fail", "--break", "--leave", "--stack", "--frames"):
        act.add_argument(name, action=Act, nargs=0)
    deeper = commands.add_parser("deep").add_subparsers(required=True).add_parser("deeper")
    deeper.add_argument("--flag", action=argparse.BooleanOptionalAction)
    deeper.add_argument("rest", nargs=argparse.REMAINDER)
    many = commands.add_parser("many")
    many.add_argument("numbers", type=int, nargs="+")
    many.add_argument("--pair", nargs=2)
    many.add_argument("--sum", action="store_const", const=sum, default=max)
    given = parser.parse_args()
    print({name: getattr(value, "__name__", value) for name, value in sorted(vars(given).items())})
