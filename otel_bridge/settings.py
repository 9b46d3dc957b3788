"""One row per setting: its name, its environment variable, its default, its type and one sentence; nothing hot reads it."""

import os
from dataclasses import dataclass

from .errors import SettingsError


@dataclass(frozen=True)
class Setting:
    """A row: `kind` is `url`, `pairs`, `path`, `flag`, `seconds`, `bytes`, `days` or `word`."""

    name: str
    variable: str
    default: str
    kind: str
    sentence: str


ROWS = (
    Setting("ca_file", "OTEL_BRIDGE_CA_FILE", "", "path", "Certificates that the sender trusts instead of the public ones."),
    Setting(
        "collector_config", "OTEL_BRIDGE_COLLECTOR_CONFIG", "", "path", "Folder of the collector's YAML, if not `collector-config`."
    ),
    Setting("debug", "OTEL_BRIDGE_DEBUG", "0", "flag", "Show our own failures on standard error."),
    Setting("detach", "OTEL_BRIDGE_DETACH", "1", "flag", "Whether a run may start a sender in the background; 0 never does."),
    Setting("drain_every", "OTEL_BRIDGE_DRAIN_EVERY", "3600", "seconds", "Shortest time between two senders; 0 is after each run."),
    Setting("endpoint", "OTEL_BRIDGE_ENDPOINT", "", "url", "Where telemetry goes, instead of the product's own endpoint."),
    Setting("headers", "OTEL_BRIDGE_HEADERS", "", "pairs", "Headers that the sender adds, as `key=value,key=value`."),
    Setting("otelcol", "OTEL_BRIDGE_OTELCOL", "", "path", "A collector binary to use instead of `.cache/otelcol-bridge`."),
    Setting("overlay", "OTEL_BRIDGE_OVERLAY", "none", "word", "Overlay of `collector run`: a file of `collector-config/overlays`."),
    Setting(
        *("product", "OTEL_BRIDGE_PRODUCT", "", "word"),
        "Product, or package, whose declaration holds for the exporters `otel_bridge` of a program on the OTel SDK.",
    ),
    Setting("protocol", "OTEL_BRIDGE_PROTOCOL", "http/protobuf", "word", "What the sender speaks: `http/protobuf` or `grpc`."),
    Setting("sink", "OTEL_BRIDGE_SINK", "file", "word", "Sink of `collector run`: a file of `collector-config/sinks`."),
    Setting("sink_2", "OTEL_BRIDGE_SINK_2", "none", "word", "A second sink beside the first."),
    Setting(
        "spool_bytes", "OTEL_BRIDGE_SPOOL_BYTES", str(8 << 20), "bytes", "What may wait to be sent, a product; the oldest goes."
    ),
    Setting("spool_days", "OTEL_BRIDGE_SPOOL_DAYS", "30", "days", "How long it may wait."),
)


def setting(name: str) -> str:
    """The value of a setting: its environment variable when that is set and not empty, else its default."""
    row = next(row for row in ROWS if row.name == name)
    return os.environ.get(row.variable) or row.default


def pairs(name: str) -> dict[str, str]:
    """A setting of kind `pairs` as a dict; raises SettingsError for an entry without `=`."""
    found = {}
    for entry in filter(None, (part.strip() for part in setting(name).split(","))):
        key, equals, value = entry.partition("=")
        if not equals or not key.strip():
            variable = next(row.variable for row in ROWS if row.name == name)
            raise SettingsError(f"{variable}: an entry is not `key=value`; write `name=value,name=value`")
        found[key.strip()] = value.strip()
    return found
