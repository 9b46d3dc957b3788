"""One instrumented run that calls the event function N times: prints the seconds that the calls took."""

import sys
import time

import kitchen.argparse_cli as cli

import otel_bridge

NUMBER = int(sys.argv.pop())
CREATE = {
    "kitchen.driver.name": "exec",
    "kitchen.driver.version": "",
    "kitchen.target": "bento/debian-12",
    "kitchen.platform": "debian-12",
    "kitchen.transport": "exec",
}


def burst() -> int:
    """Call it."""
    began = time.perf_counter()
    for _ in range(NUMBER):
        otel_bridge.event("kitchen.create", CREATE)
    print(time.perf_counter() - began)
    return 0


cli.main = burst
from otel_bridge.auto.kitchen.argparse_cli import main  # noqa: E402

sys.exit(main())
