"""Raises, and leaves by sys.exit in a finally clause."""
# run: => 4

import sys


def main():
    try:
        raise ValueError("lost")
    finally:
        sys.exit(4)
