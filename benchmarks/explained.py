"""The texts of docs/performance.md: what each part does, so that a reader can judge its figures."""

INTRODUCTION = """\
# Performance

`make bench-peers` measures all of this on your own machine (half an hour to an hour), `make generate` then writes this page.
Parts run alone: `.venv/bin/python benchmarks/compare.py --part d --rounds 3`; `--help` has the rest. Times depend on the machine
and on what else it does; instructions do not, so compare those, and ratios within one run of a part. What a run of ours costs in
every mode is counted by `make bench` ([raw figures](../benchmarks/results/hot_path.json)), and a test holds it to a budget.

## What we aim for"""

RUN_COST = """\
An argparse tool, `kitchen create debian`, tells one span and one event (the OTel libraries and ours) or one event (the others),
and flushes at its end as each library's documentation asks. Figures are medians of what that adds to the same run without
telemetry, pair by pair in shuffled rounds, each library in an environment of its own.
The sink answers, refuses the connection, accepts and never answers, or has no address. A run is killed at 20 seconds. Ours writes
to disk and is done; its second row starts a sender after every run, which usually happens once an hour, and the two compete for
the cores. Instructions, memory and standard error are those of the run's own process: Glean's uploader and our sender are
processes of their own. Small differences of time are noise, negative ones too."""

SURVIVAL = """\
The program calls the library's event function and sends itself SIGKILL. The end is one more ordinary run of it later, for ours
the next drain. Scarf's logger posts before its call returns."""

BURST = """\
One process calls the event function in a tight loop. Ours are on disk when the call returns, the bound of the spool raised by
`OTEL_BRIDGE_SPOOL_BYTES`; the SDK has its BatchLogRecordProcessor and OTLP/HTTP exporter as they are by default, and a sink on
the same machine, which competes with it for the cores. A second is a second of the loop; kept is on disk, or at the sink after
`shutdown`."""

DRAIN = """\
Recorded events go to the collector of this repository with all its privacy steps and its file sink, in whole processes, their
start included. The SDK sends as many of the same events, made on the spot, and waits for each batch of 512, so that its queue
loses none. Ours reads them from disk, checks declaration and consent again, sends, notes in its ledger what left, and deletes.
Ours has one request under way, so that of each it is known whether it was taken; while the collector works on it, which takes
some 35 us a record with its privacy steps ([measured](reference/intake.md)), the next one is made. Sender and collector share
two cores, so compare CPU seconds, too."""

GROWTH = """\
Instructions of whole processes, by callgrind and cachegrind; the drain goes to a sink of ours. The events were recorded with a
raised bound, the counted run has none set: it appends to a file that is not full."""
