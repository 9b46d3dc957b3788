"""A rich-click group: click with help texts and errors of its own."""
# needs: rich_click
# run: --help
# run: => 2
# run: no-such => 2
# run: greet => 2
# run: greet ann
# run: raises => 1

import rich_click as click


@click.group()
def main():
    """A tool for tests."""


@main.command()
@click.argument("name")
def greet(name):
    """Greet somebody."""
    click.echo(f"hello {name}")


@main.command()
def raises():
    raise ValueError("in a command")
