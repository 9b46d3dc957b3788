"""The same run with PostHog: one event, and `shutdown` at the end, as its documentation asks of short-lived programs."""

import os
import signal
import sys

sys.path.pop(0)  # this file has the library's name
from kitchen.bare import argparse_main
from posthog import Posthog

posthog = Posthog("phc_benchmark", host=os.environ["BENCH_ENDPOINT"])
code = argparse_main()
properties = {"driver": "exec", "platform": "debian-12", "target": "bento/debian-12", "run": os.environ["BENCH_ID"]}
posthog.capture("kitchen.create", distinct_id="installation", properties=properties)
if "BENCH_KILL" in os.environ:
    os.kill(os.getpid(), signal.SIGKILL)
posthog.shutdown()
sys.exit(code)
