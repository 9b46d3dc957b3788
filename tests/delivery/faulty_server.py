"""An OTLP server over HTTP that answers by chance: takes and hangs up, refuses poison, is busy, talks nonsense, rejects a part.

What it took stands in its journal before it answers, one line a request, so it may be killed at any moment. Which records are
poison and which are rejected follows from their ids alone: those are never taken.
"""

import gzip
import json
import os
import random
import socket
import struct
import time
from collections.abc import Iterator
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

FAULTS = ("hang up", "cut", "reset", "garbage", "busy", "hang", "broken")
HEALTHY = "healthy"  # a file of the world: from now on no faults, but poison stays poison
GOOD = "ffff"  # ids that begin so are good for everybody
SHARES = (0.0, 0.02, 0.04, 0.15)  # of the records of a world that are poison, and as many that are rejected
HARMS = ("lies", "counts too much", "tears", "invents")


def sort_of(seed: str, share: float, uid: str) -> str:
    """What a server thinks of a record, always the same: `poison`, `rejected` or `good`."""
    if uid.startswith(GOOD):
        return "good"
    drawn = int.from_bytes(blake2b(f"{seed} {uid}".encode(), digest_size=4).digest(), "big") / (1 << 32)
    return "poison" if drawn < share else "rejected" if drawn < 2 * share else "good"


