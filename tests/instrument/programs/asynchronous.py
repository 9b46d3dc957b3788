"""An asyncio program."""
# run: plain
# run: cancelled => 1
# run: exits => 4
# run: signal
# run: process
# run: pending
# run: PYTHONASYNCIODEBUG=1 plain

import asyncio
import os
import signal
import sys


async def worker(number):
    await asyncio.sleep(0)
    print("worker", number)
    return number


async def run(way):
    loop = asyncio.get_running_loop()
    if way == "plain":
        print(await asyncio.gather(*(worker(number) for number in range(3))))
        print(await loop.run_in_executor(None, len, "three"))
    elif way == "cancelled":
        task = asyncio.current_task()
        loop.call_soon(task.cancel)
        await asyncio.sleep(30)
    elif way == "exits":
        await worker(1)
        sys.exit(4)
    elif way == "signal":
        heard = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, heard.set)
        os.kill(os.getpid(), signal.SIGTERM)
        await heard.wait()
        print("heard")
    elif way == "process":
        process = await asyncio.create_subprocess_exec("sh", "-c", "echo from a child; exit 3", stdout=asyncio.subprocess.PIPE)
        print((await process.communicate())[0], process.returncode)
    elif way == "pending":
        task = loop.create_task(asyncio.sleep(30))
        await asyncio.sleep(0)
        print(task.done())


def main():
    asyncio.run(run(sys.argv[1]))
