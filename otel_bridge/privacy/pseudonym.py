"""Reduce a name to a keyed hash of it: the same for a while within one product, and nothing to anybody without the key.

The key is made of the product's secret, which never leaves this machine, and of the period, so that pseudonyms end with it.
"""

from _blake2 import blake2b

from ..clock import now
from ..consent.identity import known_secret, period
from ..paths import state_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import Facts, Parameters, Scalar


def reduce(value: object, parameters: "Parameters", facts: "Facts") -> "Scalar | None":
    """(rotate, product): 16 hexadecimal digits, other ones every month, quarter or year; absent where there is no secret."""
    if type(value) is not str:
        return None
    rotate, product = parameters
    try:
        key = known_secret(state_dir(product))
        said = f"pseudonym\n{product}\n{period(now() // 10**9, rotate)[0]}\n{value}"
    except Exception:
        return None
    return blake2b(said.encode("utf-8", "surrogatepass"), key=key, digest_size=8).hexdigest()
