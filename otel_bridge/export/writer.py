"""Find the declaration of a product again, from any environment: its state folder keeps who wrote the spool."""

import importlib.metadata
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from .. import registered
from ..errors import DeliveryError, SchemaError
from ..paths import read_flat, state_dir
from ..schema.compile import Compiled, read
from ..settings import setting

_AUTO = "otel_bridge.auto."


def declaration(product: str) -> Compiled:
    """The compiled registry of a product that has recorded here, is installed beside us or registered.

    Raises DeliveryError or SchemaError.
    """
    signed = written(product)
    if "registry" in signed:
        return read(Path(signed["registry"]))
    for found in _installed():
        if found.product == product:
            return found
    file = registered.file_of(product)
    if file:
        return read(Path(file))
    raise DeliveryError(f"{product} has recorded nothing on this machine yet; turn it on and run it once")


def written(product: str) -> dict[str, str]:
    """Who wrote the spool of a product: `interpreter`, `registry` and its `digest`; empty when nobody is known."""
    try:
        return read_flat(state_dir(product) + "/writer") or {}
    except (OSError, UnicodeDecodeError):  # there is no home, or somebody has edited it
        return {}


def endpoint_of(declared: Compiled) -> str:
    """Where the telemetry of a product goes; raises DeliveryError when nothing says so."""
    endpoint = setting("endpoint") or declared.endpoint
    if not endpoint.startswith(("http://", "https://")):
        raise DeliveryError(f"`{endpoint}` is no endpoint; set OTEL_BRIDGE_ENDPOINT to a URL such as https://host:4318")
    return endpoint


def products() -> list[str]:
    """Every product that is known here: those with a folder of their own, installed beside us, or registered; sorted."""
    root = Path(state_dir("."))
    kept = {folder.name for folder in root.glob("[a-z0-9]*") if folder.is_dir()}
    return sorted({*kept, *registered.products()} | {found.product for found in _installed()})


def _installed() -> Iterator[Compiled]:
    """The compiled registries of the packages whose scripts go through `otel_bridge.auto`."""
    scripts = importlib.metadata.entry_points(group="console_scripts")
    for package in sorted({one.value[len(_AUTO) :].partition(".")[0] for one in scripts if one.value.startswith(_AUTO)}):
        try:
            spec = importlib.util.find_spec(package.partition(":")[0])
        except (ImportError, ValueError):
            continue
        file = Path(spec.origin).parent / "_telemetry.py" if spec is not None and spec.origin else None
        if file is not None and file.exists():
            try:
                yield read(file)
            except SchemaError:  # compiled for another version of this library: nothing that we could ask for
                continue
