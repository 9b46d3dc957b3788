"""Draw whether an event is among the share of its kind that is recorded: all of a session's, or none of them."""

from _blake2 import blake2b


def drawn(session: object, name: str, rate: float) -> bool:
    """Whether an event of this name is recorded in this session; decided by a hash of both, so a session tells all or none."""
    said = f"{session}\n{name}".encode()
    return int.from_bytes(blake2b(said, digest_size=8).digest(), "big") < rate * 2**64
