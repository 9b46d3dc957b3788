"""Parses its words by optparse or getopt."""
# run: optparse -v --level 3 rest
# run: optparse --help
# run: optparse --version
# run: optparse --level x => 2
# run: optparse --lev 2
# run: optparse --callback => 5
# run: optparse --no-such => 2
# run: getopt -v --level=3 rest
# run: getopt --no-such => 2
# run: getopt -x => 1
# run: both --level 3 => 0

import argparse
import getopt
import optparse
import sys
import traceback


def called(option, text, value, parser):
    traceback.print_stack(limit=3)
    parser.exit(5, f"called by {text}\n")


def with_optparse(words):
    parser = optparse.OptionParser(usage="%prog [options] X", version="%prog 1.2.3")
    parser.add_option("-v", action="store_true")
    parser.add_option("--level", type="int", help="how much")
    parser.add_option("--callback", action="callback", callback=called)
    print(parser.parse_args(words))


def with_getopt(words):
    try:
        print(getopt.getopt(words, "v", ["level="]))
    except getopt.GetoptError as error:
        if error.opt == "x":
            raise
        print(error, file=sys.stderr)
        sys.exit(2)


def main():
    way, *words = sys.argv[1:]
    if way in ("optparse", "both"):
        with_optparse(words)
    if way in ("getopt", "both"):
        with_getopt(words)
    if way == "both":
        parser = argparse.ArgumentParser()
        parser.add_argument("--level", choices=["3"])
        print(parser.parse_args(words))
