"""Sentry's SDK: its EventScrubber with the default deny-list, recursive, over what its transport is handed.

Used: an event with the text as message, as an exception's value and as an extra (`text`), and an event with the secret under its
natural name in extra, as it is and nested, where the deny-list looks (`key`).
"""

import json
import sys
from importlib.metadata import version

import sentry_sdk
from child import serve
from sentry_sdk.envelope import Envelope
from sentry_sdk.scrubber import EventScrubber
from sentry_sdk.transport import Transport

KEPT: list[str] = []


class Keeping(Transport):
    """A transport that keeps what it should send."""

    def capture_envelope(self, envelope: Envelope) -> None:
        KEPT.append(json.dumps(envelope.get_event(), ensure_ascii=False, default=str))


def main() -> None:
    """Answer every line."""
    scrubber = EventScrubber(recursive=True)
    sentry_sdk.init(
        dsn="http://key@127.0.0.1:1/1", transport=Keeping, event_scrubber=scrubber, default_integrations=False, server_name="here"
    )

    def told() -> str:
        found = " ".join(KEPT)
        KEPT.clear()
        assert found, "nothing was captured"
        return found

    def scrub(text: str, secret: str, label: str) -> dict[str, str]:
        problem = {"values": [{"type": "ValueError", "value": text}]}
        sentry_sdk.capture_event({"message": text, "exception": problem, "extra": {"detail": text}})
        by_text = told()
        sentry_sdk.capture_event({"message": "failed", "extra": {label: secret, "settings": {label: secret}}})
        return {"text": by_text, "key": told()}

    serve({"sentry-sdk": version("sentry-sdk")}, scrub)


if __name__ == "__main__":
    sys.exit(main())
