"""Count what will not arrive, by reason, at once and on disk, so that a killed program has counted it too."""

import os

from ..errors import swallow
from ..paths import write


def lose(folder: str, reason: str, number: int = 1, problem: "Exception | None" = None) -> None:
    """Count something that is lost; never raises, for a full disk may be the very reason."""
    try:
        if problem is not None:
            swallow(problem)
        write(folder + "/lost", os.O_APPEND, f"{reason} = {number}\n")
    except Exception as another:
        swallow(another)
