"""The instrumented argparse run, killed right after its event: `kitchen` itself calls `otel_bridge.event`."""

import os
import signal
import sys

from otel_bridge.auto.kitchen.argparse_cli import main

import otel_bridge

event = otel_bridge.event


def last(*given, **more) -> None:
    """Tell the event, and die."""
    event(*given, **more)
    os.kill(os.getpid(), signal.SIGKILL)


otel_bridge.event = last
sys.exit(main())
