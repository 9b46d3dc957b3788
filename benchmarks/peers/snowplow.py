"""The same run with Snowplow's tracker: one structured event, and `flush` before the program ends."""

import os
import signal
import sys

from kitchen.bare import argparse_main
from snowplow_tracker import Snowplow, StructuredEvent

tracker = Snowplow.create_tracker(namespace="kitchen", endpoint=os.environ["BENCH_ENDPOINT"], app_id="kitchen")
code = argparse_main()
tracker.track(StructuredEvent(category="kitchen", action="create", label=os.environ["BENCH_ID"], property_="debian-12"))
if "BENCH_KILL" in os.environ:
    os.kill(os.getpid(), signal.SIGKILL)
tracker.flush()
sys.exit(code)
