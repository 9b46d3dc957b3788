"""Send a batch with the stock OTLP exporters, over HTTP through a session that says nothing but what we say.

Left alone, the exporter merges the user's own OTEL_EXPORTER_OTLP_HEADERS and netrc password into a vendor's request, counts
any 3xx as success and does not read `partial_success` (measured on 1.45.2). So the session here rebuilds every request's
headers from nothing, ignores netrc, cookies and the user's certificates, follows no redirect, and keeps the answer for us to judge.
"""

import hashlib
import logging
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.connection import HTTPConnection

from .. import __version__, settings
from ..clock import now
from ..errors import SettingsError
from . import logs, spans
from .prepare import Ready

TIMEOUT = 10.0  # seconds for a batch, the exporter's own retries included
PROTOCOLS = ("http/protobuf", "grpc")


@dataclass(frozen=True)
class Answer:
    """What became of a batch: `error` is empty when the server took it; `body` are the bytes that left."""

    status: int | None
    error: str
    rejected: int = 0
    body: bytes = b""
    retry_after: float = 0.0  # seconds that the server asked for

    @property
    def sha256(self) -> str:
        """The digest of the body that left, in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()


class ResettingAdapter(HTTPAdapter):
    """Connections to a server or a proxy that take back, when they are closed, what has not been delivered yet."""

    # The kernel closes the socket of a process that was killed, and goes on delivering what it had accepted: up to a whole
    # batch, after the person said stop. SO_LINGER with 0 seconds drops that and resets the connection (socket(7)). An ordinary
    # close comes after the answer, when there is nothing left to drop.
    options = (*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)))

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pool of direct connections."""
        super().init_poolmanager(*args, **kwargs, socket_options=self.options)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Make the pool of connections through a proxy."""
        return super().proxy_manager_for(proxy, **kwargs, socket_options=self.options)


class GuardedSession(requests.Session):
    """A session whose requests carry our own headers and nothing else, and which keeps the last answer."""

    def __init__(self, headers: dict[str, str], ca_file: str) -> None:
        super().__init__()
        self.trust_env = False  # no netrc, no REQUESTS_CA_BUNDLE; proxies are asked for below
        for scheme in ("https://", "http://"):
            self.mount(scheme, ResettingAdapter())
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.ours = {**headers, "Content-Type": "application/x-protobuf", "User-Agent": f"otel-bridge/{__version__}"}
        self.ca_file = ca_file
        self.last: requests.Response | None = None
        self.error: Exception | None = None
        self.body = b""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a prepared request with the headers replaced, and keep the answer."""
        self.last = self.error = None
        self.body = request.body if isinstance(request.body, bytes) else b""
        length = request.headers.get("Content-Length")
        request.headers.clear()
        request.headers.update(self.ours)
        if length:
            request.headers["Content-Length"] = length
        kwargs.update(allow_redirects=False, verify=self.ca_file or True, cert=None)
        kwargs["proxies"] = get_environ_proxies(request.url or "", no_proxy=None)
        try:
            self.last = super().send(request, **kwargs)
        except Exception as problem:
            self.error = problem
            raise
        return self.last


def send(signal: str, batch: Sequence[Ready], endpoint: str) -> Answer:
    """Send one batch of `logs` or `traces` to a base URL and judge the answer; never raises for what a network does.

    Raises SettingsError when a setting names nothing that could be sent. Source: https://opentelemetry.io/docs/specs/otlp/
    """
    protocol = settings.setting("protocol")
    if protocol not in PROTOCOLS:
        raise SettingsError(f"OTEL_BRIDGE_PROTOCOL: {protocol!r} is not spoken here; write `{'` or `'.join(PROTOCOLS)}`")
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)  # it logs failures that `drain` and `status` tell
    with _unsteered():
        records: list[Any] = [logs.to_otel(ready) if signal == "logs" else spans.to_otel(ready) for ready in batch]
        if protocol == "grpc":
            from . import otlp_grpc  # of those who do not speak it nobody pays for gRPC

            return Answer(*otlp_grpc.send(signal, records, endpoint, TIMEOUT))
        return post(signal, records, endpoint)


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
    session = GuardedSession(settings.pairs("headers"), settings.setting("ca_file"))
    url = f"{endpoint.rstrip('/')}/v1/{signal}"
    told: dict[str, Any] = {"endpoint": url, "timeout": TIMEOUT, "compression": Compression.NoCompression, "session": session}
    exporter: Any = OTLPLogExporter(**told) if signal == "logs" else OTLPSpanExporter(**told)
    exporter.export(records)
    session.close()
    return _judge(signal, session)


def _judge(signal: str, session: GuardedSession) -> Answer:
    """What an answer over HTTP means. Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response"""
    answer = session.last
    if answer is None:
        kind = type(session.error).__name__ if session.error else "nothing was sent"
        return Answer(None, f"no answer ({kind})", body=session.body)
    if not 200 <= answer.status_code < 300:
        error = f"the server answered {answer.status_code}"
        return Answer(answer.status_code, error, body=session.body, retry_after=_seconds(answer.headers.get("Retry-After", "")))
    rejected = _rejected(signal, answer)
    if rejected is None:
        return Answer(answer.status_code, f"the server answered {answer.status_code}, but not as OTLP has it", body=session.body)
    return Answer(answer.status_code, "", rejected, session.body)


def _seconds(retry_after: str) -> float:
    """A Retry-After header, seconds or an HTTP date (RFC 9110 section 10.2.3), in seconds from now; 0 for anything else."""
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - now() / 1e9)
    except (TypeError, ValueError):
        return 0.0


def _rejected(signal: str, answer: requests.Response) -> int | None:
    """How many records the server says it did not take (partial success); None when it does not speak OTLP."""
    kind = answer.headers.get("Content-Type", "")
    if not answer.content:
        return 0
    if kind.startswith("application/json"):
        try:
            part = answer.json().get("partialSuccess", {})
            return int(part.get("rejectedLogRecords" if signal == "logs" else "rejectedSpans", 0))
        except (ValueError, AttributeError, TypeError):
            return None
    if not kind.startswith("application/x-protobuf"):
        return None
    message = ExportLogsServiceResponse() if signal == "logs" else ExportTraceServiceResponse()
    try:
        message.ParseFromString(answer.content)
    except Exception:  # google.protobuf.message.DecodeError, and what its implementations raise besides
        return None
    part = message.partial_success
    return int(part.rejected_log_records if signal == "logs" else part.rejected_spans)
