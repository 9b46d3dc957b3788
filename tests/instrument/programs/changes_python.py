"""Changes the interpreter below everybody's feet, and goes on."""
# run: gc
# run: gc-frozen
# run: modules
# run: modules-raises => 1
# run: import => 0 0?
# run: import-raises => 1 1?
# run: open => 0 nothing
# run: time
# run: write => 0 nothing
# run: exit => 3
# run: environ => 0 0?
# run: audit => 0 0?
# run: trace
# run: profile
# run: profile-raises
# run: thread-profile
# run: builtins => 0 nothing
# run: encoding
# run: getpid => 0 nothing
# run: argv
# run: argv-empty
# run: argv-none

import builtins
import gc
import os
import sys
import threading
import time

told_already = []


def refuse(*args, **kwargs):
    raise RuntimeError("refused")


def told(frame, event, arg):
    seen = (event, frame.f_code.co_name)
    if seen not in told_already:
        told_already.append(seen)
        print(*seen, flush=True)
    return told


def raising(frame, event, arg):
    if event == "call":
        raise RuntimeError("in the profile")


def step():
    return 1


def main():
    way = sys.argv[1]
    if way == "gc":
        gc.disable()
    elif way == "gc-frozen":
        gc.collect()
        gc.freeze()
        gc.set_threshold(1)
    elif way.startswith("modules"):
        for name in list(sys.modules):
            if name.partition(".")[0] not in ("sys", "builtins", "__main__"):
                del sys.modules[name]
    elif way.startswith("import"):
        builtins.__import__ = refuse
    elif way == "open":
        os.open = os.stat = os.close = builtins.open = refuse
    elif way == "time":
        time.time = time.time_ns = time.monotonic = time.monotonic_ns = time.perf_counter_ns = time.sleep = refuse
    elif way == "write":
        os.write = os.lockf = os.fstat = os.rename = os.mkdir = os.makedirs = refuse
    elif way == "exit":
        sys.exit = lambda code=None: print("no exit", code)
        return 3
    elif way == "environ":
        os.environ.clear()
        os.putenv = os.getenv = refuse
    elif way == "audit":
        sys.addaudithook(lambda event, args: refuse() if event in ("open", "os.putenv", "os.posix_spawn", "import") else None)
    elif way == "trace":
        sys.settrace(told)
        step()
    elif way == "profile":
        sys.setprofile(told)
        step()
    elif way == "profile-raises":
        try:
            sys.setprofile(raising)
            step()
        except RuntimeError as error:
            print(error)
    elif way == "thread-profile":
        threading.setprofile(told)
        thread = threading.Thread(target=step)
        thread.start()
        thread.join()
    elif way == "builtins":
        builtins.isinstance = builtins.len = builtins.sorted = builtins.getattr = builtins.hasattr = refuse
    elif way == "encoding":
        sys.stdout.reconfigure(encoding="ascii", errors="backslashreplace")
        print("\N{SNOWMAN}")
    elif way == "getpid":
        os.getpid = lambda: 1
    elif way == "argv":
        sys.argv[:] = ["/another/name", "--and", "words"]
    elif way == "argv-empty":
        sys.argv.clear()
    elif way == "argv-none":
        sys.argv = None
    if way.endswith("-raises") and way != "profile-raises":
        raise ValueError("and failed")
    return None
