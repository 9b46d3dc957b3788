"""Learn from click which command runs, which parameters the person set, and the values that its parser closes.

Listens to `Context.__enter__`, which click calls just before it parses the words of a command and again before it runs it, and
which has returned before either begins: no frame of ours ever stands on the stack while the product's own code runs. The same
holds for rich-click, which builds on click, and for typer, which carries a copy of it (`typer._click`).
"""

import otel_bridge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    import click

    from ..record import Run


def watch(run, core):
    # type: (Run, ModuleType) -> Callable[[], None]
    """Listen to `click.core`, or typer's copy of it, until the returned function is called."""
    context, source = core.Context, core.ParameterSource
    original, parsed = context.__enter__, set()
    person = (source.COMMANDLINE, source.ENVIRONMENT, source.PROMPT)

    def enter(self):
        # type: (click.Context) -> click.Context
        try:
            if (
                self is run.parsing and self._depth == 0
            ):  # its words have been understood; else a callback is called for one of them
                run.parsing = None
                parsed.add(id(self))
                _note(run, self, person, source.DEFAULT)
            elif self._depth == 1 and id(self) not in parsed and not self.resilient_parsing:
                run.parsing, path, at = self, "", self
                while at.parent is not None:  # `ctx.command_path` asks every parameter for its usage text: 40 K instructions
                    path, at = f"{at.info_name} {path}", at.parent
                if path:  # before parsing, so that a usage error is known with its command
                    run.parsed["otel_bridge.command"] = path[:-1]
        except Exception as problem:
            otel_bridge._swallow(problem)
        return original(self)  # type: ignore[no-any-return]

    def unwatch():
        # type: () -> None
        if context.__enter__ is enter:
            context.__enter__ = original

    context.__enter__ = enter
    return unwatch


def _note(run, ctx, person, default):
    # type: (Run, click.Context, tuple[object, ...], object) -> None
    names: list[object] = run.parsed.setdefault("otel_bridge.options", [])  # type: ignore[assignment]
    for parameter in ctx.command.params:
        name = parameter.name
        source = ctx.get_parameter_source(name) if name is not None else None
        if source is None:
            continue
        if source is not default:  # set by somebody: by a configuration file, too
            run.told.add(name)
            if source in person and parameter.param_type_name == "option":
                names.append(max(parameter.opts, key=len))
        value = ctx.params.get(name) if _closed(parameter) else None
        if value is not None:
            run.parsed[f"{run.prefix}.option.{name}"] = _spelt(value, hasattr(parameter, "type"))


def _closed(parameter):
    # type: (Any) -> bool
    """Whether the parser itself closes the set of values; typer 0.29 tells by an annotation, click by a type."""
    kind = getattr(parameter, "type", None)
    if kind is not None:
        return getattr(kind, "choices", None) is not None or kind.name == "boolean"
    kind = parameter.type_descriptor.annotation
    if type(kind).__name__ == "_LiteralGenericAlias":
        return True
    kind = getattr(kind, "__args__", (kind,))[0]  # of a list
    return kind is bool or hasattr(kind, "__members__") or type(kind).__name__ == "_LiteralGenericAlias"


def _spelt(value, by_name):
    # type: (Any, bool) -> object
    """A value as people type it: a member of an Enum by its name in click, by its value in typer."""
    if type(value) in (list, tuple):
        return [_spelt(one, by_name) for one in value]
    if hasattr(type(value), "__members__"):
        return value.name if by_name else value.value
    return str(value) if type(value) is int else value
