"""Say when the next sender may start: what the last one met decides, and a tiny file on disk keeps it.

The file `drain` is read by every run (see `instrument`), so it is flat: `last` and `not_before` are Unix seconds, `failures`
counts in a row, `closed` is the digest of the declaration for which a server said 410.
"""

from pathlib import Path

from .. import settings
from ..clock import chance, now
from ..paths import read_flat, rewrite

PASSING = (429, 502, 503, 504, None)  # OTLP's own list of what to retry, and no answer at all
FIRST, MOST = 30, 3600  # seconds, doubling
LONG = 6 * 3600  # seconds, when only somebody at the server can mend it
DAY = 86400
GONE = 410
LONGEST = DAY + DAY // 2  # seconds that a sender may have asked for; more means that the clock was set back


def remember(folder: Path, error: str, status: int | None = None, retry_after: float = 0.0, digest: str = "") -> None:
    """Keep how a sender fared; without an `error` the next one is due in its ordinary time."""
    before = recall(folder)
    failures = whole(before.get("failures")) + 1 if error else 0
    seconds = now() // 10**9
    told = {"last": seconds, "failures": failures, "error": " ".join(error.split())}
    if error:
        told["not_before"] = int(seconds + pause(failures, status, retry_after))
    if status == GONE:
        told["closed"] = digest
    rewrite(str(folder / "drain"), "".join(f"{key} = {value}\n" for key, value in told.items()))


def recall(folder: Path) -> dict[str, str]:
    """What the last sender left behind; empty before the first."""
    try:
        return read_flat(str(folder / "drain")) or {}
    except (OSError, UnicodeDecodeError):  # somebody has edited it
        return {}


def due(folder: Path, digest: str, every: int | None = None) -> bool:
    """Whether a sender may start for this declaration: the last one is `every` seconds ago, nobody backs off, nobody said 410.

    What a run asks without importing this is `instrument.due`.
    """
    if settings.setting("detach") == "0":
        return False
    state, seconds = recall(folder), now() // 10**9
    said = settings.setting("drain_every")
    every = every if every is not None else int(said) if said.isdecimal() else 3600
    last, until = whole(state.get("last")), whole(state.get("not_before"))
    waits = last <= seconds < last + every or seconds < until <= seconds + LONGEST
    return not waits and state.get("closed") != digest


def whole(text: str | None) -> int:
    """A number of seconds or failures; 0 for anything that is none."""
    return int(text) if text and text.isdecimal() and len(text) < 12 else 0


def pause(failures: int, status: int | None, retry_after: float) -> float:
    """Seconds to wait after so many failures in a row: doubling with jitter, at least what the server asked for (a day at most)."""
    base = min(FIRST * 2 ** min(failures - 1, 20), MOST) if status in PASSING else LONG
    return max(base * (0.5 + chance()), min(retry_after, DAY))
