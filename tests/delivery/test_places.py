"""Links, pipes, folders and what may not be touched in the places of our files: the tool works as ever, and nothing hangs."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import World, attributes
from test_disk import EACH, lost, said, waits

from otel_bridge import paths
from otel_bridge.export.drain import drain
from otel_bridge.testing import OtlpSink

STEP = """
import sys
import otel_bridge

def main():
    otel_bridge.event("probe.step", {"probe.step": 7})
    print("out")
    print("err", file=sys.stderr)
    return 5
"""
FILES = ("spool/logs.jsonl", "lost", "writer", "identity", "sender.lock", "drain", "sent/sent.jsonl", "quarantine/logs.jsonl")
FOLDERS = ("spool", "sent", "quarantine", "running")
Became = tuple[int, int, dict[str, int], bool, dict[str, int]]  # sent, aside, lost of it, an error, counted on disk


def became(kind: str) -> dict[str, Became]:
    """What becomes of two runs, whose first event a server refuses, when something stands in one of our places.

    A place that is a sender's own stops the sender, which says so: everything waits. A writer's own stops what would be written
    there, which is counted. What cannot be counted: the losses of a run whose `lost` is no file of ours.
    """
    refused, ledger = {"refused": 1}, {"ledger": 2, "refused": 1}
    all_of_it: Became = (3, 1, refused, False, refused)
    spans_alone: Became = (1, 0, {}, True, {"unwritable": 1})  # the second run was not begun, so the server took no event at all
    return {
        "spool/logs.jsonl": (0, 0, {}, True, {"unwritable": 1}),
        "spool": (0, 0, {}, kind != "nothing", {"unwritable": 2}),
        "lost": (0, 0, {}, True, {}) if kind in ("pipe", "folder") else (3, 1, refused, False, {}),
        "writer": (0, 0, {}, True, {}),  # who wrote the spool is not known until another file of it is begun
        "identity": spans_alone if kind == "folder" else all_of_it,
        "sender.lock": (0, 0, {}, True, {}),
        "drain": (3, 1, refused, kind == "folder", refused),
        "sent": (3, 1, ledger, False, ledger),
        "sent/sent.jsonl": (3, 1, ledger, False, ledger),
        "quarantine": (1, 0, {}, True, {}),  # the refused record waits for a place
        "quarantine/logs.jsonl": (1, 0, {}, True, {}),
        "running": spans_alone,
    }


PRIVATE = "what is here is nobody's business\n"


class Refusing(OtlpSink):
    """A server that refuses one record."""

    poison = b""

    def _take(self, request):
        if self.poison in request.body:
            self.answer(400, times=1)
        return super()._take(request)


def in_place(place: Path, kind: str, elsewhere: Path) -> None:
    """Put something in the place of one of our files or folders."""
    shutil.rmtree(place, ignore_errors=True)
    place.unlink(missing_ok=True)
    place.parent.mkdir(exist_ok=True)
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
        (place / "kept").write_text(PRIVATE)
    else:
        place.symlink_to(elsewhere / kind)


@contextmanager
def bounded(what: str) -> Iterator[None]:
    """Fail when something takes a minute: a pipe is opened for ever."""

    def late(*ignored: object) -> None:
        raise AssertionError(f"{what} hangs")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("kind", ["file", "nothing", "pipe", "folder"])
def test_whatever_stands_in_our_places_changes_no_tool(
    world: World, probe: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A link to a file or to nothing, a pipe or a folder: same output, nothing hangs, nothing is written through it."""
    words = probe(STEP)
    world.run("otel-bridge", "on", "--product", "probe")
    bare = said(world.run(*words, ok=False, DO_NOT_TRACK="1"))
    world.run(*words, ok=False)
    (first,) = (attributes(item)["log.record.uid"] for item in world.waiting("probe") if item.signal == "logs")
    elsewhere = world.root / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text(PRIVATE)
    places = {"folder": FILES, "nothing": ("spool/logs.jsonl", "lost", *FOLDERS)}.get(kind, (*FILES, *FOLDERS))
    found = {}
    with Refusing() as sink:
        sink.poison = first.encode()
        for number, place in enumerate(places):
            home = world.root / f"state-{number}"
            shutil.copytree(world.state, home / "otel-bridge")
            folder = home / "otel-bridge/probe"
            in_place(folder / place, kind, elsewhere)
            with bounded(f"the tool with a {kind} as {place}"):
                assert said(world.run(*words, ok=False, XDG_STATE_HOME=str(home))) == bare, place
            for key, value in (("XDG_STATE_HOME", str(home)), ("OTEL_BRIDGE_ENDPOINT", sink.endpoint)):
                monkeypatch.setenv(key, value)
                monkeypatch.setitem(paths.environ, key.encode(), value.encode())
            with bounded(f"drain with a {kind} as {place}"):
                result = drain("probe", patience=0)
            counted = lost(folder) if (folder / "lost").is_file() and place != "lost" else {}
            found[place] = (result.sent, result.quarantined, dict(result.lost), bool(result.error), counted)
            if kind == "folder":
                assert [(one.name, one.read_text()) for one in (folder / place).iterdir() if one.name == "kept"] == [
                    ("kept", PRIVATE)
                ]
    assert [one.name for one in elsewhere.iterdir()] == ["file"]
    assert (elsewhere / "file").read_text() == PRIVATE
    assert found == {place: became(kind)[place] for place in places}


@pytest.mark.parametrize("whose", ["nobody may", "somebody else's"])
def test_what_may_not_be_touched_changes_no_tool(world: World, probe: Callable[[str], list[str]], whose: str) -> None:
    """Files without permissions, or another user's: the same output, and what cannot be written there is counted.

    Not counted: where the losses themselves, or the whole folder, may not be written. Root would notice nothing of permissions,
    so it runs without its capabilities.
    """
    if whose == "somebody else's" and os.geteuid() != 0:
        assert not os.environ.get("CI")
        pytest.skip("only root can give a file away")
    powerless = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
    words = (*powerless, *probe(STEP))
    world.run("otel-bridge", "on")
    bare = said(world.run(*words, ok=False, DO_NOT_TRACK="1"))
    world.run(*words, ok=False)
    found = {}
    for number, place in enumerate(("", "spool", "spool/logs.jsonl", "lost", "running", "identity", "sender.lock")):
        home = world.root / f"state-{number}"
        shutil.copytree(world.state, home / "otel-bridge")
        folder = home / "otel-bridge/probe"
        target = folder / place
        target.touch()
        if whose == "nobody may":
            target.chmod(0)
        else:
            target.chmod(0o700 if target.is_dir() else 0o600)
            os.chown(target, 65534, 65534)
        assert said(world.run(*words, ok=False, XDG_STATE_HOME=str(home))) == bare, place
        target.chmod(0o700)
        found[place] = (waits(folder), lost(folder))
    assert found == {
        "": (EACH, {}),
        "spool": (EACH, {"unwritable": 2}),
        "spool/logs.jsonl": (EACH + 1, {"unwritable": 1}),
        "lost": (EACH * 2, {}),
        "running": (EACH, {"unwritable": 1}),
        "identity": (EACH, {"unwritable": 1}),
        "sender.lock": (EACH * 2, {}),
    }
