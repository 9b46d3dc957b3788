"""WHAT MAY BE SAID: load a product's registry, an OpenTelemetry semantic-convention file of `definition/2`.

Source: https://github.com/open-telemetry/weaver/blob/main/schemas/semconv-syntax.v2.md
"""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ..clock import now
from ..errors import SchemaError
from . import fingerprint
from .fingerprint import Fingerprint
from .lint import lint
from .marked import Document, Mistake, listed, read
from .product import Product, find
from .registry import Event, Field, Registry, Span
from .reserved import masked
from .resolve import carried, resolve

__all__ = ["Event", "Field", "Fingerprint", "Mistake", "Product", "Registry", "Span", "check", "examine", "load", "read_names"]

DIGEST = b"otel-bridge names 2 "  # how a digest of public names begins; `compile` looks at the rest
Names = dict[str, tuple[str, ...]]
Digests = dict[str, bytes]
BUILTIN = Path(__file__).parent / "builtin.yaml"


def check(path: Path, product: Product | None = None) -> list[Mistake]:
    """Every mistake in a registry, in the order of its lines; raises SchemaError when it cannot be read as YAML at all."""
    return examine(path, product)[0]


def examine(path: Path, product: Product | None = None) -> tuple[list[Mistake], Fingerprint]:
    """Every mistake, and how many bits every record tells of the machine it comes from; raises SchemaError as `check` does."""
    return _examined(*_documents(path, product))[:2]


def _examined(document: Document, builtin: Document, product: Product) -> tuple[list[Mistake], Fingerprint, Names, Digests]:
    mistakes = lint(document, builtin, product, datetime.fromtimestamp(now() / 1e9, UTC).date())
    try:
        fields = carried(document, builtin, product)
    except (KeyError, TypeError, ValueError, AssertionError):  # an attribute among them has a mistake of its own, told already
        fields = ()
    names: Names = {}
    digests: Digests = {}
    for name, file in product.registries.items():
        try:
            if file.suffix == ".digest":  # that `otel-bridge names build` made
                digests[name] = _read_digest(file)
            else:
                names[name] = read_names(file)
        except SchemaError as problem:
            mistakes.append(Mistake(document.file, 1, "registry", str(problem)))
    sizes = {**{name: len(found) for name, found in names.items()}, **{name: len(found) // 8 for name, found in digests.items()}}
    told = fingerprint.take(fields, sizes, {str(one.get("key")) for one in listed(builtin.root, "attributes")})
    return sorted([*mistakes, *told.mistakes(document)], key=lambda one: (one.line, one.message)), told, names, digests


def load(path: Path, product: Product | None = None) -> Registry:
    """The registry of a file; raises SchemaError with one line for each mistake."""
    document, builtin, product = _documents(path, product)
    mistakes, _, names, digests = _examined(document, builtin, product)
    if mistakes:
        raise SchemaError("\n".join(str(mistake) for mistake in mistakes))
    return replace(resolve(document, builtin, product), names=names, digests=digests)


def read_names(file: Path) -> tuple[str, ...]:
    """The public names of a text file, one a line, `#` begins a comment; raises SchemaError."""
    try:
        lines = [line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as problem:
        what = getattr(problem, "strerror", None) or "it is not UTF-8"
        raise SchemaError(f"{file}: the public names cannot be read ({what}); write a text with one name a line") from None
    for number, line in enumerate(lines, 1):
        if not line.isprintable() or len(line) > 256 or set(line) & set('"\\^&<>'):
            what = 'a name with one of " \\ ^ & < > or a control character, or of more than 256 characters'
            raise SchemaError(f"{file}:{number}: {what}; no public name is like that")
        if masked(line):
            what = f"`{line}` looks like an address, a path or a token, which the collector masks"
            raise SchemaError(f"{file}:{number}: {what}; leave it out")
    return tuple(sorted({line for line in lines if line}))


def _read_digest(file: Path) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as problem:
        what = f"the digest cannot be read ({problem.strerror})"
    else:
        if content.startswith(DIGEST) and len(content) % 8 == 0:
            return content
        what = "not a digest of public names, or of another version"
    raise SchemaError(f"{file}: {what}; `otel-bridge names build` makes one") from None


def _documents(path: Path, product: Product | None) -> tuple[Document, Document, Product]:
    if path.is_dir():
        path = path / "telemetry.yaml"
    document = read(path)
    return document, read(BUILTIN, "builtin.yaml"), product or find(path)
