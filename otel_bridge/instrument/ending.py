"""Tell how a run ended that did not simply do its work: by which class of error, or that it only answered for help."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # a program that runs another within may look at what has been imported
    from collections.abc import Iterator
    from types import FrameType, TracebackType
    from typing import Any

    from ..record import Run

HELP = "otel_bridge.help"


def told(run: "Run", code: int, error: BaseException | str | None) -> bool:
    """Note in `run.parsed` what the run was asked for instead of its work, or why it failed; whether it is to be recorded.

    A run that answered for help, version or completion is recorded only where the declaration of `cli.run` has a place for that.
    """
    kind = error if isinstance(error, str) else _kind(error)
    asked = "help" if kind == "NoArgsIsHelpError" else _asked(run) if code == 0 else ""
    run.parsed[HELP] = asked or None
    if code and not asked:
        run.parsed["error.type"] = kind
        crashed = isinstance(error, BaseException) and not isinstance(error, SystemExit)
        run.parsed[run.prefix + ".error.frames"] = error if crashed else None
    return not asked or any(spec[0] == HELP for spec in run.declared.SPAN or ())


def _asked(run: "Run") -> str:
    said = run.parsed.get(HELP)  # argparse took the option, or a shell asked for completions
    if said or run.parsing is None:
        return str(said or "")
    context: "Any" = run.parsing  # click left while it was still reading the words of this command
    words = (sys.argv or [])[1:]
    if not words or any(word in context.help_option_names for word in words):
        return "help"
    for parameter in context.command.params:
        if any(word in (*parameter.opts, *parameter.secondary_opts) for word in words):
            for kind in ("version", "completion"):
                if kind in str(parameter.name):
                    return kind
    return ""


def _kind(error: BaseException | None) -> str:
    """The class of what ended the run; empty for a number that the program chose itself."""
    if error is None:
        return ""
    if isinstance(error, SystemExit):
        frames = list(_frames(error.__traceback__))
        for frame in frames:  # click 8.5 leaves with what it is going to show, older ones while they handle it
            report = frame.f_locals.get("report") if _of(frame, "click.core") and frame.f_code.co_name == "main" else None
            if report is not None:
                shown = getattr(report, "__self__", None)
                return _named(shown) if isinstance(shown, BaseException) else "Abort"
        cause = error.__context__
        if type(cause).__name__ == "Exit" and cause is not None:  # click's own way to leave with a number
            cause = cause.__cause__
        if error.code == 2 and any(_of(frame, "argparse") for frame in frames):
            return _named(cause) if type(cause).__name__ == "ArgumentError" and cause is not None else "UsageError"
        return _named(cause) if cause is not None else ""
    return _named(error)


def _named(error: BaseException) -> str:
    """The name of a class of errors; those of parsers by what they mean."""
    names = [one.__name__ for one in type(error).__mro__]
    if "UsageError" in names or "ArgumentError" in names:
        for frame in _frames(error.__traceback__):
            unknown = frame.f_code.co_name == "_check_value" and type(frame.f_locals.get("action")).__name__ == "_SubParsersAction"
            if unknown or frame.f_code.co_name == "resolve_command":
                return "NoSuchCommand"
        return "NoArgsIsHelpError" if "NoArgsIsHelpError" in names else "UsageError"
    return names[0]


def _of(frame: "FrameType", module: str) -> bool:
    return str(frame.f_globals.get("__name__")).endswith(module)


def _frames(traceback: "TracebackType | None") -> "Iterator[FrameType]":
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next
