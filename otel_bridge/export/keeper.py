"""Write down what a long-lived program exports, in the spool that runs write to, and start a sender for it when one is due."""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from ..consent import ON, surroundings
from ..paths import mine, state_dir
from ..record import append
from ..schema.compile import Compiled
from . import backoff
from .detach import spawn
from .otlp_json import canonical


class Keeper:
    """Keeps records of one product on this machine; safe after a fork, without a thread, and without anything left open.

    To `record.append` it is what a run is: a declaration, a folder and a mode.
    """

    def __init__(self, declared: Compiled) -> None:
        """Keeps for this product, in the state folder of the person under whom the program runs."""
        self.declared = SimpleNamespace(PRODUCT=declared.product, DIGEST=declared.digest, __file__=str(declared.file))
        self.folder, self.mode = state_dir(declared.product), ON
        self._senders: list[int] = []

    def keep(self, signal: str, made: list[Any]) -> bool:
        """Append one line for each record of the SDK; whether all of them wait. Raises OSError."""
        if not mine(self.folder):
            return False
        done = True
        for one in made:
            request = encode_logs([one]) if signal == "logs" else encode_spans([one])
            done &= append(self, signal, json.dumps(canonical(request), separators=(",", ":")) + "\n")  # type: ignore[arg-type]
        if backoff.due(Path(self.folder), self.declared.DIGEST):
            self._ship()
        return done

    def close(self) -> None:
        """Start a last sender, unless nothing waits or nobody may try yet. Raises OSError."""
        folder = Path(self.folder)
        if any((folder / "spool").glob("*")) and backoff.due(folder, self.declared.DIGEST, every=0):
            self._ship(wait=os.getpid() == 1 or "container" in surroundings())  # the sender would end with the container

    def _ship(self, wait: bool = False) -> None:
        for pid in [*self._senders]:  # those that have ended are not left as zombies
            try:
                if os.waitpid(pid, os.WNOHANG)[0]:
                    self._senders.remove(pid)
            except ChildProcessError:  # the program itself has waited for it, or this is a fork
                self._senders.remove(pid)
        if self._senders:  # one that has not come to its lock yet
            return
        child = spawn(self.declared.PRODUCT, self.folder, wait)
        if child:
            self._senders.append(child)
