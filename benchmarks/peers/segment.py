"""The same run with Segment's library: one event, and `shutdown`, which flushes, before the program ends."""

import os
import signal
import sys

sys.path.pop(0)  # this file has the library's name
from kitchen.bare import argparse_main
from segment import analytics

analytics.write_key = "benchmark"
analytics.host = os.environ["BENCH_ENDPOINT"]
code = argparse_main()
properties = {"driver": "exec", "platform": "debian-12", "target": "bento/debian-12", "run": os.environ["BENCH_ID"]}
analytics.track("installation", "kitchen.create", properties)
if "BENCH_KILL" in os.environ:
    os.kill(os.getpid(), signal.SIGKILL)
analytics.shutdown()
sys.exit(code)
