"""Sixteen writers and four senders at once: nothing is lost, nothing is torn, everything arrives."""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
WRITERS, LINES, SENDERS = 16, 2_000, 4


def test_sixteen_writers_and_four_senders_lose_nothing() -> None:
    """32,000 records of 16 processes, all acknowledged, while 4 senders drain: each is seen, none is lost, none is torn."""
    done = subprocess.run(
        [sys.executable, str(HERE / "load.py"), str(WRITERS), str(LINES), str(SENDERS)], capture_output=True, text=True, timeout=300
    )
    assert done.stderr == ""
    told = json.loads(done.stdout)
    number = WRITERS * LINES
    assert told.pop("while writing") > 0, "the senders came after the writers"
    assert told == {"acknowledged": number, "seen of them": number, "lost": {}, "torn": 0, "wrong": []}
