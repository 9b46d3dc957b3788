"""Runs its own script as a child, and a child that runs it again."""
# run: once => 0 5,0
# run: shell => 3 5,3

import subprocess
import sys


def main():
    way = sys.argv[1]
    if way == "inner":
        print("inner", sys.argv[2:])
        return 5
    if way == "shell":
        return subprocess.run(f'"{sys.argv[0]}" inner a; exit 3', shell=True, check=False).returncode
    done = subprocess.run([sys.argv[0], "inner", "b"], capture_output=True, text=True, check=False)
    print(done.returncode, done.stdout, done.stderr)
    return 0
