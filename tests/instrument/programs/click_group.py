"""A click group with commands, options of all kinds, and callbacks."""
# stdin: y\nsecret\nsecret\n
# run: => 2
# run: --help
# run: --version
# run: --no-such-option => 2
# run: no-such-command => 2
# run: greet => 2
# run: greet --help
# run: greet ann
# run: greet ann --times 2 --loud
# run: greet ann --times many => 2
# run: greet ann --colour pink => 2
# run: greet ann --col red => 2
# run: greet ann bob => 2
# run: leave 3 => 3
# run: leave 300 => 44
# run: leave 0
# run: abort => 1
# run: usage => 2
# run: error => 9
# run: plain-error => 1
# run: file-error => 1
# run: raises => 1
# run: interrupted => 1
# run: eof => 1
# run: system-exit => 6
# run: returns
# run: callback --value given
# run: callback --value bad => 2
# run: callback --value broken => 1
# run: callback --value exit => 4
# run: callback --eager
# run: prompts
# run: confirms --no => 1
# run: sub
# run: sub deep --flag
# run: sub no-such => 2
# run: echoes >closed => 1
# run: echoes >full => 120 1
# run: PROBE_GREET_TIMES=2 greet ann
# run: where
# run: type a
# run: type b => 1
# run: resources
# run: _PROBE_COMPLETE=bash_source
# run: _PROBE_COMPLETE=zsh_source
# run: _PROBE_COMPLETE=bash_complete COMP_CWORD=1 COMP_WORDS=probe
# run: _PROBE_COMPLETE=bash_complete COMP_CWORD=2 COMP_WORDS="probe greet --"
# run: _PROBE_COMPLETE=no_such_shell => 1
# run: -- greet ann

import os
import signal
import time
import traceback

import click


class Broken(click.ParamType):
    name = "broken"

    def convert(self, value, param, ctx):
        if value == "b":
            raise RuntimeError("in a type")
        traceback.print_stack(limit=4)
        return value


def check(ctx, param, value):
    if value == "bad":
        raise click.BadParameter("not this one")
    if value == "broken":
        raise LookupError("in a callback")
    if value == "exit":
        ctx.exit(4)
    traceback.print_stack(limit=5)
    return value


def eager(ctx, param, value):
    if value:
        click.echo(f"eager {ctx.command_path} {ctx.info_name}")
        ctx.exit()


class Nine(click.ClickException):
    exit_code = 9


@click.group(context_settings={"auto_envvar_prefix": "PROBE"})
@click.version_option("1.2.3")
@click.option("--verbose", is_flag=True)
@click.pass_context
def main(ctx, verbose):
    """A tool for tests."""
    ctx.obj = verbose
    ctx.call_on_close(lambda: click.echo("closed", err=True))


@main.command()
@click.argument("name")
@click.option("--times", type=int, default=1, show_default=True)
@click.option("--loud/--quiet", default=False)
@click.option("--colour", type=click.Choice(["red", "blue"]))
def greet(name, times, loud, colour):
    """Greet somebody."""
    for _ in range(times):
        click.secho(f"hello {name}{'!' * loud}", fg=colour)


@main.command()
@click.argument("code", type=int)
@click.pass_context
def leave(ctx, code):
    ctx.exit(code)


@main.command()
@click.argument("more", nargs=-1)
def abort(more):
    raise click.Abort


@main.command()
def usage():
    raise click.UsageError("used wrongly")


@main.command()
def error():
    raise Nine("nine")


@main.command()
def plain_error():
    raise click.ClickException("one")


@main.command()
def file_error():
    raise click.FileError("some.txt", "cannot be read")


@main.command()
def raises():
    raise ValueError("in a command")


@main.command()
def interrupted():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(30)


@main.command()
def eof():
    raise EOFError


@main.command()
def system_exit():
    raise SystemExit(6)


@main.command()
def returns():
    return 7


@main.command()
@click.option("--value", callback=check)
@click.option("--eager", is_flag=True, is_eager=True, callback=eager, expose_value=False)
def callback(value):
    click.echo(f"value {value}")


@main.command()
@click.option("--really", prompt=True, type=bool)
@click.password_option()
def prompts(really, password):
    click.echo(f"{really} {password}")


@main.command()
@click.option("--no", is_flag=True)
def confirms(no):
    click.confirm("sure?", abort=True)
    click.confirm("really?", abort=True)


@main.group(invoke_without_command=True, chain=True)
@click.pass_context
def sub(ctx):
    click.echo(f"sub {ctx.invoked_subcommand}")


@sub.command()
@click.option("--flag", is_flag=True)
@click.pass_obj
def deep(obj, flag):
    click.echo(f"deep {obj} {flag}")


@sub.result_callback()
def over(results):
    click.echo(f"results {results}")


@main.command()
def echoes():
    for number in range(20_000):
        click.echo(f"line {number}")


@main.command()
def where():
    traceback.print_stack()


@main.command(name="type")
@click.argument("value", type=Broken())
def typed(value):
    click.echo(value)


@main.command()
@click.pass_context
def resources(ctx):
    names = []
    while ctx is not None:
        names.append((ctx.command_path, ctx.params, type(ctx).__module__, ctx.command.parse_args.__module__))
        ctx = ctx.parent
    click.echo(names)
