"""`otel-bridge names`: a text becomes a digest, or one line says what is wrong with it and nothing is written."""

import json
import os
import random
import subprocess
from pathlib import Path

import pytest
from conftest import World

from otel_bridge.privacy.names import KINDS
from otel_bridge.privacy.names import build as built

NAMES = ("otel-bridge", "names")
BUILD = (*NAMES, "build", "--from", "names.txt", "--kind", "pypi", "--out", "names.digest")
TEXT = b"# our plugins\r\n\r\n  Vagrant_Libvirt  # the first\nvagrant-libvirt\n\tdocker\n#\npodman"
TOLD = "4 names, 3 distinct, 88 bytes: names.digest\n"


def build(world: World, text: bytes, *words: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
    """Build a digest of a text; what is left in the folder besides is a mistake."""
    (world.work / "names.txt").write_bytes(text)
    done = world.run(*(words or BUILD), ok=ok)
    assert {file.name for file in world.work.iterdir()} <= {"names.txt", "names.digest"}
    assert done.stdout == ""
    return done


def test_a_text_becomes_a_digest(world: World) -> None:
    """Comments, blanks, empty lines and any end of line are left out; names are counted, and counted once."""
    assert build(world, TEXT).stderr == TOLD
    content = built(["docker", "podman", "vagrant-libvirt"], "pypi")
    assert (world.work / "names.digest").read_bytes() == content
    assert (world.work / "names.digest").stat().st_mode & 0o777 == 0o666 & ~_umask()
    assert build(world, b"\xef\xbb\xbf" + TEXT).stderr == TOLD  # as Windows writes it
    assert (world.work / "names.digest").read_bytes() == content


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_text_may_come_from_standard_input(world: World) -> None:
    """`--from -` reads what another program writes."""
    (world.work / "names.txt").write_bytes(TEXT)
    line = "cat names.txt | otel-bridge names build --from - --kind pypi --out names.digest"
    assert world.run("sh", "-c", line).stderr == TOLD
    assert (world.work / "names.digest").read_bytes() == built(["docker", "podman", "vagrant-libvirt"], "pypi")


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_a_long_text_changes_nothing(world: World, kind: str) -> None:
    """20,000 lines in any order make the digest of their names, byte for byte, with one line on standard error."""
    lines = [f"Acme_{number}.x" for number in range(20_000)]
    for seed in (1, 2):
        random.Random(seed).shuffle(lines)
        words = (*BUILD[:5], "--kind", kind, "--out", "names.digest")
        told = build(world, "\n".join(lines).encode(), *words).stderr
        assert told == "20,000 names, 20,000 distinct, 160,064 bytes: names.digest\n"
        assert (world.work / "names.digest").read_bytes() == built(sorted(lines), kind)


def test_a_very_long_text_tells_how_far_it_is(world: World) -> None:
    """A line for every 100,000 names where nobody watches, a bar on a terminal, and the same line at the end."""
    told = build(world, b"".join(b"acme-%d\n" % number for number in range(210_000))).stderr
    end = "210,000 names, 210,000 distinct, 1,680,064 bytes: names.digest\n"
    assert told == "100,000 names read\n200,000 names read\n" + end
    shown = world.terminal(*BUILD, TERM="xterm").wait()
    assert shown.process.returncode == 0
    assert "210,000 names read \x1b" in shown.text and "\u2501" in shown.text
    assert shown.text.endswith(end)


HINT = "write one name a line"
LONG = "leave it out"


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        (b"docker\n\xffvagrant\n", 2, "not UTF-8; save the text as UTF-8"),
        ("docker\n".encode("utf-16"), 1, "not UTF-8; save the text as UTF-8"),
        (b"docker\nvag\x00rant\n", 2, f"a control character inside a name; {HINT} as plain text"),
        (b"vag\trant\n", 1, f"a control character inside a name; {HINT} as plain text"),
        (b"docker\rvagrant\n", 1, f"a control character inside a name; {HINT} as plain text"),
        ("vag\u202erant\n".encode(), 1, f"a control character inside a name; {HINT} as plain text"),
        (b"docker vagrant\n", 1, f"a blank inside a name; {HINT}, and comments after a #"),
        (b'docker\n"vagrant"\n', 2, f'a " inside a name; {HINT}, and comments after a #'),
        (b"vag\\rant\n", 1, f"a \\ inside a name; {HINT}, and comments after a #"),
        (b"^vagrant\n", 1, f"a ^ inside a name; {HINT}, and comments after a #"),
        (b"\n\n" + b"x" * 215, 3, f"a name of more than 214 characters; no registry has such a name, {LONG}"),
        (b"docker" + bytes(100_000), 1, f"a line of more than 65,536 bytes; {HINT}"),
        (b"", 1, f"no name up to the end; {HINT}"),
        (b"# nothing\n\n", 2, f"no name up to the end; {HINT}"),
    ],
)
def test_a_line_that_is_no_name_is_told_and_nothing_is_written(world: World, text: bytes, line: int, expected: str) -> None:
    """One line with the file, the line, what is wrong and what to do instead; a digest that was there stays."""
    assert build(world, text, ok=False).stderr == f"names.txt:{line}: {expected}\n"
    assert not (world.work / "names.digest").exists()
    build(world, TEXT)
    before = (world.work / "names.digest").read_bytes()
    done = build(world, text, ok=False)
    assert (done.returncode, (world.work / "names.digest").read_bytes()) == (1, before)


