"""Send a batch with the stock OTLP/gRPC exporters, through a stub that calls once and says nothing but what we say."""

import re
import time
from queue import Empty, SimpleQueue
from typing import Any

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from .. import __version__, settings
from ..errors import SettingsError

Told = tuple[int | None, str, int, bytes, float]  # the fields of an `Answer`, in its order

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
_KEY, _VALUE = re.compile(r"[0-9a-z_.-]+"), re.compile(r"[ -~]*")  # what gRPC takes as metadata that is text


class Once:
    """A stub that calls its server once, with our metadata and timeout, and keeps what was sent and what came back.

    It swallows the error it keeps: raised, the exporter would try again for as long as its timeout lasts, and log it.
    """

    def __init__(self, stub: Any, metadata: tuple[tuple[str, str], ...], timeout: float) -> None:
        self.stub, self.metadata, self.timeout = stub, metadata, timeout
        self.body = b""
        self.seconds = 0.0  # that the call took
        self.response: Any = None
        self.error: Any = None

    def Export(self, request: Any, **_: Any) -> None:  # noqa: N802  # the name of the method in OTLP's services
        """Call the server; what the exporter gives beside the request (metadata of the user's environment) stays here."""
        self.body = request.SerializeToString()
        began = time.monotonic()
        try:
            self.response = self.stub.Export(request, metadata=self.metadata, timeout=self.timeout)
        except grpc.RpcError as problem:
            self.error = problem
        self.seconds = time.monotonic() - began


def send(signal: str, records: list[Any], endpoint: str, timeout: float) -> Told:
    """Send `logs` or `traces` to the host and port of a URL (https is TLS) and judge the answer; one attempt of `timeout` seconds.

    Raises SettingsError for headers or certificates that gRPC cannot take, nothing for what a network does.
    """
    secure = endpoint.startswith("https://")
    metadata = _metadata()
    told: dict[str, Any] = {
        "endpoint": endpoint,
        "insecure": not secure,
        "credentials": _credentials() if secure else None,
        "headers": metadata,
        "timeout": timeout,
        "compression": grpc.Compression.NoCompression,
        "channel_options": (("grpc.primary_user_agent", f"otel-bridge/{__version__}"),),  # gRPC appends its own versions
    }
    exporter: Any = OTLPLogExporter(**told) if signal == "logs" else OTLPSpanExporter(**told)
    once = exporter._client = Once(exporter._client, metadata, timeout)
    try:
        exporter.export(records)
        return _judge(signal, once, exporter._channel)
    except Exception as problem:  # of an encoder, or of gRPC itself: as over http, nothing has left
        return None, f"no answer ({type(problem).__name__})", 0, once.body, 0.0
    finally:
        exporter.shutdown()


def _metadata() -> tuple[tuple[str, str], ...]:
    """Our headers, keys in lower case as HTTP/2 has them; a value may be a secret, so only its key is told."""
    found = tuple((key.lower(), value) for key, value in settings.pairs("headers").items())
    for key, value in found:
        if not _KEY.fullmatch(key) or not _VALUE.fullmatch(value) or key.endswith("-bin"):
            raise SettingsError(f"OTEL_BRIDGE_HEADERS: gRPC takes no {key!r} with that value; write plain ASCII, and no `-bin` key")
    return found


def _credentials() -> Any:
    """The certificates to trust: ours, or the public ones that http trusts, never those of gRPC's own variables."""
    path = settings.setting("ca_file") or DEFAULT_CA_BUNDLE_PATH
    try:
        with open(path, "rb") as file:
            return grpc.ssl_channel_credentials(root_certificates=file.read())
    except OSError as problem:
        raise SettingsError(f"OTEL_BRIDGE_CA_FILE: {path} cannot be read: {problem.strerror}") from None


def _judge(signal: str, once: Once, channel: Any) -> Told:
    if once.error is None:
        part = once.response.partial_success
        rejected = part.rejected_log_records if signal == "logs" else part.rejected_spans
        return 200, "", int(rejected), once.body, 0.0  # gRPC's own word is OK, its number 0; the ledger has one scale for both
    code = once.error.code().name
    if _silent(code, once, channel):
        return None, f"no answer ({code})", 0, once.body, 0.0
    return STATUS.get(code, OTHER), f"the server answered {code}", 0, once.body, _delay(once.error)


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
