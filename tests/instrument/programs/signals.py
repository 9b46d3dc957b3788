"""Shows and sets signal handlers, masks and timers."""
# run: all
# run: own
# run: child-handler
# run: child-ignored
# run: mask
# run: timer
# run: at-exit
# run: blocked => SIGTERM 0

import atexit
import os
import signal
import subprocess
import sys


def shown(handler):
    return getattr(handler, "__name__", None) or str(handler)


def show():
    for number in sorted(signal.valid_signals()):
        print(int(number), shown(signal.getsignal(number)))
    print(signal.set_wakeup_fd(-1))
    print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), sorted(signal.sigpending()))
    for line in open("/proc/self/status"):  # noqa: SIM115
        if line.startswith("Sig") and not line.startswith("SigQ"):
            print(line.strip())


def heard(number, frame):
    print("heard", signal.Signals(number).name, frame.f_code.co_name, flush=True)


def main():
    way = sys.argv[1]
    if way == "all":
        show()
    elif way == "own":
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGALRM, signal.SIGQUIT):
            signal.signal(number, heard)
            os.kill(os.getpid(), number)
        show()
    elif way == "child-handler":
        signal.signal(signal.SIGCHLD, lambda number, frame: print("a child ended", flush=True))
        subprocess.run(["true"], check=True)
    elif way == "child-ignored":
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        print(subprocess.run(["false"], check=False).returncode)
    elif way == "mask":
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM])
        atexit.register(show)
    elif way == "timer":
        signal.setitimer(signal.ITIMER_REAL, 1000, 500)
        atexit.register(lambda: print(signal.getitimer(signal.ITIMER_REAL)[1]))
    elif way == "at-exit":
        atexit.register(show)
    elif way == "blocked":
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        os.kill(os.getpid(), signal.SIGTERM)
        atexit.register(lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM]))
