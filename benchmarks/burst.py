"""Part c: very many events told by one process: how fast the calls are, and how many of the events are lost.

Ours are on disk when the call returns, within a bound that a setting raises; the SDK's BatchLogRecordProcessor, as it is by
default, exports over OTLP/HTTP to a sink on the same machine while the program goes on, and drops what its queue cannot hold.
"""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import counting
from contenders import Contender
from measuring import HERE, OURS, measure, sink
from recorded import BOUND, example, record, waiting

from otel_bridge import settings


def measured(contenders: Sequence[Contender], options: Namespace, place: Path) -> dict[str, object]:
    """Both in turn, several times: seconds of the calls, events kept, memory at the peak."""
    number, rounds = options.events, options.rounds
    sdk = next((one for one in contenders if one.name == "otel-http"), None)
    found: dict[str, list[object]] = {"otel-bridge": [], "otel-http": []}
    record(place / "warm", 10)
    told = example(place / "warm", place / "example.json")
    for turn in range(-1, rounds):  # the first is small, and writes bytecode
        events = number if turn >= 0 else 10
        home = place / f"ours-{turn}"
        taken = record(home, events, **BOUND)
        _add(found["otel-bridge"], turn, events, float(taken.output), waiting(home), taken.peak)
        if sdk:
            with sink("up", place) as where:
                words = [sdk.python(options.here), str(HERE / "peers/sdk_batches.py"), where.http, str(events), "burst", str(told)]
                taken = measure(words, place, counting.environment(place))
                kept = where.count(OURS)["count"]
            _add(found["otel-http"], turn, events, float(taken.output), kept, taken.peak)
    raised = any(row.variable in BOUND for row in settings.ROWS)
    return {"events": number, "raised": raised, "contenders": {name: runs for name, runs in found.items() if runs}}


def _add(runs: list[object], turn: int, events: int, seconds: float, kept: int, peak: int) -> None:
    if turn >= 0:
        runs.append({"seconds": round(seconds, 4), "calls": events, "kept": kept, "lost": events - kept, "peak": peak})
        print(f"c: {events:,} calls in {seconds:.2f} s, {kept:,} kept ({kept / seconds:,.0f}/s)", flush=True)
