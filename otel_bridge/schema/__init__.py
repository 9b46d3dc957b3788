"""WHAT MAY BE SAID: load a product's registry, an OpenTelemetry semantic-convention file of `definition/2`.

Source: https://github.com/open-telemetry/weaver/blob/main/schemas/semconv-syntax.v2.md
"""

from pathlib import Path

from ..errors import SchemaError
from .lint import lint
from .marked import Document, Mistake, read
from .product import Product, find
from .registry import Event, Field, Registry
from .resolve import resolve

__all__ = ["Event", "Field", "Mistake", "Product", "Registry", "check", "load", "read_names"]

BUILTIN = Path(__file__).parent / "builtin.yaml"


def check(path: Path, product: Product | None = None) -> list[Mistake]:
    """Every mistake in a registry, in the order of its lines; raises SchemaError when it cannot be read as YAML at all."""
    return lint(*_documents(path, product))


def load(path: Path, product: Product | None = None) -> Registry:
    """The registry of a file; raises SchemaError with one line for each mistake."""
    document, builtin, product = _documents(path, product)
    mistakes = lint(document, builtin, product)
    if mistakes:
        raise SchemaError("\n".join(str(mistake) for mistake in mistakes))
    names = {name: read_names(file) for name, file in product.registries.items()}
    return resolve(document, builtin, product, names)


def read_names(file: Path) -> tuple[str, ...]:
    """The public names of a text file, one a line, `#` begins a comment; raises SchemaError."""
    try:
        lines = [line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as problem:
        raise SchemaError(f"{file}: the public names cannot be read: {problem}") from None
    for number, line in enumerate(lines, 1):
        if not line.isprintable() or set(line) & set('"\\^'):
            raise SchemaError(f'{file}:{number}: a name with one of " \\ ^ or a control character; public names have none')
    return tuple(sorted({line for line in lines if line}))


def _documents(path: Path, product: Product | None) -> tuple[Document, Document, Product]:
    if path.is_dir():
        path = path / "telemetry.yaml"
    document = read(path)
    return document, read(BUILTIN, "builtin.yaml"), product or find(path)
