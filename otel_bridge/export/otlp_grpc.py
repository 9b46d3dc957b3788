"""Send a batch with the stock OTLP/gRPC exporters, through a stub that calls once and says nothing but what we say."""

import re
import time
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import Any

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from requests.utils import get_environ_proxies, select_proxy

from .. import __version__, settings
from ..errors import SettingsError
from . import certificates, logs, spans
from .answer import Answer, clamped
from .prepare import Ready
from .session import MOST

# Which HTTP status means the same to `drain` and `backoff`; every other code is 500, mended only by somebody at the server.
# The 503s are what OTLP retries. It retries RESOURCE_EXHAUSTED only beside a RetryInfo and drops the rest; nothing is dropped
# here, so 429 holds for both. Source: https://opentelemetry.io/docs/specs/otlp/#failures
STATUS = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "UNIMPLEMENTED": 404,
    "RESOURCE_EXHAUSTED": 429,
    **dict.fromkeys(("ABORTED", "CANCELLED", "DATA_LOSS", "DEADLINE_EXCEEDED", "OUT_OF_RANGE", "UNAVAILABLE"), 503),
}
OTHER = 500
UNPACKED = ("INVALID_ARGUMENT", "UNIMPLEMENTED")  # to a packed request: 400, 415
_TOO_LONG = re.compile(r"CLIENT: Received message larger than max")
_BOMB = re.compile(r"Decompressed message larger than max")  # a server may say it too, of a packed request
_WHY = (  # why there is no connection, out of the details that gRPC writes itself
    (re.compile(r"CERTIFICATE_VERIFY_FAILED: ([a-z ]+)"), r"certificate: \1"),
    (re.compile(r"Hostname Verification Check failed"), "certificate: hostname mismatch"),
    (re.compile(r"Failed parsing HTTP/2"), "not HTTP/2"),
    (re.compile(r"Connection refused"), "connection refused"),
)
_PROXY = re.compile(r"HTTP proxy returned response code (\d{3})\b")
_KEY, _VALUE = re.compile(r"[0-9a-z_.-]+"), re.compile(r"[ -~]*")  # what gRPC takes as metadata that is text


class Once:
    """A stub that calls its server once, with our metadata and timeout, and keeps what was sent and what came back.

    It swallows the error it keeps: raised, the exporter would try again for as long as its timeout lasts, and log it.
    """

    def __init__(self, stub: Any, metadata: tuple[tuple[str, str], ...], timeout: float, packed: bool) -> None:
        self.stub, self.metadata, self.timeout, self.packed = stub, metadata, timeout, packed
        self.begin()

    def begin(self) -> None:
        """Forget the last call."""
        self.body = b""
        self.seconds = 0.0  # that the call took
        self.response: Any = None
        self.error: Any = None

    def Export(self, request: Any, **_: Any) -> None:  # noqa: N802  # the name of the method in OTLP's services
        """Call the server; what the exporter gives beside the request (metadata of the user's environment) stays here."""
        self.body = request.SerializeToString()
        began = time.monotonic()
        self._call(request, self.timeout)
        if self.packed and self.error is not None and self.error.code().name in UNPACKED:
            self.packed = False  # it may be the packing: plain from now on, and nothing is concluded from that answer
            self._call(request, max(0.001, self.timeout - (time.monotonic() - began)))
        self.seconds = time.monotonic() - began

    def _call(self, request: Any, timeout: float) -> None:
        packing = grpc.Compression.Gzip if self.packed else grpc.Compression.NoCompression
        self.error = None
        try:
            self.response = self.stub.Export(request, metadata=self.metadata, timeout=timeout, compression=packing)
        except grpc.RpcError as problem:
            self.error = problem


