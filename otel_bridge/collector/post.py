"""Post a body to an OTLP/HTTP endpoint until it is taken, and wait until its sinks have it."""

import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from ..errors import DeliveryError
from .counters import Counters, Key

_AGAIN = (429, 502, 503, 504)


class Target:
    """An OTLP/HTTP endpoint that is asked again until it takes a request, or until `patience` seconds brought no answer."""

    def __init__(self, endpoint: str, patience: float, headers: Mapping[str, str], ca_file: str = "") -> None:
        self.patience = patience
        self._url = urlsplit(endpoint)
        self._headers = {"Content-Type": "application/json", **headers}
        self._trusted = ssl.create_default_context(cafile=ca_file or None) if self._url.scheme == "https" else None
        self._connection: http.client.HTTPConnection | None = None

    def post(self, signal: str, body: bytes) -> tuple[int, int]:
        """The status that decides, 200 or one that no repetition changes, and how often it was asked again.

        Raises DeliveryError when none comes.
        """
        until = time.monotonic() + self.patience
        pause, again = 0.05, 0
        while True:
            status = self._once(signal, body)
            if status not in (0, *_AGAIN):
                return status, again
            if time.monotonic() >= until:
                said = f"answers {status}" if status else "does not answer"
                raise DeliveryError(
                    f"{self._url.netloc} {said} for {self.patience:g} s; what it took is kept, the rest goes on later"
                )
            time.sleep(pause)
            again += 1
            pause = min(2.0, pause * 2)

    def _once(self, signal: str, body: bytes) -> int:
        if self._connection is None:
            if self._trusted is not None:
                self._connection = http.client.HTTPSConnection(self._url.netloc, timeout=30, context=self._trusted)
            else:
                self._connection = http.client.HTTPConnection(self._url.netloc, timeout=30)
        try:
            self._connection.request("POST", f"{self._url.path.rstrip('/')}/v1/{signal}", body, self._headers)
            answer = self._connection.getresponse()
            answer.read(65536)
            if answer.will_close:
                self.close()
            return answer.status
        except (OSError, http.client.HTTPException):
            self.close()
            return 0

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def drained(scrape: Callable[[], Counters], owed: Mapping[Key, int], patience: float) -> Counters:
    """Wait until every exporter has sent or given up what it was given, or `patience` seconds brought it no further.

    The size of the queue alone would not do: it is 0 while a batch that has left it is being tried again.
    """
    until, last = time.monotonic() + patience, Counters()
    while True:
        found = scrape()
        if not any(number > 0 for number in found.left(owed).values()) and not any(found.waiting.values()):
            return found
        if found.sent != last.sent or found.failed != last.failed:
            until, last = time.monotonic() + patience, found
        if time.monotonic() >= until:
            return found
        time.sleep(0.2)


def settled(scrape: Callable[[], Counters]) -> Counters:
    """The counters once no request is under way any more: one that was broken off may still be taken a moment later."""
    found = scrape()
    while True:
        time.sleep(0.2)
        last, found = found, scrape()
        if found.taken == last.taken:
            return found