class FaultyServer(ThreadingHTTPServer):
    """Serves on a socket that somebody else has bound, so that another can go on where this one was killed."""

    daemon_threads = True

    def __init__(self, bound: socket.socket, world: Path, seed: str, life: str, harm: str, odds: tuple[float, float]) -> None:
        super().__init__(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = bound
        self.world, self.seed, self.harm, (self.faults, self.share) = world, seed, harm, odds
        self.chance, self.lock = random.Random(f"{seed} {life}"), Lock()
        self.journal = os.open(world / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def fault(self) -> str:
        """What goes wrong with this request; nothing at a healthy server."""
        with self.lock:
            wrong = self.chance.random() < self.faults
            drawn = self.chance.choice(FAULTS)
        return drawn if wrong and not (self.world / HEALTHY).exists() else ""

    def sort(self, uid: str) -> str:
        """What this server thinks of a record."""
        return sort_of(self.seed, self.share, uid)

    def toss(self, odds: float = 0.5) -> bool:
        """A coin."""
        with self.lock:
            return self.chance.random() < odds

    def busy(self) -> int:
        """One of the answers that ask for patience."""
        with self.lock:
            return self.chance.choice((429, 502, 503, 504))

    def write(self, entry: dict[str, Any]) -> None:
        """One entry, whole or not at all."""
        os.write(self.journal, b"\n" + json.dumps(entry).encode() + b"\n")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients are killed here every day."""


class Handler(BaseHTTPRequestHandler):
    """Reads a request, decides, journals, answers."""

    server: FaultyServer
    protocol_version = "HTTP/1.1"  # so that a connection may be used again
    timeout = 10

    def do_POST(self) -> None:
        """Take one request."""
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) != length:  # its sender was killed
            return
        try:
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            self.decide(self.path.rpartition("/")[2], list(_records(self.path, self.headers, body)))
        except ConnectionError:
            pass
        except Exception as problem:
            self.server.write({"bad": f"{self.path}: {type(problem).__name__}: {problem}"})
            raise

    def decide(self, signal: str, records: list[tuple[str, Any]]) -> None:
        """Answer, well or badly."""
        fault = self.server.fault()
        if fault == "busy":
            self.answer(self.server.busy(), b"", {"Retry-After": "1"} if self.server.toss() else {})
        elif fault == "broken":
            self.answer(500, b"<html>sorry</html>", {"Content-Type": "text/html"})
        elif fault == "reset" and self.server.toss():
            self.reset()
        elif fault == "garbage" and self.server.toss():
            self.answer(200, b"\x00<html>welcome</html>", {"Content-Type": "text/html"})
        elif any(self.server.sort(uid) == "poison" for uid, told in records if not told):
            self.answer(413 if len(records) > 20 and self.server.toss() else 400, b"", {})
        else:
            self.take(signal, records, fault)

    def take(self, signal: str, records: list[tuple[str, Any]], fault: str) -> None:
        """Journal what is good, then answer as the fault has it."""
        rejected = [uid for uid, one in records if not one and self.server.sort(uid) == "rejected"]
        told = [one for _, one in records if one]
        taken = [uid for uid, one in records if not one and uid not in rejected]
        self.server.write({"signal": signal, "taken": self.harmed(taken), "rejected": rejected, "told": told})
        if fault in ("hang up", "hang"):
            if fault == "hang":
                time.sleep(0.4)  # longer than its client waits
            self.close_connection = True
        elif fault == "reset":
            self.reset()
        elif fault == "garbage":
            self.answer(200, b"\x00<html>welcome</html>", {"Content-Type": "text/html"})
        else:
            more = 1 if self.server.harm == "counts too much" and self.server.toss(0.2) else 0
            self.answer(200, *self.success(signal, len(rejected) + more), cut=fault == "cut")

    def harmed(self, taken: list[str]) -> list[str]:
        """What a server says in its journal that it has; a bad one forgets one, or makes one up."""
        if taken and self.server.harm == "lies" and self.server.toss(0.3):
            return taken[1:]
        if self.server.harm == "invents" and self.server.toss(0.3):
            return [*taken, "00000000-dead-4000-8000-000000000001"]
        return taken

    def success(self, signal: str, rejected: int) -> tuple[bytes, dict[str, str]]:
        """A good answer, with a partial success where there is something to say of it."""
        if "json" in self.headers.get("Content-Type", ""):
            key = "rejectedLogRecords" if signal == "logs" else "rejectedSpans"
            said = {"partialSuccess": {key: str(rejected), "errorMessage": "some"}} if rejected else {}
            return json.dumps(said).encode(), {"Content-Type": "application/json"}
        answer: Any = ExportLogsServiceResponse() if signal == "logs" else ExportTraceServiceResponse()
        if rejected:
            setattr(answer.partial_success, "rejected_log_records" if signal == "logs" else "rejected_spans", rejected)
        return answer.SerializeToString(), {"Content-Type": "application/x-protobuf"}

    def answer(self, status: int, body: bytes, headers: dict[str, str], cut: bool = False) -> None:
        """Send an answer, or a part of it."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + (10 if cut else 0)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = cut or self.server.toss(0.2)

    def reset(self) -> None:
        """Close with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, *told: Any) -> None:
        """Say nothing."""


def _records(path: str, headers: Any, body: bytes) -> Iterator[tuple[str, Any]]:
    """The records of a request: the id of each, and what an event `telemetry.dropped` tells."""
    if "json" in headers.get("Content-Type", ""):
        yield from of_json(json.loads(body))
        return
    if path.endswith("/logs"):
        logs = ExportLogsServiceRequest.FromString(body)
        for record in (one for group in logs.resource_logs for scope in group.scope_logs for one in scope.log_records):
            given = {one.key: one.value for one in record.attributes}
            reason, count = given.get("otel_bridge.dropped.reason"), given.get("otel_bridge.dropped.count")
            uid = given["log.record.uid"].string_value
            yield uid, [uid, reason.string_value, count.int_value] if reason and count else None
        return
    spans = ExportTraceServiceRequest.FromString(body)
    for span in (one for group in spans.resource_spans for scope in group.scope_spans for one in scope.spans):
        yield span.span_id.hex(), None


def of_json(document: Any) -> Iterator[tuple[str, Any]]:
    """The same of a document of OTLP/JSON."""
    for group in document.get("resourceLogs", []):
        for record in (one for scope in group["scopeLogs"] for one in scope["logRecords"]):
            given = {one["key"]: one["value"] for one in record["attributes"]}
            uid = given["log.record.uid"]["stringValue"]
            reason, count = given.get("otel_bridge.dropped.reason"), given.get("otel_bridge.dropped.count")
            yield uid, [uid, reason["stringValue"], int(count["intValue"])] if reason and count else None
    for group in document.get("resourceSpans", []):
        for span in (one for scope in group["scopeSpans"] for one in scope["spans"]):
            yield span["spanId"], None