class Calls:
    """Calls to the host and port of a URL (https is TLS), one a batch, over channels that stay open until `close`.

    Raises SettingsError for headers, certificates or a proxy that gRPC cannot take.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint, self.secure = endpoint, endpoint.startswith("https://")
        self.metadata, self.timeout = _metadata(), settings.seconds("timeout")
        self.packed = settings.word("compression", ("none", "gzip")) == "gzip"
        self.credentials = _credentials() if self.secure else None
        agent = ("grpc.primary_user_agent", f"otel-bridge/{__version__}")  # gRPC appends its own versions
        self.options = (agent, *_route(endpoint), ("grpc.max_receive_message_length", MOST))
        self.exporters: dict[str, Any] = {}

    def close(self) -> None:
        """Close the channels."""
        for exporter in self.exporters.values():
            exporter.shutdown()
        self.exporters.clear()

    def send(self, signal: str, batch: Sequence[Ready]) -> Answer:
        """Send `logs` or `traces` and judge the answer; one attempt, and nothing raised for what a network does."""
        body = b""
        try:
            exporter = self._exporter(signal)
            once = exporter._client
            once.begin()
            exporter.export([logs.to_otel(ready) if signal == "logs" else spans.to_otel(ready) for ready in batch])
            body = once.body
            return _judge(signal, len(batch), once, exporter._channel)
        except Exception as problem:  # of an encoder, or of gRPC itself: as over http, nothing has left
            return Answer(None, f"no answer ({type(problem).__name__})", body=body)

    def _exporter(self, signal: str) -> Any:
        """The stock exporter of a signal, its stub replaced by one of ours."""
        if signal not in self.exporters:
            told: dict[str, Any] = {
                "endpoint": self.endpoint,
                "insecure": not self.secure,
                "credentials": self.credentials,
                "headers": self.metadata,
                "timeout": self.timeout,
                "compression": grpc.Compression.NoCompression,
                "channel_options": self.options,
            }
            exporter: Any = OTLPLogExporter(**told) if signal == "logs" else OTLPSpanExporter(**told)
            exporter._client = Once(exporter._client, self.metadata, self.timeout, self.packed)
            self.exporters[signal] = exporter
        return self.exporters[signal]


def _route(endpoint: str) -> tuple[tuple[str, str | int], ...]:
    """The proxy that http would go through, by the same variables; left alone, gRPC reads them in lower case only."""
    proxy = select_proxy(endpoint, get_environ_proxies(endpoint, no_proxy=None))
    if not proxy:
        return (("grpc.enable_http_proxy", 0),)
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if not proxy.startswith("http://"):
        raise SettingsError("the proxy for this endpoint is not http://, as gRPC needs it; set OTEL_BRIDGE_PROTOCOL=http/protobuf")
    return (("grpc.http_proxy", proxy),)


def _metadata() -> tuple[tuple[str, str], ...]:
    """Our headers, keys in lower case as HTTP/2 has them; a value may be a secret, so only its key is told."""
    found = tuple((key.lower(), value) for key, value in settings.pairs("headers").items())
    for key, value in found:
        if not _KEY.fullmatch(key) or not _VALUE.fullmatch(value) or key.endswith("-bin"):
            raise SettingsError(f"OTEL_BRIDGE_HEADERS: gRPC takes no {key!r} with that value; write plain ASCII, and no `-bin` key")
    return found


def _credentials() -> Any:
    """The certificates to trust: ours, or the public ones that http trusts, never those of gRPC's own variables."""
    authorities, key, certificate = certificates.contents()
    return grpc.ssl_channel_credentials(root_certificates=authorities, private_key=key, certificate_chain=certificate)


def _judge(signal: str, records: int, once: Once, channel: Any) -> Answer:
    if once.error is None:
        part = once.response.partial_success
        rejected = clamped(int(part.rejected_log_records if signal == "logs" else part.rejected_spans), records)
        return Answer(200, "", rejected, once.body)  # gRPC's own word is OK, its number 0; the ledger has one scale for both
    code, details = once.error.code().name, once.error.details() or ""
    if _TOO_LONG.search(details) or (_BOMB.match(details) and not once.packed):
        return Answer(200, "the server answered OK, but not as OTLP has it", body=once.body)
    if _silent(code, once, channel):
        proxy = _PROXY.search(details)
        if proxy:
            return Answer(int(proxy[1]), f"the proxy answered {proxy[1]}", body=once.body)
        why = next((found.expand(words) for form, words in _WHY if (found := form.search(details))), code)
        return Answer(None, f"no answer ({why})", body=once.body)
    return Answer(STATUS.get(code, OTHER), f"the server answered {code}", body=once.body, retry_after=_delay(once.error))


def _silent(code: str, once: Once, channel: Any) -> bool:
    """Whether a code is gRPC's own word for no answer: our deadline has come, or there is no connection (any more)."""
    if code == "DEADLINE_EXCEEDED":
        return once.seconds > 0.9 * once.timeout  # a server that obeys our deadline says so just before it
    if code != "UNAVAILABLE":
        return False
    states: SimpleQueue[Any] = SimpleQueue()
    channel.subscribe(states.put)  # tells the state as it is now, within a millisecond
    try:
        return states.get(timeout=1) is not grpc.ChannelConnectivity.READY
    except Empty:
        return True


def _delay(error: Any) -> float:
    """Seconds that a server asks for in its status details (google.rpc.RetryInfo); 0 when it does not."""
    status, info = Status(), RetryInfo()
    try:
        status.ParseFromString(dict(error.trailing_metadata()).get("grpc-status-details-bin", b""))
        for detail in status.details:
            if detail.Unpack(info):
                return max(0.0, float(info.retry_delay.seconds + info.retry_delay.nanos / 1e9))
    except Exception:  # google.protobuf.message.DecodeError, and what its implementations raise besides
        pass
    return 0.0
