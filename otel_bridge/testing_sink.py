"""Take what a sender posts: a real OTLP/HTTP server on the loopback interface, for tests; see `otel_bridge.testing`."""

import gzip
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from .testing_events import Event, events

_SIGNALS = {"/v1/logs": "logs", "/v1/traces": "traces"}


@dataclass(frozen=True)
class Request:
    """What a client posted: header names in lower case, the body as it came, `logs`, `traces` or nothing for another path."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def signal(self) -> str:
        """`logs`, `traces`, or nothing for another path."""
        return _SIGNALS.get(self.path, "")

    @property
    def kind(self) -> str:
        """The media type of the body."""
        return self.headers.get("content-type", "").partition(";")[0].strip()


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    headers: dict[str, str]


class OtlpSink:
    """A server that takes OTLP over HTTP, as protobuf or JSON, plain or gzip, while the `with` block lasts.

    `requests` holds everything that was posted, `records` and `spans` the events of what was answered with success.
    Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.records: list[Event] = []
        self.spans: list[Event] = []
        self.endpoint = ""  # a base URL, there from the beginning of the `with` block on
        self._next: list[_Answer] = []
        self._always: _Answer | None = None

    def __enter__(self) -> "OtlpSink":
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.sink = self
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="otlp-sink")
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()  # waits for the requests that are being answered

    def answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, times: int = 0) -> None:
        """Answer so from now on; with `times` only so often, and before what is answered from now on."""
        said = _Answer(status, body, dict(headers or {}))
        if times:
            self._next += [said] * times
        else:
            self._always = said

    def _take(self, request: Request) -> _Answer:
        found, answer = _read(request)
        self.requests.append(request)
        if self._next:
            answer = self._next.pop(0)
        elif self._always:
            answer = self._always
        if 200 <= answer.status < 300:
            (self.records if request.signal == "logs" else self.spans).extend(found)
        return answer


def _read(request: Request) -> tuple[list[Event], _Answer]:
    """The events of a request, and what a server answers that nobody told otherwise."""
    if not request.signal:
        return [], _Answer(404, b"", {})
    if request.kind not in ("application/json", "application/x-protobuf"):
        return [], _Answer(415, b"", {})
    try:
        body = gzip.decompress(request.body) if request.headers.get("content-encoding") == "gzip" else request.body
        if request.kind == "application/json":
            found, empty = list(events(request.signal, json.loads(body))), b"{}"
        else:
            from .export.otlp_json import canonical, decoded  # OpenTelemetry: only for those who are sent protobuf

            found, empty = list(events(request.signal, canonical(decoded(request.signal, body)))), b""
    except Exception as problem:  # whatever gzip, json and protobuf raise
        return [], _Answer(400, f"{type(problem).__name__}: {problem}".encode(), {"Content-Type": "text/plain"})
    return found, _Answer(200, empty, {})


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for them
    sink: OtlpSink


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10  # seconds for a client that says nothing more

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.path, headers, self.rfile.read(int(headers.get("content-length", 0))))
        answer = self.server.sink._take(request)
        with suppress(ConnectionError):  # the client is gone
            self.send_response(answer.status)
            for name, value in {"Content-Type": request.kind, "Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

    def log_message(self, *args: object) -> None:
        """Say nothing on standard error."""
