"""Say whether a secret can be read from what came out: whole, in another spelling, or a piece of it."""

import base64
import json
from functools import cache
from urllib.parse import quote, quote_plus

PIECE, FROM = 10, 12  # characters of a piece, and of the shortest secret that is looked for in pieces


def leaked(secret: str, out: bytes, known: str = "") -> bool:
    """Whether bytes tell a secret: as it is, case-folded, URL-quoted, JSON-escaped, in base64, or any piece of ten characters.

    `known` is public text (the declaration, or the message around the secret); pieces that stand in there tell nothing.
    """
    text = out.decode("utf-8", "replace")
    folded = text.casefold()
    return any(one in text or one in folded for one in _spellings(secret)) or any(
        piece in text and piece not in known for piece in _pieces(secret)
    )


@cache
def _spellings(secret: str) -> tuple[str, ...]:
    data = secret.encode()
    based = {base64.b64encode(data).decode().rstrip("="), base64.urlsafe_b64encode(data).decode().rstrip("=")}
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return tuple(sorted({secret, secret.casefold(), quote(secret), quote(secret, safe=""), quote_plus(secret), *escaped, *based}))


@cache
def _pieces(secret: str) -> tuple[str, ...]:
    if len(secret) < FROM:
        return ()
    return tuple({secret[at : at + PIECE] for at in range(len(secret) - PIECE + 1)})
