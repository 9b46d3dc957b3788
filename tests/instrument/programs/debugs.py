"""Uses the debugger, the profiler and the interactive console on itself."""
# stdin: p number\nargs\nc\n
# run: breakpoint
# run: PYTHONBREAKPOINT=0 breakpoint
# run: post-mortem
# run: profile
# run: profile-left
# run: console
# run: trace
# run: PYTHONINSPECT=1 exits => 1 3
# run: PYTHONINSPECT=1 raises => 1
# run: PYTHONFAULTHANDLER=1 crashes => SIGSEGV nothing
# run: PYTHONMALLOC=debug returns => 4
# run: PYTHONDEVMODE=1 returns => 4
# run: PYTHONDEVMODE=1 raises => 1

import code
import cProfile
import faulthandler
import pdb  # noqa: T100
import pstats
import resource
import sys

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def inner(number):
    breakpoint()  # noqa: T100
    return number


def fails(number):
    return number / 0


def main():
    global profile
    way = sys.argv[1]
    if way == "breakpoint":
        print(inner(3))
    elif way == "post-mortem":
        try:
            fails(4)
        except ZeroDivisionError as error:
            pdb.post_mortem(error.__traceback__)
    elif way == "profile":
        profile = cProfile.Profile()
        profile.runcall(sorted, [3, 1], key=abs)
        print(sorted(key[2] for key in pstats.Stats(profile).stats))
    elif way == "profile-left":
        profile = cProfile.Profile()
        profile.enable()
    elif way == "console":
        code.interact("banner", local={"number": 5, "args": 6, "p": 1, "c": 2}, exitmsg="over")
    elif way == "trace":
        sys.settrace(lambda frame, event, arg: None)
        print(sys.gettrace() is not None)
    elif way == "exits":
        sys.exit(3)
    elif way == "raises":
        fails(5)
    elif way == "crashes":
        print("enabled", faulthandler.is_enabled(), flush=True)
        faulthandler.disable()
        faulthandler._sigsegv()
    elif way == "returns":
        return 4
    return None
