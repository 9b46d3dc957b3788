"""A typer app with its pretty exceptions."""
# needs: typer
# run: => 2
# run: --help
# run: greet ann
# run: greet ann --colour pink => 2
# run: leave => 3
# run: abort => 1
# run: raises => 1
# run: _TYPER_STANDARD_TRACEBACK=1 raises => 1
# run: TERM=dumb NO_COLOR=1 COLUMNS=100 raises => 1
# run: --value broken greet ann => 1
# run: _PROBE_COMPLETE=complete_bash COMP_WORDS="probe gr" COMP_CWORD=1
# run: hook

import enum
import sys
from typing import Annotated

import typer

app = typer.Typer()


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


def check(value: str | None) -> str | None:
    if value == "broken":
        raise LookupError("in a callback")
    return value


@app.callback()
def common(value: Annotated[str | None, typer.Option(callback=check)] = None):
    """A tool for tests."""


@app.command()
def greet(name: str, times: int = 1, colour: Colour = Colour.RED):
    """Greet somebody."""
    for _ in range(times):
        typer.echo(f"hello {name} {colour.value}")


@app.command()
def leave():
    raise typer.Exit(3)


@app.command()
def abort():
    raise typer.Abort


@app.command()
def raises():
    number = 3
    raise ValueError(f"in a command {number}")


@app.command()
def hook():
    print(sys.excepthook.__module__, sys.excepthook.__name__)


main = app
