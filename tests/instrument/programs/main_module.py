"""Has its entry point in the package's own __main__: `probe.__main__:main`."""
# entry: probe.__main__:main
# run: word => 3
# run: raises => 1

import sys


def main():
    print(__name__, sys.modules["__main__"].__file__ == sys.argv[0])
    if sys.argv[1] == "raises":
        raise ValueError("in __main__")
    return 3


if __name__ == "__main__":
    print("never as a script")
