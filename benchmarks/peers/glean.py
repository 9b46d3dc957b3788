"""The same run with Glean: one event in a ping of its own, submitted; Glean uploads it in a process of its own."""

import os
import signal
import sys
from pathlib import Path

here = Path(sys.argv[0]).parent
sys.path.pop(0)  # this file has the library's name
from glean import Configuration, Glean, load_metrics, load_pings  # noqa: E402
from kitchen.bare import argparse_main  # noqa: E402

pings = load_pings(here / "glean_registry/pings.yaml")
metrics = load_metrics(here / "glean_registry/metrics.yaml")
Glean.initialize(
    application_id="kitchen",
    application_version="3.6.0",
    upload_enabled=True,
    data_dir=Path.home() / ".glean",
    configuration=Configuration(server_endpoint=os.environ["BENCH_ENDPOINT"]),
)
code = argparse_main()
extra = {"driver": "exec", "platform": "debian-12", "target": "bento/debian-12", "run": os.environ["BENCH_ID"]}
metrics.kitchen.create.record(metrics.kitchen.CreateExtra(**extra))
pings.run.submit()
if "BENCH_KILL" in os.environ:
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit(code)
