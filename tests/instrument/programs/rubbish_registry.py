"""A wheel whose registry is rubbish."""
# registry: rubbish
# run: returns => 3 nothing
# run: raises => 1 nothing

import sys


def main():
    print("out")
    if sys.argv[1] == "raises":
        raise ValueError("and failed")
    return 3
