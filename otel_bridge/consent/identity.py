"""Give an event the two ids that it may carry: this installation's, new every period, and the session's, another one a family.

Nothing here is derived from host, user, path or hardware: all of it comes from random numbers that never leave this machine.
"""

import calendar
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from ..clock import now
from ..paths import opened, read_flat, rewrite, state_dir, write
from . import IDLE

TYPE_CHECKING = False
if TYPE_CHECKING:  # a program that was started by a run loads this file, and may look at what has been imported
    from typing import Any

SECRET = 32  # bytes
DAY = 86_400_000  # milliseconds
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MONTHS = {"month": 1, "quarter": 3, "year": 12}


def installation_id(secret: bytes, product: str, period: str) -> str:
    """The id of an installation in a period such as `2026-Q4`: a keyed BLAKE2b (RFC 7693) as a UUID of version 8 (RFC 9562)."""
    return _uuid(blake2b(f"installation\n{product}\n{period}".encode(), key=secret, digest_size=16).digest())


def session_id(session: str, family: str) -> str:
    """What a family of products is told of a session: the session's own 32 hexadecimal digits are the key and never leave."""
    return _uuid(blake2b(f"session\n{family}".encode(), key=bytes.fromhex(session), digest_size=16).digest())


def _uuid(random: bytes) -> str:
    number = int.from_bytes(random, "big") & ~(0xF << 76) & ~(3 << 62) | 8 << 76 | 2 << 62
    h = f"{number:032x}"
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def period(seconds: int, length: str) -> tuple[str, int, int]:
    """The `month`, `quarter` or `year` (UTC) of a Unix time: its name, its first second, the first second after it."""
    year, month = time.gmtime(seconds)[:2]
    months = MONTHS[length]
    number = (month - 1) // months
    name = {1: f"{year}-{month:02d}", 3: f"{year}-Q{number + 1}", 12: f"{year}"}[months]
    last = number * months + months
    return name, _second(year, number * months), _second(year + last // 12, last % 12)


def _second(year: int, month: int) -> int:
    return calendar.timegm((year, month + 1, 1, 0, 0, 0))


def secret_of(folder: str) -> bytes:
    """The secret of a product on this machine, made when there is none; whoever comes first makes it, all others read it.

    Raises ValueError when it has not the length of one, OSError.
    """
    path = folder + "/secret"
    for _ in range(2):
        pairs = read_flat(path, "person")
        if pairs is not None:
            break
        _make(path)
    return _secret(path, pairs)


def known_secret(folder: str) -> bytes:
    """The secret of a product where there is one; raises ValueError where there is none, or none of its length."""
    return _secret(folder + "/secret", read_flat(folder + "/secret", "person"))


def _secret(path: str, pairs: dict[str, str] | None) -> bytes:
    try:
        found = bytes.fromhex((pairs or {}).get("secret", ""))
    except ValueError:
        found = b""
    if len(found) != SECRET:
        raise ValueError(f"{path} does not hold a secret of {SECRET} bytes; `otel-bridge reset-id` makes a new one")
    return found


def _make(path: str) -> None:
    new = f"{path}.{os.urandom(4).hex()}.new"
    write(new, os.O_TRUNC, f"secret = {os.urandom(SECRET).hex()}\n")
    try:
        os.link(new, path)  # whole or not at all, and only when there is none
    except FileExistsError:
        pass
    finally:
        os.unlink(new)


def refresh(declared: "Any", folder: str, shown: bool = True) -> dict[str, str]:
    """Write down anew what every run asks for: the id of this period, and until when it holds; also the id for `forget`.

    Without an id (`identity: none`, or a secret that is none) the pairs say why. A declaration that was not `shown` is not
    noted, so that the next run asks again. Raises OSError.
    """
    known = read_flat(folder + "/identity") or {}
    pairs = {key: value for key, value in known.items() if key in ("session", "told")}
    pairs.update({"declaration": declared.DIGEST if shown else "", "from": "0", "until": str(1 << 62)})
    if declared.IDENTITY != "none":
        for _ in range(3):
            name, pairs["from"], pairs["until"] = map(str, period(now() // 10**9, declared.IDENTITY))
            pairs["period"] = name
            try:
                secret = secret_of(folder)
            except ValueError as problem:
                pairs.update(problem=str(problem), until="0", made=_made(folder))  # asked again next time
                break
            pairs["made"] = _made(folder)
            pairs["installation"] = installation_id(secret, declared.PRODUCT, name)
            if pairs["installation"] != known.get("installation"):
                write(folder + "/ids", os.O_APPEND, f"{pairs['installation']}\n")
            _keep(folder, pairs)
            if secret_of(folder) == secret:  # else it was reset meanwhile
                return pairs
    _keep(folder, pairs)
    return pairs


def _keep(folder: str, pairs: dict[str, str]) -> None:
    rewrite(folder + "/identity", "".join(f"{key} = {value}\n" for key, value in pairs.items()))


def ids(folder: str) -> list[str]:
    """Every installation id that a product has had here, oldest first."""
    path = Path(folder, "ids")
    words = path.read_text(encoding="ascii", errors="replace").split() if path.exists() else []
    return list(dict.fromkeys(word for word in words if UUID.fullmatch(word)))


def reset(folder: str) -> None:
    """Make a new secret; the next run has another id. The old ids stay on this machine, for `forget`. Raises OSError."""
    rewrite(folder + "/secret", f"secret = {os.urandom(SECRET).hex()}\n")
    Path(folder, "identity").unlink(missing_ok=True)


def session_file() -> str:
    """The file that all products of one person share: a session's 32 hexadecimal digits, touched by every run."""
    return state_dir(".session")


def end_session() -> None:
    """Let the next run of any product begin another session."""
    for path in (session_file(), session_file() + ".lock"):
        Path(path).unlink(missing_ok=True)


def handed_down(text: str, folder: str, family: str) -> tuple[str, str, str]:
    """The session, the trace and the span in OTEL_BRIDGE_RUN; empty where they do not count, the last two for another family.

    The text is a session's digits, the millisecond of handing it down, the trace's and the span's digits and the family, joined
    by hyphens. Nothing of it counts after a day, or when the secret was made anew since: `reset-id` and `forget` end sessions.
    """
    session, when, trace, span, whose = [*text.split("-", 4), "", "", "", ""][:5]
    if not _digits(session, 16) or not when.isdecimal() or not 0 <= now() // 10**6 - int(when[:15]) < DAY:
        return "", "", ""
    try:
        if os.stat(folder + "/secret").st_mtime * 1000 > int(when):
            return "", "", ""
    except FileNotFoundError:
        pass
    same = whose == family and _digits(trace, 16) and _digits(span, 8)
    return (session, trace, span) if same else (session, "", "")


def begin(family: str, folder: str, session: str) -> dict[str, str]:
    """The pairs of `identity`, with a `session` and what this family is `told` of it; a new session where none goes on.

    `session` is what the caller found: the parent's, however long ago that began, or the one that all tools share. Raises
    OSError when the file is busy for half a second.
    """
    known = read_flat(folder + "/identity") or {}
    if not _digits(session, 16):
        path = session_file()
        with locked(path + ".lock") as held:
            if not held:
                raise OSError("the session is busy")
            session = _going_on(path) or os.urandom(16).hex()  # another process may have been first
            if session != _going_on(path):
                rewrite(path, session)
    known.update(session=session, told=session_id(session, family))
    if known.get("made", "") != _made(folder):  # the secret was reset meanwhile: the next run asks anew
        known = {"session": session, "told": known["told"]}
    _keep(folder, known)
    return known


def _made(folder: str) -> str:
    """When the secret was made; empty when there is none."""
    try:
        return str(os.stat(folder + "/secret").st_mtime_ns)
    except FileNotFoundError:
        return ""


def _going_on(path: str) -> str:
    try:
        age = now() / 1e9 - os.stat(path).st_mtime
        session = Path(path).read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return ""
    return session if 0 <= age < IDLE and _digits(session, 16) else ""


@contextmanager
def locked(path: str) -> Iterator[bool]:
    """Hold a lock that others hold for milliseconds; False when that takes longer than half a second, for hosts do not wait."""
    fd = opened(path, os.O_WRONLY)
    try:
        for _ in range(250):
            try:
                os.lockf(fd, os.F_TLOCK, 0)
                break
            except OSError:
                time.sleep(0.002)
        else:
            yield False
            return
        yield True
    finally:
        os.close(fd)


def _digits(text: str, size: int) -> bool:
    """Whether a text is `size` bytes in lower-case hexadecimal, as only this library writes them."""
    try:
        return bytes.fromhex(text).hex() == text and len(text) == 2 * size
    except ValueError:
        return False
