"""Have a deletion request sent that waits, by the runs of a product that is off."""

from types import ModuleType

from ..export.detach import spawn
from ..paths import mine, state_dir
from . import due


def remind(declared: ModuleType) -> None:
    """Start a sender, unless it is to be left alone for now."""
    folder = state_dir(declared.PRODUCT)
    if mine(folder) and due(folder, ""):
        spawn(declared.PRODUCT, folder, wait=False)
