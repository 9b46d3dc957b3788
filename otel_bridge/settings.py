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
        *("client_cert_file", "OTEL_BRIDGE_CLIENT_CERT_FILE", "", "path"),
        "Certificate, and those that lead to its authority, by which the sender says to a server who it is.",
    ),
    Setting("client_key_file", "OTEL_BRIDGE_CLIENT_KEY_FILE", "", "path", "Its key, if that is not in the same file."),
    Setting(
        "collector_config", "OTEL_BRIDGE_COLLECTOR_CONFIG", "", "path", "Folder of the collector's YAML, if not `collector-config`."
    ),
    Setting("compression", "OTEL_BRIDGE_COMPRESSION", "none", "word", "How the sender packs a request: `none` or `gzip`."),
    Setting("debug", "OTEL_BRIDGE_DEBUG", "0", "flag", "Show our own failures on standard error."),
    Setting("detach", "OTEL_BRIDGE_DETACH", "1", "flag", "Whether a run may start a sender in the background; 0 never does."),
    Setting("drain_every", "OTEL_BRIDGE_DRAIN_EVERY", "3600", "seconds", "Shortest time between two senders; 0 is after each run."),
    Setting("endpoint", "OTEL_BRIDGE_ENDPOINT", "", "url", "Where telemetry goes, instead of the product's own endpoint."),
    Setting("headers", "OTEL_BRIDGE_HEADERS", "", "pairs", "Headers that the sender adds, as `key=value,key=value`."),
    Setting("otelcol", "OTEL_BRIDGE_OTELCOL", "", "path", "A collector binary to use instead of `.cache/otelcol-bridge`."),
    Setting(
        "overlay",
        "OTEL_BRIDGE_OVERLAY",
        "none",
        "word",
        "Overlay of `collector run`: a file of `overlays` or `scale`.",
    ),
    Setting(
        *("product", "OTEL_BRIDGE_PRODUCT", "", "word"),
        "Product, or package, whose declaration holds for the exporters `otel_bridge` of a program on the OTel SDK.",
    ),
    Setting(
        *("protocol", "OTEL_BRIDGE_PROTOCOL", "http/protobuf", "word"),
        "What the sender speaks: `http/protobuf`, `http/json` or `grpc`.",
    ),
    Setting("sink", "OTEL_BRIDGE_SINK", "file", "word", "Sink of `collector run`: a file of `collector-config/sinks`."),
    Setting("sink_2", "OTEL_BRIDGE_SINK_2", "none", "word", "A second sink beside the first."),
    Setting(
        "spool_bytes", "OTEL_BRIDGE_SPOOL_BYTES", str(8 << 20), "bytes", "What may wait to be sent, a product; the oldest goes."
    ),
    Setting("spool_days", "OTEL_BRIDGE_SPOOL_DAYS", "30", "days", "How long it may wait."),
    Setting("timeout", "OTEL_BRIDGE_TIMEOUT", "10", "seconds", "Longest time for one request, its answer included."),
)


def setting(name: str) -> str:
    """The value of a setting: its environment variable when that is set and not empty, else its default."""
    row = next(row for row in ROWS if row.name == name)
    return os.environ.get(row.variable) or row.default


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return next(row.variable for row in ROWS if row.name == name)


def seconds(name: str) -> float:
    """A setting of kind `seconds` as a number above 0 and up to a day; raises SettingsError for anything else."""
    text = setting(name)
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= 86400:  # nan is not either
        raise SettingsError(f"{variable(name)}: {text!r} is no time; write a number of seconds, as 10 or 2.5")
    return found


def word(name: str, known: tuple[str, ...]) -> str:
    """A setting that is one of a few words; raises SettingsError, which names them, for any other."""
    text = setting(name)
    if text not in known:
        raise SettingsError(f"{variable(name)}: {text!r} is not known here; write `{'`, `'.join(known[:-1])}` or `{known[-1]}`")
    return text


def pairs(name: str) -> dict[str, str]:
    """A setting of kind `pairs` as a dict; raises SettingsError for an entry without `=`."""
    found = {}
    for entry in filter(None, (part.strip() for part in setting(name).split(","))):
        key, equals, value = entry.partition("=")
        if not equals or not key.strip():
            raise SettingsError(f"{variable(name)}: an entry is not `key=value`; write `name=value,name=value`")
        found[key.strip()] = value.strip()
    return found
