"""Wrong versions of the core, each by one change: the fault matrix has to find them."""

import os
from collections.abc import Callable

MUTANTS: dict[str, Callable[[], None]] = {}
