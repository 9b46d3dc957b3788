"""Write a request as canonical OTLP/JSON: what `preview` shows and the ledger keeps.

Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding (ids in hexadecimal, enums as numbers).
"""

import base64
import json
from collections.abc import Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from . import logs, spans
from .prepare import Ready

_IDS = ("traceId", "spanId", "parentSpanId")


def request(signal: str, batch: Sequence[Ready]) -> Message:
    """The protobuf request that the stock exporter makes of a batch."""
    if signal == "logs":
        return encode_logs([logs.to_otel(ready) for ready in batch])
    return encode_spans([spans.to_otel(ready) for ready in batch])


def body(signal: str, batch: Sequence[Ready]) -> bytes:
    """The body of a request for a batch, as JSON in UTF-8."""
    return json.dumps(canonical(request(signal, batch)), separators=(",", ":")).encode()


def told(signal: str, body: bytes) -> dict[str, Any]:
    """The request that a server reads from a body, of either kind, as the object that OTLP/JSON has for it."""
    if body.startswith(b"{"):  # no message of ours begins so: its first byte is 0x0a
        found: dict[str, Any] = json.loads(body)
        return found
    return canonical(decoded(signal, body))


def decoded(signal: str, body: bytes) -> Message:
    """The request that a server reads from a body."""
    message: Message = ExportLogsServiceRequest() if signal == "logs" else ExportTraceServiceRequest()
    message.ParseFromString(body)
    return message


def canonical(message: Message) -> dict[str, Any]:
    """A request as the object that OTLP/JSON has for it."""
    found: dict[str, Any] = _hexadecimal(MessageToDict(message, use_integers_for_enums=True))
    return found


def _hexadecimal(value: Any) -> Any:
    if isinstance(value, list):
        return [_hexadecimal(one) for one in value]
    if isinstance(value, dict):
        return {
            key: base64.b64decode(one).hex() if key in _IDS and isinstance(one, str) else _hexadecimal(one)
            for key, one in value.items()
        }
    return value
