"""Let many processes write while several senders drain against a good server, and print what became of the records.

`python tests/delivery/load.py WRITERS LINES SENDERS`: one JSON object. `seen of them` counts what the server took of what was
acknowledged, each once; `while writing` is how much it had when the last writer ended.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import lives
from dying import Fate
from verdict import gathered, judged
from worlds import World

from otel_bridge.export import build
from otel_bridge.export.drain import drain


def send(until: Path) -> None:
    """Drain again and again, until the writers have ended."""
    while not until.exists():
        drain(lives.PRODUCT, patience=0.2)
        time.sleep(0.05)


def main() -> None:
    """Do as the command line says."""
    writers, lines, senders = map(int, sys.argv[1:])
    renamed = build.renamed(lives.compiled())
    build.renamed = lambda declared: renamed
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        root = Path(folder)
        world = World(root, 1, 0, "", collector=False)
        world.odds = 0.0, 0.0
        world.environment["OTEL_BRIDGE_SPOOL_BYTES"] = str(1 << 30)
        world.serve()
        for one in range(writers):
            name = f"writer-{one + 1}"
            world.start(name, lambda name=name: lives.write(root, name, lines, Fate(), "load", old=False))
        writing = list(world.others())
        for one in range(senders):
            world.start(f"sender-{one + 1}", lambda: send(root / "ended"))
        for process in writing:
            os.waitpid(process, 0)
            del world.children[process]
        early = len(gathered(root, world.state).taken)
        (root / "ended").touch()
        for process in world.others():
            os.waitpid(process, 0)
            del world.children[process]
        quiet = world.healthy_days()
        found = gathered(root, world.state)
        world.end()
    mine = {uid for uid in found.acked if not uid.startswith("ffff")}
    wrong = judged(found) + ([] if quiet else ["it does not become quiet"])
    told = {"acknowledged": len(mine), "seen of them": len(mine & found.taken), "while writing": early}
    print(json.dumps({**told, "lost": dict(found.counted), "torn": found.counted["torn"], "wrong": wrong}))


if __name__ == "__main__":
    main()
