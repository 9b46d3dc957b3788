"""The same run with Scarf's logger: one event, posted in the call itself; its errors are caught, as a tool must."""

import os
import signal
import sys

sys.path.pop(0)  # this file has the library's name
from kitchen.bare import argparse_main
from scarf import ScarfEventLogger

logger = ScarfEventLogger(endpoint_url=os.environ["BENCH_ENDPOINT"])
code = argparse_main()
properties = {"event": "kitchen.create", "driver": "exec", "platform": "debian-12", "target": "bento/debian-12"}
try:
    logger.log_event({**properties, "run": os.environ["BENCH_ID"]})
except Exception:  # it raises what `requests` raises
    pass
if "BENCH_KILL" in os.environ:
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit(code)
