"""Find the declaration of a product again, from any environment: its state folder keeps who wrote the spool."""

from pathlib import Path

from ..errors import DeliveryError
from ..paths import read_flat, state_dir
from ..schema.compile import Compiled, read


def declaration(product: str) -> Compiled:
    """The compiled registry of a product that has recorded here; raises DeliveryError or SchemaError."""
    written = read_flat(state_dir(product) + "/writer")
    if written is None or "registry" not in written:
        raise DeliveryError(f"{product} has recorded nothing on this machine yet; turn it on and run it once")
    return read(Path(written["registry"]))
