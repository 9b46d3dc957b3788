"""Look a name up in a digest of public names without reading the digest, and give back its public spelling or nothing.

File: one line of 64 bytes, `otel-bridge names 2 KIND COUNT FINGERPRINT` padded with blanks, then COUNT sorted, distinct 8-byte
BLAKE2b digests of normalised names. FINGERPRINT is the 8-byte BLAKE2b of the kind, a newline and the digests, in hexadecimal.
Replace such a file, never write into it: whoever has it open would be stopped by a page that is gone (SIGBUS).
"""

import mmap
import os
from _blake2 import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Opened = tuple[mmap.mmap, str, int]  # the file, its kind, how many digests it has

HEADER, SIZE, VERSION = 64, 8, "otel-bridge names 2"
KINDS = ("pypi", "npm", "gem", "forge", "plain")
LONGEST = 256  # characters; a longer name is private unseen, so that no input costs more
_OPENED: "dict[str, Opened]" = {}


def public(place: str, name: str) -> "str | None":
    """The public spelling of a name; None when it is private, and for every name when the digest is not the one meant.

    `place` is the digest's path, a blank and its fingerprint. The given spelling is never told: it could carry anything.
    """
    if len(name) > LONGEST:
        return None
    opened = _OPENED.get(place) or _open(place)
    if opened is None:
        return None
    held, kind, count = opened
    spelling = normalise(name, kind)
    return spelling if _holds(held, count, digest(spelling)) else None


def normalise(name: str, kind: str) -> str:
    """The one spelling of a name, without blanks around it, by the rules of a kind of registry.

    pypi: PEP 503. npm: lower case (npm/validate-npm-package-name). gem: as it is, for case matters there. forge, `owner/name` of
    a code forge: lower case with a hyphen for each slash. plain: as it is.
    """
    name = name.strip()
    if kind == "pypi":
        name = name.lower().replace("_", "-").replace(".", "-")
        while "--" in name:
            name = name.replace("--", "-")
    elif kind == "npm":
        name = name.lower()
    elif kind == "forge":
        name = name.lower().replace("/", "-")
    return name


def digest(name: str) -> bytes:
    """The 8 bytes that stand for a normalised name."""
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=SIZE).digest()


def build(names: "Iterable[str]", kind: str) -> bytes:
    """The digest file of names in any spelling and order; one that is empty or longer than 256 characters is never public.

    Sorted in 256 parts: a million names take 17 MB at the peak, where a set of their digests takes 91. Raises ValueError for
    another kind than those of `KINDS`.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is not a kind of names; write one of {', '.join(KINDS)}")
    heaps = [bytearray() for _ in range(256)]
    for name in names:
        spelling = normalise(name, kind)
        if 0 < len(spelling) <= LONGEST:
            one = digest(spelling)
            heaps[one[0]] += one
    mark = _mark(kind)
    parts = [b""]
    while heaps:
        heap = bytes(heaps.pop(0))
        parts.append(b"".join(sorted({heap[at : at + SIZE] for at in range(0, len(heap), SIZE)})))
        mark.update(parts[-1])
    parts[0] = _header(kind, sum(map(len, parts)) // SIZE, mark.hexdigest())
    return b"".join(parts)


def fingerprint(content: bytes) -> str:
    """The fingerprint in the header of a digest file; raises ValueError when the file is none, of another version or damaged."""
    found = _read(content[:HEADER])
    if found is None or len(content) != HEADER + found[1] * SIZE:
        raise ValueError("not a digest of public names, or of another version")
    mark = _mark(found[0])
    mark.update(memoryview(content)[HEADER:])
    if mark.hexdigest() != found[2]:
        raise ValueError("a damaged digest of public names")
    return found[2]


def _mark(kind: str) -> blake2b:
    return blake2b(kind.encode() + b"\n", digest_size=SIZE)


def _header(kind: str, count: int, mark: str) -> bytes:
    return f"{VERSION} {kind} {count} {mark}".encode("latin-1").ljust(HEADER - 1) + b"\n"


def _read(header: bytes) -> "tuple[str, int, str] | None":
    """The kind, the count and the fingerprint that a header states; None when it is no header of this version."""
    words = header.split()
    if len(words) != 6 or not words[4].isdigit():
        return None
    kind, count, mark = words[3].decode("latin-1"), int(words[4]), words[5].decode("latin-1")
    return (kind, count, mark) if kind in KINDS and header == _header(kind, count, mark) else None


def _open(place: str) -> "Opened | None":
    """Map a digest after a look at its header alone, and keep it; what cannot be opened is tried anew, for it may come yet."""
    path, _, wanted = place.rpartition(" ")
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a named pipe in its place must not stop the host
        try:
            found = _read(os.read(fd, HEADER))
            if found is None or found[2] != wanted or os.fstat(fd).st_size != HEADER + found[1] * SIZE:
                return None
            held = mmap.mmap(fd, 0, access=mmap.ACCESS_READ)
            held.madvise(mmap.MADV_RANDOM)  # else the first look-up reads 2 MB ahead: 12 ms from a disk, with this 0.13
        finally:
            os.close(fd)
    except (OSError, ValueError):
        return None
    _OPENED[place] = held, found[0], found[1]
    return _OPENED[place]


def _holds(held: "mmap.mmap", count: int, wanted: bytes) -> bool:
    """Whether a digest is among the sorted ones, most often by two looks: they are spread evenly, so its place can be guessed.

    Of a million the first guess is off by some 500 and the second, with what was found there, by some 20: one or two pages, where
    halving touches twelve. Where 64 on both sides are too few, or the file is not spread evenly, it is halved after all.
    """
    value = int.from_bytes(wanted)
    at = HEADER + (value * count >> 64) * SIZE
    at += ((value - int.from_bytes(held[at : at + SIZE])) * count >> 64) * SIZE
    at = at - 64 * SIZE if at > HEADER + 64 * SIZE else HEADER
    near = held[at : at + 128 * SIZE]
    if near[:SIZE] <= wanted <= near[-SIZE:]:
        at = near.find(wanted)
        while at > 0 and at % SIZE:  # the end of one digest and the beginning of the next
            at = near.find(wanted, at + 1)
        return at >= 0
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        at = HEADER + middle * SIZE
        found = held[at : at + SIZE]
        if found == wanted:
            return True
        if found < wanted:
            low = middle + 1
        else:
            high = middle
    return False
