"""Show how far long work has come, on standard error: a bar on a terminal, some lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LINES = 10  # where there is no terminal


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Gives what is to be told, again and again, how much of `total` is done."""
    console = Console(stderr=True)
    if not console.is_terminal:
        told = 0

        def line(done: int) -> None:
            nonlocal told
            if total and done * LINES // total > told:
                told = done * LINES // total
                click.echo(f"{what}: {done} of {total}", err=True)

        yield line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)
