"""`python -m otel_bridge.commands` is `otel-bridge`, for an environment whose scripts are not on the path."""

from . import main

main(prog_name="otel-bridge")
