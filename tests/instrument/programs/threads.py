"""Leaves threads behind when main returns."""
# run: outlives
# run: outlives-raises => 1
# run: outlives-exits => 3
# run: daemon
# run: pool
# run: timer
# run: signal
# run: local
# run: lock

import os
import queue
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor


def after_main():
    threading.main_thread().join()
    print("after main", [thread.name for thread in threading.enumerate() if thread.is_alive()], flush=True)


def main():
    way = sys.argv[1]
    if way.startswith("outlives"):
        threading.Thread(target=after_main, name="outliving").start()
    elif way == "daemon":
        threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
        threading.Thread(target=queue.Queue().get, daemon=True).start()
    elif way == "pool":
        pool = ThreadPoolExecutor(3)
        print(list(pool.map(str, range(5))))
        pool.submit(time.sleep, 0.01)
    elif way == "timer":
        threading.Timer(0.05, print, ("the timer",)).start()
    elif way == "signal":
        signal.signal(signal.SIGUSR1, lambda number, frame: print("heard in", threading.current_thread().name, flush=True))
        thread = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGUSR1))
        thread.start()
        thread.join()
    elif way == "local":
        print(threading.current_thread() is threading.main_thread(), threading.get_ident() == threading.main_thread().ident)
    elif way == "lock":
        held = threading.Lock()
        held.acquire()
        threading.Thread(target=held.acquire, daemon=True).start()
    print("main is over", flush=True)
    if way.endswith("raises"):
        raise ValueError("and failed")
    if way.endswith("exits"):
        sys.exit(3)
