"""A person at a terminal: programs run with standard input, output and error on a real pseudo-terminal."""

import os
import pty
import select
import subprocess
import time
from dataclasses import dataclass, field


@dataclass
class Terminal:
    """One program on one pseudo-terminal."""

    words: tuple[str, ...]
    env: dict[str, str]
    cwd: str
    text: str = ""
    _raw: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        self.master, slave = pty.openpty()
        streams = {"stdin": slave, "stdout": slave, "stderr": slave}
        self.process = subprocess.Popen(self.words, cwd=self.cwd, env=self.env, start_new_session=True, **streams)
        os.close(slave)

    def wait(self, typed: str = "", after: str = "", timeout: float = 300) -> "Terminal":
        """Read until the program ends; `typed` is entered once `after` was printed."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            ready, _, _ = select.select([self.master], [], [], 0.2)
            if ready:
                try:
                    read = os.read(self.master, 65536)
                except OSError:  # the last one to hold the other end is gone
                    break
                self._raw += read
                if typed and after.encode() in self._raw:
                    os.write(self.master, typed.encode())
                    typed = ""
                if not read:
                    break
            elif self.process.poll() is not None:
                break
        assert self.process.wait(timeout=60) is not None
        os.close(self.master)
        self.text = self._raw.decode().replace("\r\n", "\n")
        return self
