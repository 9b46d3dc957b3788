"""Kills itself by the signal that its word names, from main."""
# run: SIGTERM => SIGTERM nothing
# run: SIGHUP => SIGHUP nothing
# run: SIGQUIT => SIGQUIT nothing
# run: SIGKILL => SIGKILL nothing
# run: SIGALRM => SIGALRM nothing
# run: SIGUSR1 => SIGUSR1 nothing
# run: SIGSEGV => SIGSEGV nothing
# run: SIGABRT => SIGABRT nothing
# run: alarm => SIGALRM nothing
# run: abort => SIGABRT nothing
# run: thread => SIGTERM nothing
# run: raise => SIGTERM nothing
# run: stopped => SIGKILL nothing
# run: cpu => SIGXCPU nothing

import os
import resource
import signal
import sys
import threading
import time

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main():
    way = sys.argv[1]
    print("out", flush=True)
    print("lost when it dies")
    if way == "alarm":
        signal.setitimer(signal.ITIMER_REAL, 0.01)
    elif way == "abort":
        os.abort()
    elif way == "thread":
        threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGTERM)).start()
    elif way == "raise":
        signal.raise_signal(signal.SIGTERM)
    elif way == "stopped":
        if os.fork() == 0:
            parent = os.getppid()
            time.sleep(0.05)
            os.kill(parent, signal.SIGCONT)
            time.sleep(0.05)
            os.kill(parent, signal.SIGKILL)
            os._exit(0)
        os.kill(os.getpid(), signal.SIGSTOP)
    elif way == "cpu":
        resource.setrlimit(resource.RLIMIT_CPU, (1, 2))
        os.kill(os.getpid(), signal.SIGXCPU)
    else:
        os.kill(os.getpid(), signal.Signals[way])
    time.sleep(30)
