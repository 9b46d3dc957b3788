"""ClickHouse's engine behind its HTTP interface, as far as its Go client uses that: server.py PORT FOLDER, run where chdb is installed.

The engine is ClickHouse itself (chDB), in this process, its tables in FOLDER; what reads requests is ours, for no package has the
server. Results go out as Native blocks of revision 0, which the first answer, to the client's greeting, asks it to read.
"""

import struct
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from chdb.session import Session

GREETING = "SELECT displayName(), version(), revision(), timezone()"
ONE_AT_A_TIME = threading.Lock()


def text(value: str) -> bytes:
    return bytes([len(value)]) + value.encode()  # all are shorter than 128 bytes


def greeting(version: str) -> bytes:
    """One block of the client's own revision: block info, two counts, and of each column its name, type, serialization and value."""
    columns = [("displayName()", "String", text("chdb")), ("version()", "String", text(version))]
    columns += [("revision()", "UInt32", struct.pack("<I", 0)), ("timezone()", "String", text("UTC"))]
    info = bytes([1, 0, 2]) + struct.pack("<i", -1) + bytes([0])
    parts = (text(name) + text(kind) + bytes([0]) + value for name, kind, value in columns)
    return info + bytes([len(columns), 1]) + b"".join(parts)


class Handler(BaseHTTPRequestHandler):
    """POST: a statement in the body, or in `query` with rows in the body; GET: a statement in `query`."""

    protocol_version = "HTTP/1.1"
    session: Session

    def do_GET(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.answer(self.body())

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def answer(self, body: bytes) -> None:
        told = dict(parse_qsl(urlsplit(self.path).query))
        try:
            with ONE_AT_A_TIME:
                status, found = 200, self.carry_out(told, body)
        except Exception as error:
            status, found = 500, str(error).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(found)))
        self.end_headers()
        self.wfile.write(found)

    def carry_out(self, told: dict[str, str], body: bytes) -> bytes:
        statement = told.get("query") or body.decode()
        if statement == GREETING:
            return greeting(self.session.query("SELECT version()", "TSVRaw").data().strip())
        if "query" in told and body:
            with tempfile.NamedTemporaryFile(suffix=".native") as rows:
                rows.write(body)
                rows.flush()
                target = statement.rpartition(" FORMAT ")[0]
                self.session.query(f"{target} SELECT * FROM file('{rows.name}', 'Native')")
            return b""
        return self.session.query(statement, told.get("default_format", "TSVRaw")).bytes()

    def log_message(self, *words: object) -> None:
        pass


if __name__ == "__main__":
    Handler.session = Session(sys.argv[2])
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
