"""A wheel that was built without its registry."""
# registry: none
# run: returns => 3 nothing
# run: raises => 1 nothing

import sys


def main():
    print(sorted(name for name in sys.modules if name.startswith("probe")))
    if sys.argv[1] == "raises":
        raise ValueError("and failed")
    return 3
