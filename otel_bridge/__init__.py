"""Usage telemetry that the people who run a tool can trust: the public door."""

__version__ = "0.1.0"
__all__ = ["event"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .record import Run

current: "Run | None" = None  # the run being recorded; None while there is none, or nobody agreed


def event(name: str, attributes: "Mapping[str, object] | None" = None, set_by_user: "Collection[str]" = ()) -> None:
    """Record an event of the running product; nothing happens when no run is recorded.

    `name` is an event declared in the product's `telemetry.yaml`, `attributes` maps declared attribute keys to values of
    any type (each is reduced by its policy, undeclared ones are dropped and counted), `set_by_user` names the keys whose
    value the person chose, for the policy `default_only`. Never raises and never prints.
    Source: OpenTelemetry events, https://opentelemetry.io/docs/specs/semconv/general/events/
    """
    if current is not None:
        try:
            from .record import record

            record(current, name, attributes, set_by_user)
        except Exception:  # at the very end of the stack even counting a failure fails
            pass


def swallow(problem: BaseException) -> None:
    """Keep a failure of ours away from the host program; `OTEL_BRIDGE_DEBUG=1` shows it on standard error."""
    import os
    import sys

    try:
        if os.environ.get("OTEL_BRIDGE_DEBUG", "") not in ("", "0") and sys.stderr is not None:
            sys.stderr.write(f"otel-bridge: {type(problem).__name__}: {problem}\n")
    except Exception:  # a closed stream, or a problem that cannot be told
        pass
