"""A sink on the loopback interface that takes whatever a library posts, over HTTP and gRPC, and counts words in it.

A program of its own, so that what it costs is not the cost of what is measured. It prints one line of JSON with its ports, and
ends when its standard input does. `GET /_count?word=W&below=/path` tells how many requests came below a path, their bytes, and
how often W stands in them; `GET /_forget` drops what came so far.
"""

import gzip
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

came: list[tuple[str, int, bytes]] = []  # path, bytes on the wire, body as it was before compression


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or head and body of an answer are 40 ms apart

    def do_POST(self) -> None:
        body = b"".join(self._chunks()) if self.headers.get("Transfer-Encoding") == "chunked" else self._body()
        plain = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        came.append((self.path, len(body), plain))
        protobuf = "protobuf" in self.headers.get("Content-Type", "")
        self._answer("application/x-protobuf" if protobuf else "application/json", b"" if protobuf else b"{}")

    do_PUT = do_POST  # noqa: N815

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        if where.path == "/_count":
            asked = parse_qs(where.query)
            self._answer("application/json", json.dumps(count(asked["word"][0], asked.get("below", ["/"])[0])).encode())
        elif where.path == "/_forget":
            came.clear()
            self._answer("application/json", b"{}")
        else:
            came.append((self.path, len(self.path), b""))
            self._answer("application/json", b"{}")

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, *args: object) -> None:
        """A client that was killed is no news."""


def count(word: str, below: str) -> dict[str, int]:
    """Requests below a path, their bytes on the wire, and how often a word stands in them."""
    found = [one for one in list(came) if one[0].startswith(below)]
    times = sum(body.count(word.encode()) + path.count(word) for path, _, body in found)
    return {"requests": len(found), "bytes": sum(size for _, size, _ in found), "count": times}


def listening() -> tuple[Any, int]:
    """A gRPC server that takes any call of one message and answers with an empty one; and its port."""
    import grpc

    class _Taker(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, details: Any) -> Any:
            def take(message: bytes, context: object) -> bytes:
                came.append((details.method, len(message), message))
                return b""

            return grpc.unary_unary_rpc_method_handler(take)

    server = grpc.server(ThreadPoolExecutor(4), handlers=[_Taker()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def main() -> None:
    """Listen, say where, and go on until standard input ends."""
    http = _Server(("127.0.0.1", 0), _Handler)
    Thread(target=http.serve_forever, daemon=True).start()
    grpc, port = listening()
    print(json.dumps({"http": http.server_port, "grpc": port}), flush=True)
    sys.stdin.read()
    grpc.stop(0)


if __name__ == "__main__":
    main()
