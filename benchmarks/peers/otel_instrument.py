"""The same run written against the API alone; `opentelemetry-instrument` brings the SDK and the exporters."""

import os
import signal
import sys

from kitchen.bare import argparse_main
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber, get_logger

with trace.get_tracer("kitchen").start_as_current_span("cli.run", attributes={"otel_bridge.command": "create"}):
    code = argparse_main()
    attributes = {"kitchen.driver.name": "exec", "kitchen.platform": "debian-12", "kitchen.target": "bento/debian-12"}
    attributes["run"] = os.environ.get("BENCH_ID", "")
    record = LogRecord(
        event_name="kitchen.create", body="kitchen.create", severity_number=SeverityNumber.INFO, attributes=attributes
    )
    get_logger("kitchen").emit(record)
    if "BENCH_KILL" in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)
sys.exit(code)
