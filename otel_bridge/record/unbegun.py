"""Count what could not even be begun: a full disk takes neither the mark of a run nor the name of a new session."""

from ..consent import LOCAL, OFF, decide
from ..errors import swallow
from ..paths import mine, state_dir
from .losses import lose


def count(product: str, mode: str, problem: Exception) -> None:
    """Count one run, or one event of another program, of a person who has agreed and still does; never raises."""
    swallow(problem)
    try:
        folder = state_dir(product)
        if mode != OFF and mine(folder) and decide(product).mode == mode:
            lose(f"{folder}/local" if mode == LOCAL else folder, problem)
    except Exception as another:  # there is no home, or nobody may know whose it is
        swallow(another)
