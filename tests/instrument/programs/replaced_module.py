"""Puts another object into sys.modules in its own place."""
# run: => 4

import sys


class Module:
    __name__ = __name__
    __spec__ = __spec__

    def main(self):
        print("a method", type(self).__name__)
        return 4


sys.modules[__name__] = Module()
