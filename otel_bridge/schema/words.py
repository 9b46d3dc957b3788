"""Say a declaration in words: what a policy leaves of a value, how often an event is told, and text that stays text in Markdown."""

import re
from datetime import UTC, datetime
from typing import Any

A_RUN, EVERYTHING = "One run of the command line.", "(every event and run)"
MANY = 8  # values that are named; the others are counted
MOST = 16  # members of a list
KEEPS = {
    "boolean": "true or false",
    "bucket": "the upper bound of its bucket: {0}",
    "count": "a whole number, at most {0}",
    "day": "the {0} of a moment, in UTC",
    "default_only": "the tool's own default ({0}), {1} when you named one",
    "drop": "nothing",
    "enum": "one of {0}, else {1}",
    "frames": "the last {1} places (module, function, line) in the standard library and these packages: {0}; others as private",
    "identifier": "a random id, another one every {0}",
    "pseudonym": "a keyed hash, another one every {0}; the key never leaves this machine",
    "registry": "a name of the public list {0}, else {1}",
    "version": "the first {0} of a version",
}
_NUMBERS = {1: "number", 2: "two numbers", 3: "three numbers"}
_MARKS = re.compile(r"([\\`*_\[\]|~#])")


def keeps(policy: str, parameters: tuple[Any, ...], kind: str = "string", identity: str = "", most: int = MANY) -> str:
    """What a policy leaves of a value.

    `kind` is the type of its attribute, `identity` how long the product's ids live, `most` how many values are named before the
    others are counted.
    """
    if policy == "identifier" and parameters[0] == "period" and identity:
        if identity == "none":
            return "nothing, for this product has no such ids"
        parameters = (identity,)
    if policy == "version":
        parameters = (_NUMBERS[parameters[0]], *parameters[1:])
    told = KEEPS[policy].format(*(_short(one, most) for one in parameters))
    if policy == "bucket" and len(parameters[0]) == 1:
        told = f"always {parameters[0][0]}"
    if policy == "enum" and parameters[0] in ((), "\n"):
        told = f"always {parameters[1]}"
    if policy == "version" and parameters[1]:
        told += f", only where {parameters[1]} is told by name"
    return f"{told}; a list of these, at most {MOST}" if kind == "string[]" and policy != "frames" else told


def _short(value: Any, most: int) -> str:
    if isinstance(value, str) and value[:1] == "\n":
        value = tuple(value.split("\n")[1:-1])
    if not isinstance(value, tuple):
        return str(value)
    more = f" and {len(value) - most} more" if len(value) > most else ""
    return (", ".join(map(str, value[:most])) or "none") + more


def sampled(rate: float) -> str:
    """How often an event is told, empty when always."""
    return f"in about {rate * 100:.3g} % of sessions" if rate < 1 else ""


def ended(program: str, paths: tuple[str, ...], most: int = MANY) -> str:
    """At the end of which commands of a program something is recorded, as a sentence in Markdown; empty for none."""
    named = [code(f"{program} {path}".rstrip()) for path in paths[:most]]
    named += [f"{len(paths) - most} more"] if len(paths) > most else []
    *first, last = named or [""]
    return f"Recorded at the end of {', '.join(first)}{' and ' if first else ''}{last}." if last else ""


def until(expires: int) -> str:
    """The date (UTC) from which an attribute is told no more; empty for none."""
    return datetime.fromtimestamp(expires, UTC).date().isoformat() if expires else ""


def text(said: object) -> str:
    """An author's words as one line of Markdown that means nothing but these words, in a table too."""
    plain = "".join(one for one in " ".join(str(said).split()) if one.isprintable())
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"^(\d*)([-+=.)])", r"\1\\\2", _MARKS.sub(r"\\\1", plain))


def code(said: object) -> str:
    """A name or a value as one Markdown code span, whatever is in it, in a table too."""
    plain = "".join(one for one in " ".join(str(said).split()) if one.isprintable())
    fence = "`" * (max(map(len, re.findall("`+", plain)), default=0) + 1)
    room = " " if "`" in plain else ""
    return f"{fence}{room}{plain}{room}{fence}".replace("|", "\\|")


def where(endpoint: str) -> str:
    """Where records go, and whether others on the way can read them."""
    if not endpoint:
        return "Nowhere, until `OTEL_BRIDGE_ENDPOINT` names a server"
    return f"To {code(endpoint)}{', without encryption' if endpoint.startswith('http:') else ''}"


def link(address: str) -> str:
    """An address as a Markdown link where it is one of the web, else as text."""
    return f"<{address}>" if re.fullmatch(r"https?://[!-~]+", address) and not set(address) & set("<>|`") else text(address)
