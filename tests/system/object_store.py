"""An S3 server on the loopback, in Go, from the module that `make s3` built: killed and started again, its objects stay on disk."""

import subprocess
import time
import urllib.request
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numbered
from conftest import ROOT
from engine import missing

from otel_bridge.collector.process import free_port

PROGRAM = ROOT / ".cache/bin/gofakes3"
BUCKET = "otel-bridge"
NAMES = {"s3": "http://s3.amazonaws.com/doc/2006-03-01/"}


class ObjectStore:
    """The server: where it listens, what a collector must be told, and what is in its bucket, read as any S3 client reads."""

    def __init__(self, folder: Path) -> None:
        if not PROGRAM.exists():
            missing(".cache/bin/gofakes3 is missing; `make s3` builds it")
        self.folder, self.port = folder, free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
        place = {"OTEL_BRIDGE_S3_BUCKET": BUCKET, "OTEL_BRIDGE_S3_ENDPOINT": self.endpoint, "OTEL_BRIDGE_S3_FLUSH": "1s"}
        self.variables = {**place, **keys}
        folder.mkdir(parents=True)

    def start(self) -> None:
        words = [str(PROGRAM), "-backend", "fs", "-fs.create", "-fs.path", str(self.folder / "store")]
        words += ["-host", f"127.0.0.1:{self.port}", "-initialbucket", BUCKET]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + 30
        while time.monotonic() < until and self.process.poll() is None:
            try:
                self.objects()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text(errors="replace")[-2000:])

    def kill(self) -> None:
        """kill -9, as at the end of a test; nothing when it does not run."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def objects(self, prefix: str = "") -> list[str]:
        """Names of all objects, in order; the listing comes in pages."""
        names, more = [], ""
        while True:
            url = f"{self.endpoint}/{BUCKET}?list-type=2&prefix={prefix}{more}"
            with urllib.request.urlopen(url, timeout=10) as answer:
                page = ElementTree.fromstring(answer.read())
            names += [found.text or "" for found in page.findall("s3:Contents/s3:Key", NAMES)]
            token = page.findtext("s3:NextContinuationToken", "", NAMES)
            if not token:
                return sorted(names)
            more = f"&continuation-token={token}"

    def numbers(self) -> Counter[int]:
        """How often each number stands in the objects."""
        found: Counter[int] = Counter()
        for name in self.objects():
            with urllib.request.urlopen(f"{self.endpoint}/{BUCKET}/{name}", timeout=10) as answer:
                found.update(numbered.in_gzip(answer.read()))
        return found
