"""The exception tree, and where an exception ends that must not reach a host program.

BridgeError
 +-- SchemaError      a declaration that cannot be kept: carries every mistake found
 +-- SettingsError    a setting that cannot be understood
 +-- DeliveryError    something that keeps a sender from sending at all
 |    +-- ChoiceChangedError  the person has chosen otherwise while it was at work
 +-- CollectorError   a collector that cannot be found or started
"""

import os
import sys


class BridgeError(Exception):
    """Anything that an `otel-bridge` command answers with one line and exit code 1."""


class SchemaError(BridgeError):
    """A declaration that cannot be kept; its text has one line a mistake."""


class SettingsError(BridgeError):
    """A setting that cannot be understood."""


class DeliveryError(BridgeError):
    """Something that keeps a sender from sending at all."""


class ChoiceChangedError(DeliveryError):
    """The person has chosen otherwise while a sender was at work."""


class CollectorError(BridgeError):
    """A collector that cannot be found or started."""


def swallow(problem: BaseException) -> None:
    """Keep a failure of ours away from the host program; `OTEL_BRIDGE_DEBUG=1` shows it on standard error."""
    try:
        if os.environ.get("OTEL_BRIDGE_DEBUG", "") not in ("", "0") and sys.stderr is not None:
            sys.stderr.write(f"otel-bridge: {type(problem).__name__}: {problem}\n")
    except Exception:  # a closed stream, or a problem that cannot be told
        pass
