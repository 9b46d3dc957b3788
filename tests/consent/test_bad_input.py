"""Broken homes and odd machines: each has its answer in docs/consent.md, and the host program never notices."""

import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import BIN, ROOT, World

from otel_bridge.clock import moment

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away, mount, or be `sudo`")
LIST = ("kitchen", "list")
ID = re.compile(r'app.installation.id","value":{"stringValue":"([0-9a-f-]{36})')


def choice(world: World) -> Path:
    path = world.state / "kitchen/choice"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def empty(world: World) -> dict[str, str]:
    choice(world).write_text("")
    return {}


def binary(world: World) -> dict[str, str]:
    choice(world).write_bytes(os.urandom(64) + b"\xff")
    return {}


def directory(world: World) -> dict[str, str]:
    choice(world).mkdir()
    return {}


def link(world: World) -> dict[str, str]:
    target = world.home / "dotfiles-choice"
    target.write_text("telemetry = on\nsince = 2020-01-01T00:00:00Z\n")
    choice(world).symlink_to(target)
    return {}


def somebody_else(world: World) -> dict[str, str]:
    choice(world).write_text("telemetry = on\n")
    os.chown(choice(world), 12345, 12345)
    return {}


def no_home(world: World) -> dict[str, str]:
    return {"HOME": "", "KITCHEN_TELEMETRY": "on"}


def relative(world: World) -> dict[str, str]:
    world.on()
    return {"XDG_STATE_HOME": "state", "XDG_CONFIG_HOME": "../config"}


def clock_set_back(world: World) -> dict[str, str]:
    world.on()
    choice(world).write_text(f"telemetry = on\nsince = {moment(time.time_ns() + 365 * 86400 * 10**9)}\n")
    return {}


def secret_of_wrong_length(world: World) -> dict[str, str]:
    world.on()
    choice(world).with_name("secret").write_text("secret = abcd\n")
    return {}


def secret_of_nonsense(world: World) -> dict[str, str]:
    world.on()
    choice(world).with_name("secret").write_bytes(b"secret = zz\xff")
    return {}


def spool_is_a_link(world: World) -> dict[str, str]:
    world.on()
    (world.home / "precious").write_text("precious\n")
    (world.state / "kitchen/spool").mkdir()
    (world.state / "kitchen/spool/traces.jsonl").symlink_to(world.home / "precious")
    return {}


# What is wrong, the mode that follows, whether a run is recorded, whether it carries an installation id.
CASES = [
    (empty, "off", False, False),
    (binary, "off", False, False),
    (directory, "off", False, False),
    (link, "on", True, True),
    pytest.param(somebody_else, "off", False, False, marks=ROOT_ONLY),
    (no_home, "off", False, False),
    (relative, "on", True, True),
    (clock_set_back, "on", True, True),
    (secret_of_wrong_length, "on", True, False),
    (secret_of_nonsense, "on", True, False),
    (spool_is_a_link, "on", False, False),
]


@pytest.mark.parametrize(("wrong", "mode", "recorded", "identified"), CASES, ids=lambda case: getattr(case, "__name__", ""))
def test_the_answer_is_the_one_in_the_table(
    world: World, wrong: Callable[[World], dict[str, str]], mode: str, recorded: bool, identified: bool
) -> None:
    """The run is as without us: exit code 0, the same output, nothing on standard error; `status` needs no traceback to say why."""
    bare = world.run("kitchen-bare", "list")
    more = wrong(world)
    run = world.run(*LIST, **more)
    assert (run.stdout, run.stderr) == (bare.stdout, bare.stderr)
    told = world.json("otel-bridge", "status", "--product", "kitchen", "--json", **more)
    assert told["mode"] == mode
    text = world.bytes_in(".local").decode(errors="replace")
    assert ('"cli.run"' in text) is recorded
    assert bool(ID.search(text)) is identified
    assert not (world.work / "state").exists()
    if (world.home / "precious").exists():
        assert (world.home / "precious").read_text() == "precious\n"


def test_a_secret_of_wrong_length_is_told_and_mended(world: World) -> None:
    """No id is made of it; `status` names the file and the command, and the command helps."""
    secret_of_wrong_length(world)
    world.run(*LIST)
    told = world.json("otel-bridge", "status", "--product", "kitchen", "--json")
    assert told["error"].endswith("kitchen/secret does not hold a secret of 32 bytes; `otel-bridge reset-id` makes a new one")
    world.run("otel-bridge", "reset-id", "--product", "kitchen")
    world.run(*LIST)
    told = world.json("otel-bridge", "status", "--product", "kitchen", "--json")
    assert told["error"] is None and told["installation_id"]


def test_what_was_recorded_before_the_consent_stays(world: World) -> None:
    """With a clock set back a year every event seems older than the consent: it is counted, and does not leave."""
    clock_set_back(world)
    world.run(*LIST)
    result = world.json("otel-bridge", "drain", "--product", "kitchen", "--json", OTEL_BRIDGE_ENDPOINT="http://127.0.0.1:1")
    assert (result["sent"], result["lost"]) == (0, {"before_consent": 1})


