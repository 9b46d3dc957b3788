"""Send a batch with the stock OTLP exporters, over HTTP through a session that says nothing but what we say.

Left alone, the exporter merges the user's own OTEL_EXPORTER_OTLP_HEADERS and netrc password into a vendor's request, counts
any 3xx as success and does not read `partial_success` (measured on 1.45.2). So it gets a session that rebuilds every request's
headers from nothing (see `session`) and keeps the answer for us to judge. For `http/json` there is no exporter: the same session
posts the text that `preview` shows.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .. import settings
from . import certificates, otlp_json
from .answer import Answer, judge, unanswered
from .prepare import Ready
from .session import GuardedSession

__all__ = ["PROTOCOLS", "TIMEOUT", "Answer", "Connection", "post", "send"]

TIMEOUT = float(next(row.default for row in settings.ROWS if row.name == "timeout"))  # seconds for a batch
PROTOCOLS = ("http/protobuf", "http/json", "grpc")
_KINDS = {"http/protobuf": "application/x-protobuf", "http/json": "application/json"}


class Connection:
    """A way to an endpoint for as many batches as there are while the `with` block lasts; it opens when the first one is sent.

    `endpoint` is a base URL. Raises SettingsError when a setting names nothing that could be sent.
    Source: https://opentelemetry.io/docs/specs/otlp/
    """

    def __init__(self, endpoint: str) -> None:
        protocol = settings.word("protocol", PROTOCOLS)
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)  # it logs failures that `drain` and `status` tell
        self.endpoint = endpoint
        self.way: Any
        if protocol == "grpc":
            os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its core writes to standard error past Python's logging
            from . import otlp_grpc  # of those who do not speak it nobody pays for gRPC

            self.way = otlp_grpc.Calls(endpoint)
        else:
            self.way = _Posts(endpoint, protocol)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *raised: object) -> None:
        self.way.close()

    def send(self, signal: str, batch: Sequence[Ready], meanwhile: Callable[[], object] | None = None) -> Answer:
        """Send one batch of `logs` or `traces`, once, and judge the answer; never raises for what a network does.

        Over HTTP `meanwhile` is called when all has been written and the server thinks; it must not raise, and its time counts.
        """
        if isinstance(self.way, _Posts):
            self.way.session.deadline.meanwhile = meanwhile
        with _unsteered():
            answer: Answer = self.way.send(signal, batch)
        return answer


def send(signal: str, batch: Sequence[Ready], endpoint: str) -> Answer:
    """Send one batch of `logs` or `traces` to a base URL over a connection of its own; see `Connection`. Raises SettingsError."""
    with Connection(endpoint) as connection:
        return connection.send(signal, batch)


@contextmanager
def _unsteered() -> Iterator[None]:
    """Hide the user's own OTEL_* from the exporters: they read some, and fail over a bad one, whatever they are given.

    Measured on 1.45.2: OTEL_EXPORTER_OTLP_LOGS_TIMEOUT=soon ends the gRPC exporter that is given a timeout.
    """
    theirs = [key for key in os.environ if key.startswith("OTEL_") and not key.startswith("OTEL_BRIDGE_")]
    hidden = {key: os.environ.pop(key) for key in theirs}
    try:
        yield
    finally:
        os.environ.update(hidden)


def post(signal: str, records: list[Any], endpoint: str) -> Answer:
    """Post records of the SDK over HTTP, changing nothing of the process that does so. Raises SettingsError."""
    posts = _Posts(endpoint, "http/protobuf")
    try:
        return posts.export(signal, records)
    finally:
        posts.close()


class _Posts:
    """Requests over HTTP, as protobuf by the stock exporters or as JSON."""

    def __init__(self, endpoint: str, protocol: str) -> None:
        self.endpoint, self.protocol = endpoint.rstrip("/"), protocol
        self.session = GuardedSession(
            settings.pairs("headers"),
            _KINDS[protocol],
            certificates.context() if endpoint.startswith("https://") else None,
            settings.seconds("timeout"),
            settings.word("compression", ("none", "gzip")) == "gzip",
        )
        self.exporters: dict[str, Any] = {}

    def close(self) -> None:
        """Close the connection."""
        self.session.close()

    def send(self, signal: str, batch: Sequence[Ready]) -> Answer:
        """Send a batch."""
        if self.protocol == "http/protobuf":
            from . import logs, spans  # OpenTelemetry: a sender that speaks JSON needs none of it

            return self.export(signal, [logs.to_otel(ready) if signal == "logs" else spans.to_otel(ready) for ready in batch])
        self.session.begin()
        try:
            self.session.post(f"{self.endpoint}/v1/{signal}", data=otlp_json.body(signal, batch))
        except Exception as problem:  # of a URL that is none
            self.session.error = problem
        return self._judged(signal, len(batch))

    def export(self, signal: str, records: list[Any]) -> Answer:
        """Send records of the SDK by the stock exporter of their kind."""
        if signal not in self.exporters:
            from opentelemetry.exporter.otlp.proto.http import Compression
            from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            told: dict[str, Any] = {
                "endpoint": f"{self.endpoint}/v1/{signal}",
                "timeout": self.session.timeout,
                "compression": Compression.NoCompression,  # the session packs, for it has to be able to unpack
                "session": self.session,
            }
            self.exporters[signal] = OTLPLogExporter(**told) if signal == "logs" else OTLPSpanExporter(**told)
        self.session.begin()
        self.exporters[signal].export(records)
        return self._judged(signal, len(records))

    def _judged(self, signal: str, records: int) -> Answer:
        """What the session has kept, as an answer."""
        kept = self.session
        if kept.last is None:
            found = unanswered(kept.error)
        else:
            headers = {name.lower(): value for name, value in kept.last.headers.items()}
            found = judge(signal, records, kept.last.status_code, headers, kept.content)
        error = (
            found.error.replace("the server", "the server or the proxy") if kept.passed_on and found.status != 200 else found.error
        )
        return Answer(found.status, error, found.rejected, kept.body, found.retry_after, kept.wire)
