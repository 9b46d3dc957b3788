"""Post a body over HTTP with nothing but our own headers, in bounded time, and read a bounded answer.

Left alone, `requests` adds a netrc password, cookies and the user's certificates, follows redirects, and reads an answer for as
long and as far as it goes.
"""

import gzip
import ssl
import zlib
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import HTTPError

from .. import __version__
from .deadline import RESETTING, Deadline, pools, secure

MOST = 64 << 10  # bytes of an answer, unpacked; a partial success has some 100


class BoundedAdapter(HTTPAdapter):
    """Connections that keep to a deadline and, when they are closed, take back what has not been delivered yet."""

    def __init__(self, deadline: Deadline, context: ssl.SSLContext | None) -> None:
        self.pools, self.context = pools(deadline), context
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pool of direct connections."""
        super().init_poolmanager(*args, **kwargs, socket_options=RESETTING, ssl_context=self.context)
        self.poolmanager.pool_classes_by_scheme = self.pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Make the pool of connections through a proxy; one of SOCKS brings its own, whose single reads alone are bounded."""
        made = super().proxy_manager_for(proxy, **kwargs, socket_options=RESETTING, ssl_context=self.context)
        if not proxy.lower().startswith("socks"):
            made.pool_classes_by_scheme = self.pools
        return made

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Whom to trust stands in the context already."""
        conn.cert_reqs = "CERT_REQUIRED"


class GuardedSession(requests.Session):
    """A session whose requests carry our own headers and nothing else, and which keeps the last answer or error.

    The exporter that uses it is told of a success whatever came: of an error it would say so in a log, and of some it would
    try again for as long as its timeout lasts.
    """

    def __init__(
        self, headers: dict[str, str], kind: str, context: ssl.SSLContext | None, timeout: float, packed: bool = False
    ) -> None:
        super().__init__()
        self.trust_env = False  # no netrc, no REQUESTS_CA_BUNDLE; proxies are asked for below
        self.deadline, self.timeout, self.packed = Deadline(), timeout, packed
        if context is not None:
            secure(context, self.deadline)
        adapter = BoundedAdapter(self.deadline, context)
        for scheme in ("https://", "http://"):
            self.mount(scheme, adapter)
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.ours = {**headers, "Content-Type": kind, "User-Agent": f"otel-bridge/{__version__}"}
        self.passed_on = False  # whether a proxy saw the last request, and may have answered in the server's place
        self.kept = False  # whether a connection may still be open from the request before
        self.begin()

    def begin(self) -> None:
        """Forget the last answer."""
        self.last: requests.Response | None = None
        self.content: bytes | None = b""
        self.error: Exception | None = None
        self.body = self.wire = b""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a prepared request with the headers replaced, and keep the answer; returns an empty success."""
        self.begin()
        self.deadline.begin(self.timeout)
        self.body = request.body if isinstance(request.body, bytes) else b""
        try:
            self._ask(request)
            if self.packed and self.last is not None and self.last.status_code in (400, 415):
                self.packed = False  # it may be the packing: plain from now on, and nothing is concluded from that answer
                self._ask(request)
        except Exception as problem:
            self.last, self.error = None, problem
        told = requests.Response()
        told.status_code, told._content = 200, b""
        return told

    def _ask(self, request: requests.PreparedRequest) -> None:
        """Ask once; twice when a connection that was kept open turns out to be closed."""
        self.last = None
        self.wire = gzip.compress(self.body, mtime=0) if self.packed else b""
        request.body = self.wire or self.body
        request.headers.clear()
        request.headers.update(self.ours)
        request.headers["Content-Length"] = str(len(request.body))
        if self.packed:
            request.headers["Content-Encoding"] = "gzip"
        proxies = get_environ_proxies(request.url or "", no_proxy=None)
        self.passed_on = bool(select_proxy(request.url or "", proxies)) and (request.url or "").startswith("http://")
        kwargs: dict[str, Any] = {"stream": True, "timeout": self.timeout, "verify": True, "cert": None, "proxies": proxies}
        kept, self.kept = self.kept, True
        adapter = self.get_adapter(request.url or "")  # and not by `Session.send`, which reads all that comes with a redirect
        try:
            answer = adapter.send(request, **kwargs)
        except requests.ConnectionError:
            if not kept:
                raise
            answer = adapter.send(request, **kwargs)
        self.content = _read(answer)
        self.last = answer


def _read(answer: requests.Response) -> bytes | None:
    """An answer's body, to its end so that the connection can be kept; None for what is too long, or cannot be unpacked."""
    raw = answer.raw
    found = b""
    try:
        while len(found) <= MOST and (more := raw.read(MOST + 1 - len(found), decode_content=False)):
            found += more
    except (HTTPError, OSError):
        raw.close()
        if 200 <= answer.status_code < 300:  # what it said of the records is not known
            raise
        return b""
    if len(found) > MOST:
        raw.close()
        return None
    raw.release_conn()
    return _unpacked(found) if "gzip" in answer.headers.get("Content-Encoding", "").lower() else found


def _unpacked(found: bytes) -> bytes | None:
    """What was packed though nobody has asked for it; None for a bomb, half a body, or no gzip at all."""
    unpacker = zlib.decompressobj(31)
    try:
        unpacked = unpacker.decompress(found, MOST)
    except zlib.error:
        return None
    return unpacked if unpacker.eof else None