def test_a_link_is_replaced_and_never_written_through(world: World) -> None:
    """`off` writes a choice of its own; the file that the link led to is as it was."""
    link(world)
    before = (world.home / "dotfiles-choice").read_text()
    world.run("otel-bridge", "off", "--product", "kitchen")
    assert (world.home / "dotfiles-choice").read_text() == before
    assert not choice(world).is_symlink() and choice(world).read_text().startswith("telemetry = off\n")


@ROOT_ONLY
@pytest.mark.parametrize("there", [False, True], ids=["new home", "home with telemetry"])
def test_sudo_in_a_person_s_home_writes_nothing(world: World, there: bool) -> None:
    """As root, with the person's HOME: no file appears, recorded or not, and `on` and `off` say whose home it is."""
    if there:
        world.on()
    subprocess.run(["chown", "-R", "12345:12345", str(world.home)], check=True)
    before = sorted(world.home.rglob("*"))
    run = world.run(*LIST, KITCHEN_TELEMETRY="on")
    assert run.stderr == ""
    assert world.terminal(*LIST).wait().process.returncode == 0
    for verb in ("on", "off"):
        done = world.run("otel-bridge", verb, "--product", "kitchen", ok=False)
        assert done.stderr.endswith("the choice cannot be kept: this home belongs to somebody else; run it as that person\n")
    assert sorted(world.home.rglob("*")) == before


@ROOT_ONLY
@pytest.mark.parametrize("kind", ["read-only", "full"])
def test_a_disk_that_takes_nothing(world: World, kind: str) -> None:
    """Read-only or full: the host runs as ever, `on` says what cannot be kept, and a full disk costs the event and is counted or not."""
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        assert not os.environ.get("CI"), "no mount namespace is to be had, and CI must show this"
        pytest.skip("no mount namespace: a disk cannot be made full")
    size = "size=64k" if kind == "full" else "size=1m"
    fill = (
        f"dd if=/dev/zero of={world.home}/fill bs=1k 2>/dev/null; true" if kind == "full" else f"mount -o remount,ro {world.home}"
    )
    script = f'mount -t tmpfs -o {size} none {world.home} && mkdir -p {world.state}/kitchen && {{ {fill}; }} && exec "$@"'

    def on_that_disk(*words: str, ok: bool | None = True, **more: str) -> subprocess.CompletedProcess[str]:
        return world.run("unshare", "--mount", "sh", "-c", script, "sh", str(BIN / words[0]), *words[1:], ok=ok, **more)

    run = on_that_disk(*LIST, KITCHEN_TELEMETRY="on")
    assert run.stderr == "" and run.stdout == world.run("kitchen-bare", "list").stdout
    done = on_that_disk("otel-bridge", "on", "--product", "kitchen", ok=False)
    assert re.fullmatch(r"\S+: the choice cannot be kept: (Read-only file system|No space left on device)\n", done.stderr)
    told = on_that_disk("otel-bridge", "status", "--product", "kitchen", "--json", KITCHEN_TELEMETRY="on")
    assert '"mode": "on"' in told.stdout


@pytest.mark.parametrize("product", ["../../etc", "Kitchen", "a/b", ".session", "a b", "-x"])
@pytest.mark.parametrize("verb", ["status", "on", "forget", "export"])
def test_a_product_s_name_is_no_path(world: World, verb: str, product: str) -> None:
    """One clear line and exit code 2; nothing is written."""
    done = world.run("otel-bridge", verb, f"--product={product}", ok=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("a product is named with lower-case letters, digits, dots and hyphens")
    assert not list(world.home.rglob("*"))


def test_files_edited_by_hand_give_no_traceback(world: World) -> None:
    """Nonsense in every file of the state folder: each verb says something and ends with 0 or 1."""
    world.on()
    world.run(*LIST)
    folder = world.state / "kitchen"
    (folder / "sent").mkdir()
    for name in ("spool/traces.jsonl", "sent/sent.jsonl", "lost", "drain", "identity", "ids", "notice", "writer", "told.json"):
        (folder / name).write_bytes(b'{"resourceSpans":7}\nlast = soon\nnot_before = x\n\xff\xfe\n')
    for verb in ("status", "preview", "sent", "lost", "list", "view", "export", "drain", "reset-id", "forget", "off", "on"):
        done = world.run("otel-bridge", verb, "--product", "kitchen", ok=None, OTEL_BRIDGE_ENDPOINT="http://127.0.0.1:1")
        assert done.returncode in (0, 1), verb
        assert "Traceback" not in done.stderr, f"{verb}: {done.stderr}"
    assert world.run(*LIST).stderr == ""


def test_the_table_in_the_docs_names_every_case() -> None:
    """docs/consent.md has a row for each of them."""
    page = (ROOT / "docs/consent.md").read_text()
    words = (
        "empty",
        "binary",
        "a directory",
        "a symbolic link",
        "somebody else",
        "read-only",
        "full",
        "HOME",
        "relative",
        "clock",
        "secret",
        "sudo",
    )
    more = ("first runs at once", "registry that shrank", "edited by hand")
    assert [word for word in (*words, *more) if f"{word}" not in page.partition("## When something is broken")[2]] == []
