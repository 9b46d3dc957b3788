"""Ends by an exception that nobody catches, of the kind that its word says."""
# run: simple => 1
# run: chained => 1
# run: context => 1
# run: from-none => 1
# run: group => 1
# run: notes => 1
# run: syntax => 1
# run: str-raises => 1
# run: base => 1
# run: generator-exit => 1
# run: generator => 1
# run: async => 1
# run: group-async => 1
# run: cycle => 1
# run: again => 1
# run: with-traceback => 1
# run: callback => 1
# run: exec => 1
# run: surrogate => 1
# run: stop => 1
# run: memory => 1
# run: os-error => 1
# run: foreign-module => 1
# run: metaclass => 1
# run: context-manager => 1
# run: thrown => 1
# run: interrupt => SIGINT
# run: interrupt-subclass => 1

import asyncio
import contextlib
import sys


class Odd(Exception):  # noqa: N818
    def __str__(self):
        raise TypeError("no text")


class Base(BaseException):
    pass


class Stopped(KeyboardInterrupt):
    pass


class Meta(type):
    def __getattribute__(cls, name):
        if name == "__qualname__":
            raise RuntimeError("no name")
        return super().__getattribute__(name)


class Nameless(Exception, metaclass=Meta):  # noqa: N818
    pass


class Foreign(Exception):  # noqa: N818
    pass


Foreign.__module__ = "otel_bridge.auto"


def simple():
    raise ValueError("a text\nof two lines")


def chained():
    try:
        {}["a"]
    except KeyError as error:
        raise RuntimeError("b") from error


def context():
    try:
        {}["a"]
    except KeyError:
        1 / 0  # noqa: B018


def from_none():
    try:
        {}["a"]
    except KeyError:
        raise RuntimeError("b") from None


def group():
    inner = []
    for kind in (ValueError, TypeError):
        try:
            raise kind(kind.__name__)
        except kind as error:
            inner.append(error)
    raise ExceptionGroup("several", [*inner, ExceptionGroup("deeper", [OSError(2, "no file")])])


def notes():
    error = ValueError("noted")
    error.add_note("first note\nin two lines")
    error.add_note("second note")
    raise error


def syntax():
    compile("def f(:\n    pass\n", "given.txt", "exec")


def generator():
    def numbers():
        yield 1
        raise ValueError("in a generator")

    return list(numbers())


async def deep():
    await asyncio.sleep(0)
    raise ValueError("in a coroutine")


async def crowd():
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(deep())
        tasks.create_task(deep())


def cycle():
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    raise one


def again():
    saved = None
    try:
        simple()
    except ValueError as error:
        saved = error
    try:
        raise saved
    except ValueError as error:
        raise error


def with_traceback():
    try:
        simple()
    except ValueError as error:
        raise TypeError("elsewhere").with_traceback(error.__traceback__) from None


def callback():
    return sorted([1, 2], key=lambda number: number / 0)


def executed():
    exec(compile("def f():\n    return 1 / 0\nf()\n", "<made here>", "exec"), {})


@contextlib.contextmanager
def around():
    try:
        yield
    except ValueError as error:
        raise LookupError("around") from error


def context_manager():
    with around():
        simple()


def thrown():
    def waits():
        yield

    waiting = waits()
    next(waiting)
    waiting.throw(ValueError("thrown in"))


def raising(error):
    def one():
        raise error

    return one


WAYS = {
    "simple": simple,
    "chained": chained,
    "context": context,
    "from-none": from_none,
    "group": group,
    "notes": notes,
    "syntax": syntax,
    "str-raises": raising(Odd("x")),
    "base": raising(Base("based")),
    "generator-exit": raising(GeneratorExit("out")),
    "generator": generator,
    "async": lambda: asyncio.run(deep()),
    "group-async": lambda: asyncio.run(crowd()),
    "cycle": cycle,
    "again": again,
    "with-traceback": with_traceback,
    "callback": callback,
    "exec": executed,
    "surrogate": raising(ValueError("\udcff \N{SNOWMAN} \x00")),
    "stop": raising(StopIteration(3)),
    "memory": raising(MemoryError()),
    "os-error": lambda: open("no-such-file"),  # noqa: SIM115
    "foreign-module": raising(Foreign("from elsewhere")),
    "metaclass": raising(Nameless("whose name cannot be asked")),
    "context-manager": context_manager,
    "thrown": thrown,
    "interrupt": raising(KeyboardInterrupt()),
    "interrupt-subclass": raising(Stopped("by hand")),
}


def main():
    print("out")
    WAYS[sys.argv[1]]()
