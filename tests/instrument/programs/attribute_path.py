"""Has an entry point inside a class: `probe.cli:Tool.run`."""
# entry: probe.cli:Tool.run
# run: returns => 3
# run: raises => 1

import sys


class Tool:
    @classmethod
    def run(cls):
        print(cls.__name__, cls.__module__)
        if sys.argv[1] == "raises":
            raise ValueError("in a class")
        return 3
