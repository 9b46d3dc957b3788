"""Keep our own frames out of a traceback that the host program prints."""

import sys
from types import TracebackType

_OURS = __file__[: -len("instrument/frames.py")]


def hide() -> None:
    """Let the hook in place print an uncaught exception as it would without us."""
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        sys.excepthook = before
        try:
            error.__traceback__ = traceback = _foreign(traceback)
        except Exception:  # then it is printed as it is
            pass
        before(kind, error, traceback)

    if before.__module__ != __name__:  # already in place when one entry point runs another
        sys.excepthook = hook


def _foreign(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames of this package."""
    first = last = None
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(_OURS):
            if last is None:
                first = traceback
            else:
                last.tb_next = traceback
            last = traceback
        traceback = traceback.tb_next
    if last is not None:
        last.tb_next = None
    return first
