"""The same commands with no telemetry behind them: what instrumented runs are compared with."""

import sys
from types import ModuleType


def _without_telemetry() -> None:
    stub = ModuleType("otel_bridge")
    stub.event = lambda name, attributes=None, set_by_user=(): None
    stub.mount = ModuleType("otel_bridge.mount")
    stub.mount.click_group = _no_group
    sys.modules["otel_bridge"] = stub


def _no_group():
    import click

    return click.Group("telemetry", help="See, stop and control what this program tells its authors.")


def click_main() -> None:
    """Run the click command line."""
    _without_telemetry()
    from .cli import main

    main()


def argparse_main() -> int:
    """Run the argparse command line."""
    _without_telemetry()
    from .argparse_cli import main

    return main()


def typer_main() -> None:
    """Run the typer command line."""
    _without_telemetry()
    from .typer_cli import main

    main()
