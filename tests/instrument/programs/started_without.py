"""Is started with one or all standard streams closed."""
# run: <&-
# run: >&-
# run: 2>&-
# run: <&- >&- 2>&-
# run: raises 2>&- => 1
# run: raises <&- >&- 2>&- => 1

import os
import sys


def main():
    with open("told.txt", "w") as file:
        print([stream is None for stream in (sys.stdin, sys.stdout, sys.stderr)], file=file)
        print(sorted(os.listdir("/proc/self/fd")), file=file)
        os.system("ls /proc/self/fd >>told.txt 2>&1")
    print("out")
    if sys.argv[1:]:
        raise ValueError("perhaps seen")
