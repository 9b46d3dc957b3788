"""The conversation of a peer with the benchmark: JSON lines in, JSON lines out, the versions first."""

import json
import sys
import time
from collections.abc import Callable


def serve(versions: dict[str, str], scrub: Callable[[str, str, str], dict[str, str]]) -> None:
    """Answer every line of standard input with what is left of it, by place, and the seconds that this took."""
    out = sys.stdout
    sys.stdout = sys.stderr  # what a library prints is no answer
    print(json.dumps({"versions": versions}), file=out)
    for line in sys.stdin:
        asked = json.loads(line)
        started = time.perf_counter()
        left = scrub(asked["text"], asked["secret"], asked["label"])
        print(json.dumps({"left": left, "seconds": time.perf_counter() - started}), file=out)
    out.flush()
