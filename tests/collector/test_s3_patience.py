"""How long the S3 sink waits: so many attempts as its head says, and one batch at a time."""

import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from conftest import ROOT
from ledger import post, record, request, until

from otel_bridge.collector.process import running

LOST = "Exporting failed. Dropping data"


@contextmanager
def down() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """An S3 endpoint that answers 503 to everything: its URL, and the objects that it was asked to take, by whose key."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, self.headers["Authorization"].partition("Credential=")[2].partition("/")[0]))
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()


def test_a_batch_has_a_hundred_retries_and_the_next_one_none(tmp_path: Path) -> None:
    """The bucket of tokens behind `# lost:` of sinks/s3.yaml, with 10 ms in the place of its 30 minutes between attempts: 101
    attempts of the first batch, one of the second, each then dropped and logged. 48 of them would be 24 hours.
    """
    config = shutil.copytree(ROOT / "collector-config", tmp_path / "config", ignore=shutil.ignore_patterns("__pycache__"))
    file = config / "sinks/s3.yaml"
    text, changed = re.subn(r"(?m)^( +retry_max_backoff: )30m$", r"\g<1>10ms", file.read_text())
    assert (changed, "num_consumers: 1 " in text) == (1, True)
    file.write_text(text)
    with down() as (url, asked):
        keys = {"OTEL_BRIDGE_S3_BUCKET": "events"}
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):  # no YAML reads these; they may stand in files like any secret
            (tmp_path / name).write_text(f"{name}-held\n")
            keys |= {name: "", f"{name}_FILE": str(tmp_path / name)}
        told = {"OTEL_BRIDGE_SINK": "s3", "OTEL_BRIDGE_S3_ENDPOINT": url, "OTEL_BRIDGE_S3_FLUSH": "100ms", **keys}
        with running(tmp_path / "intake", {**told, "OTEL_BRIDGE_COLLECTOR_CONFIG": str(config)}) as intake:
            for number, attempts in enumerate((101, 102)):
                assert post(intake, request([record(number)])) == 200
                until(lambda dropped=number + 1: intake.log.read_text().count(LOST) == dropped)
                assert (len(asked), len(set(asked))) == (attempts, number + 1)
    assert {key for _, key in asked} == {"AWS_ACCESS_KEY_ID-held"}
