"""What no product may declare: keys that name a person, a machine or a text, or steer a sink; values that the collector masks."""

import re

RESERVED = {
    "client.": "an address of the person",
    "com.splunk.": "what steers Splunk: index, source and token",
    "device.id": "an id of the machine",
    "enduser.": "the person",
    "exception.message": "free text",
    "exception.stacktrace": "free text; the policy `frames` keeps its public part, under a key of your own",
    "geo.": "where the person is",
    "host.id": "an id of the machine",
    "host.ip": "an address of the machine",
    "host.mac": "an address of the machine",
    "host.name": "the machine",
    "log.": "what OpenTelemetry says of the record itself",
    "network.local.address": "an address of the machine",
    "network.peer.address": "an address",
    "otel_bridge.": "what otel-bridge says itself",
    "process.args": "what the person typed",
    "process.command": "what the person typed",
    "process.executable.path": "a path of the machine",
    "process.owner": "the person",
    "process.parent_pid": "a number that links records",
    "process.pid": "a number that links records",
    "process.working_directory": "a path of the machine",
    "server.address": "a machine",
    "service.instance.id": "an id of the machine",
    "source.": "an address of the person",
    "url.full": "free text",
    "url.path": "free text",
    "url.query": "free text",
    "user.": "the person",
    "user_agent.original": "free text",
}


def reserved(key: str) -> str:
    """What is reserved about a key; empty when nothing is. A row ending in a dot is a name space, others hold with what follows."""
    for row, why in RESERVED.items():
        if key == row or key.startswith(row if row.endswith(".") else (row + ".", row + "_")):
            return why
    return ""


MASKS = (  # of the collector's second wall; the same in RE2 and here
    r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
    r"(?:/home/|/Users/|/root|[A-Za-z]:\\Users\\)[^/\\\s]*",
    r"\b(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}\b",
    r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AKIA|ASIA|sk-|eyJ)[A-Za-z0-9_-]{10,}",
    r"[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@",
)


def masked(value: str) -> bool:
    """Whether the collector would mask a part of a value."""
    return any(re.search(mask, value) for mask in MASKS)
