"""What a collector says of itself, read from its metrics: taken, dropped by privacy, sent and given up by each exporter."""

import re
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import CollectorError

Key = tuple[str, str]  # signal and exporter
EVERY = "*"  # for an exporter: each of the signal's
_LINE = re.compile(r"^otelcol_(\w+)\{(.*)\} (\S+)$", re.MULTILINE)
_SUFFIX = {"_log_records": "logs", "_logs_filtered": "logs", "_spans": "traces", "_spans_filtered": "traces"}


@dataclass
class Counters:
    """Records by signal, and by signal and exporter; `waiting` is the size of a queue in its own unit, bytes with our sinks."""

    taken: Counter[str] = field(default_factory=Counter)
    filtered: Counter[str] = field(default_factory=Counter)
    sent: Counter[Key] = field(default_factory=Counter)
    failed: Counter[Key] = field(default_factory=Counter)
    waiting: Counter[Key] = field(default_factory=Counter)

    def left(self, owed: Mapping[Key, int]) -> dict[Key, int]:
        """What each exporter has of the records that it was given, and has neither sent nor given up."""
        given = {signal: self.taken[signal] - self.filtered[signal] + owed.get((signal, EVERY), 0) for signal in ("logs", "traces")}
        keys = sorted(key for key in {*self.sent, *self.failed, *self.waiting, *owed} if key[1] != EVERY)
        return {key: given[key[0]] + owed.get(key, 0) - self.sent[key] - self.failed[key] for key in keys}


def read(text: str) -> Counters:
    """The counters of a metrics page in Prometheus' text form, with or without `_total` after their names."""
    found = Counters()
    for name, labels, value in _LINE.findall(text):
        told = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        short, number = name.removesuffix("_total"), int(float(value))
        signal = next((signal for suffix, signal in _SUFFIX.items() if short.endswith(suffix)), "")
        key = (told.get("data_type") or signal, told.get("exporter", ""))
        if short.startswith("receiver_accepted_"):
            found.taken[signal] += number
        elif short.startswith("processor_filter_"):
            found.filtered[signal] += number
        elif short.startswith("exporter_sent_"):
            found.sent[key] += number
        elif short.startswith("exporter_send_failed_"):
            found.failed[key] += number
        elif short == "exporter_queue_size":
            found.waiting[key] += number
    return found


def ask(address: str) -> Counters:
    """The counters of a running collector at `host:port`; raises CollectorError when it does not tell them."""
    try:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
            return read(answer.read().decode())
    except OSError as problem:
        raise CollectorError(f"http://{address}/metrics cannot be read ({problem}); is the collector still running?") from None
