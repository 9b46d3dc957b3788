"""Single click commands, run in the ways in which a program may run them."""
# run: standalone --number 3
# run: standalone => 2
# run: not-standalone --number 3 => 6
# run: not-standalone --number x => 1
# run: not-standalone --help
# run: own-main --number 3 => 3
# run: own-class --number 3 => 11
# run: own-class --nothing => 12
# run: args
# run: args-fail => 2
# run: runner --number 3
# run: runner --number x
# run: context --number 3
# run: raising => 1
# run: twice --number 3

import sys
import traceback

import click
from click.testing import CliRunner

way = sys.argv.pop(1)


@click.command()
@click.option("--number", type=int, required=True)
def command(number):
    """Does something with a number."""
    click.echo(f"number {number}")
    return number * 2


class Own(click.Command):
    def parse_args(self, ctx, args):
        print("own parse_args", args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            print("own", error.format_message())
            ctx.exit(12)

    def invoke(self, ctx):
        print("own invoke", ctx.params)
        super().invoke(ctx)
        sys.exit(11)

    def main(self, *args, **more):
        print("own main")
        return super().main(*args, **more)


class Raising(click.Command):
    def parse_args(self, ctx, args):
        raise ValueError("in parse_args")


@click.command(cls=Own)
@click.option("--number", type=int)
def own(number):
    click.echo(f"number {number}")


def not_standalone():
    return command(standalone_mode=False)


def own_main():
    try:
        command.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return 3


def args():
    command(["--number", "4"])


def args_fail():
    command.main(args=["--number", "none"], prog_name="another")


def runner():
    result = CliRunner().invoke(command, sys.argv[1:])
    print(result.exit_code, result.output, result.exc_info[0])


def context():
    with command.make_context("made", sys.argv[1:]) as ctx:
        print(ctx.params, ctx.get_parameter_source("number").name)
        print(command.invoke(ctx))


def twice():
    for _ in range(2):
        try:
            command()
        except SystemExit as leaving:
            print("left", leaving.code)
            print([frame.name for frame in traceback.extract_tb(leaving.__traceback__)])


main = {
    "standalone": command,
    "not-standalone": not_standalone,
    "own-main": own_main,
    "own-class": own,
    "args": args,
    "args-fail": args_fail,
    "runner": runner,
    "context": context,
    "raising": Raising("raising"),
    "twice": twice,
}[way]
