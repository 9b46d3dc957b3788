"""Learn from click which command runs, which parameters the person set, and the values that its parser closes.

Listens to `Command.parse_args`, which has returned before a command's own function runs: no frame of ours stands in its
tracebacks. (One does while callbacks of options run, which click calls from there.)
"""

import click
from click.core import ParameterSource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..record import Run

_CLOSED = (click.Choice, click.types.BoolParamType)


def watch(run: "Run") -> "Callable[[], None]":
    """Listen until the returned function is called."""
    original = click.Command.parse_args

    def parse_args(self: click.Command, ctx: click.Context, args: "list[str]") -> "list[str]":
        try:  # before parsing, so that a usage error is known with its command
            path, at = "", ctx
            while at.parent is not None:  # `ctx.command_path` asks every parameter for its usage text: 40 K instructions
                path, at = f"{at.info_name} {path}", at.parent
            run.parsed["otel_bridge.command"] = path.rstrip()
        except Exception as problem:
            from ..errors import swallow

            swallow(problem)
        rest = original(self, ctx, args)
        try:
            _note(run, self, ctx)
        except Exception as problem:
            from ..errors import swallow

            swallow(problem)
        return rest

    def unwatch() -> None:
        if click.Command.parse_args is parse_args:
            click.Command.parse_args = original  # type: ignore[method-assign]

    click.Command.parse_args = parse_args  # type: ignore[method-assign]
    return unwatch


def _note(run: "Run", command: click.Command, ctx: click.Context) -> None:
    names: list[object] = run.parsed.setdefault("otel_bridge.options", [])  # type: ignore[assignment]
    for parameter in command.params:
        if parameter.name is None:
            continue
        source = ctx.get_parameter_source(parameter.name)
        if source in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT, ParameterSource.PROMPT):
            run.told.add(parameter.name)
            if isinstance(parameter, click.Option):
                names.append(max(parameter.opts, key=len))
        if isinstance(parameter.type, _CLOSED):
            run.parsed[f"{run.prefix}.option.{parameter.name}"] = ctx.params.get(parameter.name)
