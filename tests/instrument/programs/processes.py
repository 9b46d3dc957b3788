"""Uses multiprocessing by each start method, and a pool."""
# run: fork
# run: spawn
# run: forkserver
# run: pool

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor


def work(queue):
    queue.put(("from the child", __name__, sys.argv[1:]))


def square(number):
    return number * number


def main():
    way = sys.argv[1]
    if way == "pool":
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
            print(list(pool.map(square, range(5))))
        return
    context = multiprocessing.get_context(way)
    queue = context.SimpleQueue()
    process = context.Process(target=work, args=(queue,))
    process.start()
    print(queue.get())
    process.join()
    print(process.exitcode, multiprocessing.active_children())
