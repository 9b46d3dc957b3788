"""`otel-bridge compile`: write a registry down as the constants that the hot path reads."""

import sys
from pathlib import Path

import click

from .. import schema
from ..errors import SchemaError
from ..privacy import names
from ..schema.compile import render
from . import put, stale


@click.command("compile")
@click.argument("file", type=click.Path(path_type=Path), default=Path("telemetry.yaml"))
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 when a file is not current.")
def command(file: Path, only_check: bool) -> None:
    """Compile the registry FILE to `_telemetry.py`, and its lists of public names to digests, beside the package."""
    wanted = outputs(schema.load(file))
    found = stale(wanted)
    for path in found:
        if not only_check:
            put(path, wanted[path])
        click.echo(f"{path}: {'not current; run `otel-bridge compile`' if only_check else 'written'}")
    if found and only_check:
        sys.exit(1)


def package_of(product: schema.Product) -> Path:
    """The folder of a product's package, beside its settings or in `src`; raises SchemaError when there is none."""
    parts = Path(*product.package.split("."))
    for root in (product.root, product.root / "src"):
        if (root / parts).is_dir():
            return root / parts
    instead = "make its folder, correct `package`, or use `otel-bridge register`, which keeps what has no package"
    raise SchemaError(f"{product.root / parts}: there is no such package; {instead}")


def outputs(registry: schema.Registry, folder: Path | None = None) -> dict[Path, bytes]:
    """Every file that compiling writes, with what belongs into it; into the folder of the package unless another is given."""
    folder = folder or package_of(registry.product)
    digests = {name: names.build(found, "plain") for name, found in registry.names.items()} | registry.digests
    try:
        fingerprints = {name: names.fingerprint(content) for name, content in digests.items()}
    except ValueError as problem:
        raise SchemaError(f"a registry of {registry.product.product}: {problem}; `otel-bridge names build` makes one") from None
    compiled = {folder / "_telemetry.py": render(registry, fingerprints).encode()}
    return compiled | {folder / f"{name}.digest": digests[name] for name in sorted(digests)}
