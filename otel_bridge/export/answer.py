"""Say what became of a batch: an answer over HTTP, read as OTLP has it, or the plain reason why there is none."""

import hashlib
import http.client
import json
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

from ..clock import now

COUNTS = {"logs": "rejectedLogRecords", "traces": "rejectedSpans"}
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\b")  # http.client's words; what follows them is the proxy's


@dataclass(frozen=True)
class Answer:
    """What became of a batch: `error` is empty when the server took it; `body` is the request, `wire` what left if packed."""

    status: int | None
    error: str
    rejected: int = 0
    body: bytes = b""
    retry_after: float = 0.0  # seconds that the server asked for
    wire: bytes = b""

    @property
    def sha256(self) -> str:
        """The digest of the bytes that left, in hexadecimal."""
        return hashlib.sha256(self.wire or self.body).hexdigest()


def judge(signal: str, records: int, status: int, headers: dict[str, str], content: bytes | None) -> Answer:
    """What an answer over HTTP to so many records means; header names in lower case, `content` None when it was too long to read.

    Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
    """
    if status == 407:
        return Answer(status, f"the proxy answered {status}")
    if not 200 <= status < 300:
        return Answer(status, f"the server answered {status}", retry_after=_seconds(headers.get("retry-after", "")))
    rejected = None if content is None else _rejected(signal, headers.get("content-type", ""), content)
    if rejected is None:
        return Answer(status, f"the server answered {status}, but not as OTLP has it")
    return Answer(status, "", clamped(rejected, records))


def clamped(rejected: int, records: int) -> int:
    """How many records can have been rejected of those that were sent, whatever number a server says."""
    return min(max(rejected, 0), records)


def _seconds(retry_after: str) -> float:
    """A Retry-After header, seconds or an HTTP date (RFC 9110 section 10.2.3), in seconds from now; 0 for anything else."""
    if re.fullmatch(r" *[0-9]{1,18} *", retry_after):
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - now() / 1e9)
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _rejected(signal: str, kind: str, content: bytes) -> int | None:
    """How many records the server says it did not take (partial success); None when it does not speak OTLP."""
    if not content:
        return 0
    if kind.startswith("application/json"):
        try:
            return int((json.loads(content).get("partialSuccess") or {}).get(COUNTS[signal]) or 0)
        except (ValueError, AttributeError, TypeError, OverflowError, RecursionError):
            return None
    if not kind.startswith("application/x-protobuf"):
        return None
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    message = ExportLogsServiceResponse() if signal == "logs" else ExportTraceServiceResponse()
    try:
        message.ParseFromString(content)
    except Exception:  # google.protobuf.message.DecodeError, and what its implementations raise besides
        return None
    part = message.partial_success
    return int(part.rejected_log_records if signal == "logs" else part.rejected_spans)


def unanswered(problem: Exception | None) -> Answer:
    """What it means that there is no answer, in words of ours: none that a server could choose."""
    for one in _chain(problem):
        found = _TUNNEL.search(str(one)) if isinstance(one, OSError) else None
        if found:
            return Answer(int(found[1]), f"the proxy answered {found[1]}")
        why = _why(one)
        if why:
            return Answer(None, f"no answer ({why})")
    return Answer(None, f"no answer ({type(problem).__name__ if problem else 'nothing was sent'})")


def _why(problem: BaseException) -> str:
    """The one cause of a failure, if this is it."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"certificate: {problem.verify_message.rstrip('.')}"
    if isinstance(problem, ssl.SSLError) and not isinstance(problem, TimeoutError):
        return f"TLS: {(problem.reason or 'broken off').lower().replace('_', ' ')}"
    if isinstance(problem, socket.gaierror):
        return "no such host" if problem.errno == socket.EAI_NONAME else "no name service"
    if isinstance(problem, ConnectionRefusedError):
        return "connection refused"
    if isinstance(problem, http.client.IncompleteRead | http.client.RemoteDisconnected | ConnectionError):
        return "connection closed"
    if isinstance(problem, ConnectTimeoutError) and not isinstance(problem, NewConnectionError):
        return "ConnectTimeout"
    if isinstance(problem, ReadTimeoutError | TimeoutError):
        return "ReadTimeout" if isinstance(problem, ReadTimeoutError) else "timed out"
    return "not HTTP/1.1" if isinstance(problem, http.client.HTTPException) else ""


def _chain(problem: BaseException | None) -> Iterator[BaseException]:
    """A problem, and everything that it was made of: requests and urllib3 wrap each other's exceptions in many ways."""
    waiting: list[object] = [problem]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and id(one) not in seen and len(seen) < 50:
            seen.add(id(one))
            if not isinstance(one, requests.RequestException):
                yield one
            waiting += [one.__context__, one.__cause__, getattr(one, "reason", None), *one.args]
