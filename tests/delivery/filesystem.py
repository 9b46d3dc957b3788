"""A file system of a few pages in a mount namespace of its own, which a test can fill, make read-only, and empty again."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Small:
    """Where programs find it, and the words before a program that run it there; `seen` is the way in from outside."""

    folder: Path
    enter: tuple[str, ...]
    seen: Path

    def fill(self) -> None:
        """Write until there is no room for one more byte."""
        fd = os.open(self.seen / "full", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            for size in (1 << 16, 4096, 1):
                with suppress(OSError):
                    while os.write(fd, b"x" * size):
                        pass
        finally:
            os.close(fd)

    def fill_inodes(self) -> None:
        """Make files until there can be no other."""
        (self.seen / "names").mkdir()
        with suppress(OSError):
            for number in range(1 << 16):
                (self.seen / f"names/{number}").touch()

    def free(self) -> None:
        """Take away what `fill` and `fill_inodes` have made."""
        (self.seen / "full").unlink(missing_ok=True)
        shutil.rmtree(self.seen / "names", ignore_errors=True)

    def remount(self, options: str) -> None:
        """Mount it anew, `ro` or `rw`."""
        subprocess.run([*self.enter, "mount", "-o", f"remount,{options}", str(self.folder)], check=True)


@contextmanager
def small(folder: Path, options: str) -> Iterator[Small]:
    """A tmpfs with these options, such as `size=128k`; skips the test where there may be none, but never in CI."""
    folder.mkdir()
    mine = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    script = f'mount -t tmpfs -o mode=700,{options} small "{folder}" && echo ready && exec cat'
    holder = subprocess.Popen(
        ["unshare", *mine, "--mount", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert holder.stdin and holder.stdout and holder.stderr
    try:
        if holder.stdout.readline() != b"ready\n":
            reason = f"no file system may be mounted here: {holder.stderr.read().decode().strip()}"
            assert not os.environ.get("CI"), reason
            pytest.skip(reason)
        as_holder = ("--user", "--preserve-credentials") if mine else ()
        enter = ("nsenter", f"--target={holder.pid}", *as_holder, "--mount", f"--wd={folder.parent}")
        yield Small(folder, enter, Path(f"/proc/{holder.pid}/root{folder}"))
    finally:
        holder.stdin.close()
        holder.wait(30)
        holder.stdout.close()
        holder.stderr.close()
