"""Usage telemetry that the people who run a tool can trust: the public door."""

import sys

__version__ = "0.1.0"
__all__ = ["action", "ask", "command", "event", "mount"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from types import ModuleType

    import click

    from . import mount
    from .instrument.command import command
    from .record import Run
    from .record.action import action

current: "Run | None" = None  # the run being recorded; None while there is none, or nobody agreed
observer: "Callable[[], Callable[..., object] | None] | None" = None  # called as a run begins; what it returns, as it ends
mounted = ""  # how the product's own command line calls our verbs, when it has them
_HELP = "See, stop and control what this program tells its authors."


def event(name: str, attributes: "Mapping[str, object] | None" = None, set_by_user: "Collection[str]" = (), **more: object) -> None:
    """Record an event of the running product; nothing happens when no run is recorded.

    `name` is an event declared in the product's `telemetry.yaml`, `attributes` (and `more`) maps declared attribute keys to values
    of any type (each is reduced by its policy, undeclared ones are dropped and counted), `set_by_user` names the keys whose
    value the person chose, for the policy `default_only`. Never raises and never prints.
    Source: OpenTelemetry events, https://opentelemetry.io/docs/specs/semconv/general/events/
    """
    if current is not None:
        try:
            from .record import record

            record(current, name, {**attributes, **more} if attributes and more else attributes or more, set_by_user)
        except Exception:  # at the very end of the stack even counting a failure fails
            pass


def ask(package: str = "") -> str:
    """Ask the person, in a product's own set-up command, whether it may; returns the mode that holds: on, local or off.

    Asks on a terminal only, never in continuous integration, and only when nobody has chosen yet. `package` is the product's
    top package, the caller's by default. Never raises.
    """
    try:
        from .consent import notice

        return notice.ask(__import__((package or _caller()) + "._telemetry", fromlist=("PRODUCT",)))
    except Exception as problem:
        _swallow(problem)
        return "off"


def _swallow(problem: Exception) -> None:
    """Keep a failure of ours away from the host program, even where nothing can be imported any more; see `errors.swallow`."""
    try:
        from .errors import swallow

        swallow(problem)
    except Exception:
        pass


def __getattr__(name: str) -> object:
    """What few programs use, when it is asked for: each file costs 0.3 M instructions; `mount` even without its file."""
    if name in ("action", "command"):
        place = ".record.action" if name == "action" else ".instrument.command"
        found = globals()[name] = getattr(__import__(__name__ + place, fromlist=(name,)), name)
        return found
    if name != "mount":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    light = type(sys)("otel_bridge.mount")
    names = vars(light)
    names["click_group"], names["__getattr__"] = _click_group, lambda name: getattr(_mount(), name)
    return light


def _mount() -> "ModuleType":
    return __import__("otel_bridge.mount", fromlist=("verbs",))


def _click_group(package: str = "", name: str = "telemetry") -> "click.Group":
    """A click group of our verbs; see `otel_bridge.mount`."""
    global mounted
    import click

    mounted, package = name, package or _caller()
    group = click.Group(name, help=_HELP)
    group.list_commands = lambda ctx: _mount().names()  # type: ignore[method-assign]
    group.get_command = lambda ctx, cmd_name: _mount().verb(package, cmd_name)  # type: ignore[method-assign]
    return group


def _caller() -> str:
    """The top package of the function that called the caller of this one."""
    names = sys._getframe(2).f_globals
    return str(names.get("__package__") or names["__name__"]).partition(".")[0]
