"""One command of kitchen written with argparse: the twin that shows another parser at work."""

import argparse
import sys

from . import __version__, actions
from .instances import KitchenError, load


def main() -> int:
    """Parse the command line and create instances; returns the exit code."""
    parser = argparse.ArgumentParser(prog="kitchen-argparse")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--log-level", choices=["debug", "info", "warn", "error"], default="info")
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="make instances")
    create.add_argument("only", nargs="?", default="")
    create.add_argument("--driver")
    create.add_argument("--target")
    words = parser.parse_args()
    try:
        for instance in load(only=words.only):
            print(actions.create(instance, words.driver, words.target))
    except KitchenError as problem:
        print(f"Error: {problem}", file=sys.stderr)
        return 1
    return 0