def test_the_longest_name_is_one(world: World) -> None:
    """214 characters are a name, as npm has it."""
    assert build(world, b"x" * 214).stderr == "1 name, 1 distinct, 72 bytes: names.digest\n"


@pytest.mark.parametrize(
    ("source", "out", "expected"),
    [
        ("no.txt", "names.digest", "no.txt: cannot be read (No such file or directory); name a text file, or - for standard input"),
        (".", "names.digest", ".: cannot be read (Is a directory); name a text file, or - for standard input"),
        ("names.txt", "no/names.digest", "no/names.digest: there is no folder no; make it first"),
        ("names.txt", "names.txt/x", "names.txt/x: there is no folder names.txt; make it first"),
        ("names.txt", ".", ".: is no file; name the file of the digest"),
        ("names.txt", "/dev/null", "/dev/null: is no file; name the file of the digest"),
        ("names.txt", "./names.txt", "names.txt: is the text itself; name another file"),
        ("names.txt", "x" * 300, f"{'x' * 300}: cannot be written (File name too long); name another file"),
        ("-", "names.digest", "standard input:1: no name up to the end; write one name a line"),
    ],
)
def test_files_that_cannot_be_are_told_and_nothing_is_written(world: World, source: str, out: str, expected: str) -> None:
    """Missing, a directory, a device, no folder, the text itself: one line and exit code 1, and the text is as it was."""
    done = build(world, TEXT, *NAMES, "build", "--from", source, "--kind", "gem", "--out", out, ok=False)
    assert (done.returncode, done.stderr) == (1, expected + "\n")
    assert [file.name for file in world.work.iterdir()] == ["names.txt"]
    assert (world.work / "names.txt").read_bytes() == TEXT


def test_standard_input_that_is_closed_is_told(world: World) -> None:
    """A program without a standard input gets one line."""
    done = world.run("sh", "-c", "otel-bridge names build --from - --kind gem --out names.digest <&-", ok=False)
    assert (done.returncode, done.stderr) == (1, "standard input: is closed; give it a text, or name a file\n")


def test_a_full_disk_leaves_the_old_digest(world: World) -> None:
    """When the digest cannot be written to its end, the one that was there stays whole and nothing else is left."""
    build(world, TEXT)
    before = (world.work / "names.digest").read_bytes()
    (world.work / "names.txt").write_text("\n".join(f"acme-{number}" for number in range(9000)))
    line = "trap '' XFSZ; ulimit -f 8; exec " + " ".join(BUILD)
    done = world.run("bash", "-c", line, ok=False)
    assert done.stderr == "names.digest: cannot be written (File too large); name another place, or make room\n"
    assert (done.returncode, (world.work / "names.digest").read_bytes()) == (1, before)
    assert sorted(file.name for file in world.work.iterdir()) == ["names.digest", "names.txt"]


@pytest.mark.parametrize("words", [(), ("--from", "names.txt", "--out", "x"), (*BUILD[3:5], "--kind", "cargo", "--out", "x")])
def test_wrong_usage_is_told_by_the_command_line(world: World, words: tuple[str, ...]) -> None:
    """Without --kind, or with one that there is not: exit code 2."""
    assert build(world, TEXT, *NAMES, "build", *words, ok=False).returncode == 2


def test_an_author_can_look_names_up(world: World) -> None:
    """Each name is public in its spelling or private; exit code 0 when all are public, 1 when one is private."""
    build(world, TEXT)
    look = (*NAMES, "look", "names.digest")
    assert world.run(*look, "Docker", "vagrant.libvirt").stdout == "public docker\npublic vagrant-libvirt\n"
    done = world.run(*look, "acme", "docker", ok=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "private\npublic docker\n", "")
    done = world.run(*look, "--json", "acme", "DOCKER", ok=False)
    assert json.loads(done.stdout) == [{"name": "acme", "public": None}, {"name": "DOCKER", "public": "docker"}]
    assert world.run(*look, ok=False).returncode == 2


def broken(folder: Path) -> None:
    content = (folder / "names.digest").read_bytes()
    (folder / "broken.digest").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("no.digest", "cannot be read (No such file or directory); name a digest"),
        (".", "cannot be read (Is a directory); name a digest"),
        ("names.txt", "not a digest of public names, or of another version; build it with `otel-bridge names build`"),
        ("broken.digest", "a damaged digest of public names; build it with `otel-bridge names build`"),
    ],
)
def test_what_is_no_digest_is_told(world: World, file: str, expected: str) -> None:
    """Missing, a directory, a text, a damaged one: one line and exit code 1."""
    build(world, TEXT)
    broken(world.work)
    done = world.run(*NAMES, "look", file, "docker", ok=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{file}: {expected}\n")
