"""The exception tree; nothing of it ever reaches a host program.

BridgeError
 +-- SchemaError      a declaration that cannot be kept: carries every mistake found
 +-- SettingsError    a setting that cannot be understood
 +-- DeliveryError    something that keeps a sender from sending at all
 +-- CollectorError   a collector that cannot be found or started
"""


class BridgeError(Exception):
    """Anything that an `otel-bridge` command answers with one line and exit code 1."""


class SchemaError(BridgeError):
    """A declaration that cannot be kept; its text has one line a mistake."""


class SettingsError(BridgeError):
    """A setting that cannot be understood."""


class DeliveryError(BridgeError):
    """Something that keeps a sender from sending at all."""


class CollectorError(BridgeError):
    """A collector that cannot be found or started."""
