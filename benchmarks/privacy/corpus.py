"""A corpus of error messages, each with one private thing in it: made of a seed, always the same, nobody's real data."""

from hashlib import blake2b
from random import Random
from typing import NamedTuple

from kinds import KINDS

EACH = 100  # strings of a class
MESSAGES = (
    "error: could not read {x}: permission denied",
    "fatal: unable to access '{x}': the requested resource was not found",
    "Traceback (most recent call last): ValueError: bad input {x!s}",
    "usage: tool sync [--force] TARGET; unexpected argument {x}",
    "warning: retrying ({x}) after connection reset, 3 attempts left",
    "cannot open {x} for writing: read-only file system",
    "FileNotFoundError: [Errno 2] No such file or directory: '{x}'",
    "invalid value for '--config': {x} does not exist",
    "Post {x}: dial tcp: lookup failed: no such host",
    "build failed while resolving {x} (exit status 128)",
    "permission denied (publickey) while talking to {x}",
    "step 4/9: RUN make deploy -- {x} -- returned a non-zero code: 2",
    "could not authenticate with {x}; check your settings",
    "deprecated option in line 17: {x}",
    "KeyError: {x}",
    "assertion failed: expected 'ok', got '{x}'",
    "lock held by {x}, waiting",
    "panic: runtime error near {x} [recovered]",
    "unable to parse {x} as a number",
    "checksum mismatch for {x}: the download is damaged",
    "plugin crashed with argument {x} after 3.2 seconds",
    "skipping {x}: it has no manifest",
    "404 Not Found: {x}",
    "subprocess exited with 1: /usr/bin/env tool {x}",
    '{{"level":"error","msg":"request failed","detail":"{x}"}}',
    "timeout after 30 s waiting for {x}",
    "conflict: both sides have changed {x}",
    "refusing to overwrite {x} without --yes",
)


class Entry(NamedTuple):
    """One string of the corpus; `label` is the key under which an author would log the secret alone."""

    kind: str
    secret: str
    text: str
    label: str


def corpus(each: int = EACH, seed: int = 20) -> list[Entry]:
    """`each` entries of every class, class by class."""
    found: dict[Entry, None] = {}
    for at, (kind, (label, carriers, make)) in enumerate(KINDS.items()):
        r = Random(f"{seed} {kind}")
        while len(found) < each * (at + 1):
            secret = make(r)
            text = r.choice(MESSAGES).format(x=r.choice(carriers).replace("{}", secret))
            found[Entry(kind, secret, text, label)] = None
    return list(found)


def digest(entries: list[Entry]) -> str:
    """Which corpus it is: a hash of all of it."""
    return blake2b(repr([tuple(entry) for entry in entries]).encode(), digest_size=8).hexdigest()
