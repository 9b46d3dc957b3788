"""Make the spool's folder for the first event, and take it away: both against tools that are at work meanwhile."""

import os
import shutil

from ..clock import new_id
from ..consent import decide
from ..paths import opened
from . import Run
from .losses import change


def begin(run: Run) -> bool:
    """Make the folder of a run's spool if the person still agrees; `off` may have taken it away since the run began.

    Asked before and after: whatever `off` does in between, one of both sees the other. Raises OSError.
    """
    folder = run.folder + "/spool"
    if decide(run.declared.PRODUCT).mode != run.mode:
        return False
    change(run.folder, lambda table: None)  # make it while there is room: a full disk takes no new file
    os.close(opened(folder + "/logs.jsonl", os.O_WRONLY))
    if decide(run.declared.PRODUCT).mode != run.mode:
        discard(folder)
        return False
    return True


def discard(folder: str) -> None:
    """Delete a folder that tools write to: first out of their sight, for they look again before they write. Raises OSError."""
    aside = f"{folder}.{new_id(4)}.gone"
    try:
        os.rename(folder, aside)
    except FileNotFoundError:
        return
    shutil.rmtree(aside)
