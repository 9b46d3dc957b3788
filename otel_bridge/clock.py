"""Now, elapsed and new ids: the only place where time and chance enter."""

import os
import time

now = time.time_ns
elapsed = time.perf_counter_ns


def new_id(size: int) -> str:
    """`size` random bytes in lower-case hexadecimal."""
    return os.urandom(size).hex()


def chance() -> float:
    """A random number from 0 on, below 1."""
    return int.from_bytes(os.urandom(4), "big") / (1 << 32)


def new_uuid() -> str:
    """A random UUID (RFC 9562, version 4): random bits only, never a time."""
    h = os.urandom(16).hex()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{'89ab'[int(h[16], 16) & 3]}{h[17:20]}-{h[20:]}"


def floored(nanoseconds: int, resolution: int) -> int:
    """A Unix time in nanoseconds cut down to a multiple of `resolution` seconds."""
    return nanoseconds - nanoseconds % (resolution * 1_000_000_000)


def moment(nanoseconds: int) -> str:
    """A Unix time in nanoseconds as RFC 3339 in whole seconds, UTC."""
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % time.gmtime(nanoseconds // 1_000_000_000)[:6]


def two_digits(nanoseconds: int) -> int:
    """A duration in nanoseconds rounded to two significant digits."""
    step: int = 10 ** max(len(str(nanoseconds)) - 2, 0)
    return (nanoseconds + step // 2) // step * step
