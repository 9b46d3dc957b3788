"""`otel-bridge register`: keep the compiled registry of a tool that cannot carry it, for `run`, `emit` and changed entry points."""

import os
from pathlib import Path

import click

from .. import registered, schema
from ..errors import SettingsError
from ..paths import mine
from . import put
from .compile import outputs


@click.command("register")
@click.argument("file", type=click.Path(path_type=Path), default=Path("telemetry.yaml"))
def command(file: Path) -> None:
    """Check the registry FILE, compile it, and keep it for this person: in place of what its product had before."""
    registry = schema.load(file)
    folder = _folder(registry.product.product)
    wanted = outputs(registry, folder)
    before = os.umask(0o077)
    try:
        for path in sorted(wanted, reverse=True):  # the declaration last: it names the fingerprints of its digests
            _put(path, wanted[path])
            click.echo(f"{path}: written")
        for path in folder.glob("*.digest"):
            if path not in wanted:
                path.unlink()
        _link(registry.product)
        for place in (folder, folder.parent, folder.parent / registered.PACKAGES):
            place.chmod(0o700)
    except OSError as problem:
        raise SettingsError(f"{folder}: cannot be written ({problem.strerror})") from None
    finally:
        os.umask(before)


def _folder(product: str) -> Path:
    """Where the declaration of a product goes; raises SettingsError where nothing may be kept."""
    try:
        folder = Path(registered.folder(), product)
        if mine(str(folder)):
            return folder
        why = "it would be somebody else's; run it as that person"
    except AttributeError:
        why = "nothing is recorded on this system yet"
    except OSError as problem:
        why = str(problem)
    raise SettingsError(f"there is no place to keep the declaration of {product}: {why}")


def _put(path: Path, content: bytes) -> None:
    """Put a file in the place of another, a second later at least: a run knows by whole seconds whether its bytecode is current."""
    before = int(path.stat().st_mtime) if path.exists() else 0
    put(path, content)
    if int(path.stat().st_mtime) <= before:
        os.utime(path, (before + 1, before + 1))


def _link(product: schema.Product) -> None:
    """Let the declaration be found by the package, and no longer by one that it had before. Raises OSError."""
    links = Path(registered.folder(), registered.PACKAGES)
    links.mkdir(exist_ok=True)
    target = f"../{product.product}"
    for link in links.iterdir():
        if link.is_symlink() and os.readlink(link) == target and link.name != product.package:
            link.unlink()
    new = links / f"{product.package}.{os.getpid()}.new"
    new.symlink_to(target)
    new.replace(links / product.package)
