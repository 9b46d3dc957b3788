"""Numbered records, what was acknowledged of them, what each sink has, and an HEC endpoint that answers as it is told."""

import gzip
import json
import os
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep, time
from typing import Any

import pytest
from conftest import uid

from otel_bridge.collector.process import Running
from otel_bridge.export import spool

RESOURCE = {"service.name": "kitchen", "service.version": "1.2.3", "os.type": "linux"}


def attribute(key: str, value: Any) -> dict:
    kind = {bool: "boolValue", int: "intValue", float: "doubleValue"}.get(type(value), "stringValue")
    return {"key": key, "value": value if isinstance(value, dict) else {kind: str(value) if kind == "intValue" else value}}


def record(number: int, event: str = "kitchen.create", **more: Any) -> dict:
    """A log record of kitchen whose uid is its number."""
    fields = {"log.record.uid": f"{number:08x}-0000-4000-8000-000000000000", **more}
    return {
        "timeUnixNano": str(int(time()) * 10**9),
        "eventName": event,
        "body": {"stringValue": event},
        "attributes": [attribute(key, value) for key, value in fields.items()],
    }


def request(records: Iterable[dict], resource: dict[str, Any] | None = None) -> bytes:
    """A request of OTLP/JSON."""
    held = [attribute(key, value) for key, value in {**RESOURCE, **(resource or {})}.items()]
    scope = {"scope": {"name": "otel_bridge"}, "logRecords": list(records)}
    return json.dumps({"resourceLogs": [{"resource": {"attributes": held}, "scopeLogs": [scope]}]}).encode()


def post(intake: Running, body: bytes, **headers: str) -> int:
    """The status that a body gets; 0 when there was no answer."""
    told = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(f"{intake.endpoint}/v1/logs", body, told, method="POST"), timeout=30
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as problem:
        with problem:
            return problem.code
    except OSError:
        return 0


@dataclass
class Ledger:
    """Which numbers were sent, and which the intake acknowledged."""

    sent: int = 0
    acknowledged: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)

    def send(self, intake: Running, records: int) -> int:
        """Post the next numbers in one request; returns the status."""
        batch = [record(self.sent + at) for at in range(records)]
        self.sent += records
        status = post(intake, request(batch))
        self.statuses[status] += 1
        if status == 200:
            self.acknowledged |= {one["attributes"][0]["value"]["stringValue"] for one in batch}
        return status

    def lost(self, seen: Counter[str]) -> set[str]:
        return self.acknowledged - set(seen)


def duplicates(seen: Counter[str]) -> int:
    """How many records a sink has more than once, each counted as often as it is too many."""
    return sum(seen.values()) - len(seen)


def in_files(folder: Path) -> Counter[str]:
    """The uids in a file sink's folder, rotated files as well, glued documents taken apart."""
    return Counter(uid(item) for file in folder.glob("logs*.jsonl") for item in spool.read(file, "logs")[0])


def stored(intake: Running) -> bytes:
    """Everything in the files of its file sink."""
    return b"".join(file.read_bytes() for file in intake.files.iterdir())


def until(holds: Any, patience: float = 60) -> None:
    """Wait until something holds, or give up and let the assertion say what is wrong."""
    end = monotonic() + patience
    while not holds() and monotonic() < end:
        sleep(0.1)


@dataclass
class Splunk:
    """What stands in Splunk's place: it answers as told, and keeps the events it took, with the headers of their requests."""

    url: str
    answer: tuple[int, dict[str, str]] = (200, {})
    events: list[dict] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    refused: int = 0

    @property
    def variables(self) -> dict[str, str]:
        return {"OTEL_BRIDGE_SPLUNK_URL": self.url, "OTEL_BRIDGE_SPLUNK_TOKEN": "a-token"}

    def seen(self) -> Counter[str]:
        return Counter(event["fields"]["log.record.uid"] for event in list(self.events) if "log.record.uid" in event["fields"])


def certificate(folder: Path) -> dict[str, str]:
    """The variables of a certificate for the loopback that signed itself, and of its key."""
    if not shutil.which("openssl"):
        assert not os.environ.get("CI"), "openssl is missing; `make system-deps` installs it on Debian"
        pytest.skip("openssl is missing; `make system-deps` installs it on Debian")
    cert, key = folder / "cert.pem", folder / "key.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    words = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        *names,
        "-keyout",
        str(key),
        "-out",
        str(cert),
    ]
    subprocess.run(words, check=True, capture_output=True)
    return {"OTEL_BRIDGE_TLS_CERT": str(cert), "OTEL_BRIDGE_TLS_KEY": str(key)}


@contextmanager
def splunk() -> Iterator[Splunk]:
    """Start it on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            status, headers = told.answer
            if status == 200:
                told.headers.append(dict(self.headers.items()))
                told.events += documents(body.decode())
            else:
                told.refused += 1
            answer = b'{"text":"Success","code":0}' if status == 200 else b'{"text":"no","code":9}'
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told = Splunk(f"http://127.0.0.1:{server.server_address[1]}/services/collector")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def documents(text: str) -> list[dict]:
    """HEC's body: JSON objects one behind the other."""
    found, at, decoder = [], 0, json.JSONDecoder()
    while at < len(text):
        one, at = decoder.raw_decode(text, at)
        found.append(one)
        while at < len(text) and text[at].isspace():
            at += 1
    return found
