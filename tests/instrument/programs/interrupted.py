"""Interrupts itself, and catches it or not."""
# run: caught => 5
# run: uncaught => SIGINT
# run: finally => SIGINT
# run: handler
# run: default => SIGINT nothing
# run: ignored
# run: thread => SIGINT
# run: asyncio => SIGINT
# run: 130 => 130
# run: twice => SIGINT

import _thread
import asyncio
import os
import signal
import sys
import threading
import time


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(30)


async def waits():
    asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
    await asyncio.sleep(30)


def main():
    way = sys.argv[1]
    print("out", flush=True)
    if way == "caught":
        try:
            interrupt()
        except KeyboardInterrupt:
            return 5
    elif way == "uncaught":
        interrupt()
    elif way == "finally":
        try:
            interrupt()
        finally:
            print("cleaned")
    elif way == "handler":
        signal.signal(signal.SIGINT, lambda number, frame: print("handled", number, frame.f_code.co_name))
        os.kill(os.getpid(), signal.SIGINT)
    elif way == "default":
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        interrupt()
    elif way == "ignored":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.kill(os.getpid(), signal.SIGINT)
    elif way == "thread":
        threading.Timer(0.01, _thread.interrupt_main).start()
        while True:
            time.sleep(0.01)
    elif way == "asyncio":
        asyncio.run(waits())
    elif way == "130":
        try:
            interrupt()
        except KeyboardInterrupt:
            sys.exit(130)
    elif way == "twice":
        try:
            interrupt()
        except KeyboardInterrupt:
            interrupt()
    return None
