"""Two ids, both random: one of an installation, new every period; one of a session, another one for every family."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import BIN, World, attributes

from otel_bridge.consent.identity import installation_id, period, session_id
from otel_bridge.export import spool
from otel_bridge.export.prepare import plain

SECRET = bytes(range(32))
SESSION = "00112233445566778899aabbccddeeff"
UUID8 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.mark.parametrize(
    ("product", "when", "expected"),
    [
        ("kitchen", "2026-Q4", "07eaea77-4e3b-8e59-b957-fdff40c76ada"),
        ("kitchen", "2027-Q1", "e34be6a4-4c23-854c-8c7d-611c7b3419a6"),
        ("knife", "2026-Q4", "e3fa0781-1da4-8016-a80d-9acb3936690c"),
    ],
)
def test_installation_ids_are_these(product: str, when: str, expected: str) -> None:
    """Keyed BLAKE2b as UUIDv8; the same figures come from the independent implementation @noble/hashes."""
    assert installation_id(SECRET, product, when) == expected


@pytest.mark.parametrize(
    ("family", "expected"),
    [("kitchen", "0bb107b8-631b-83f5-8f79-89803e23f6ad"), ("knife", "7c59fa0e-d75e-8f8e-ad96-3dc03cf4632b")],
)
def test_session_ids_are_these(family: str, expected: str) -> None:
    """What two families are told of one session has nothing in common (again checked with @noble/hashes)."""
    assert session_id(SESSION, family) == expected


@pytest.mark.parametrize(
    ("seconds", "length", "expected"),
    [
        (1795305600, "month", ("2026-11", 1793491200, 1796083200)),
        (1795305600, "quarter", ("2026-Q4", 1790812800, 1798761600)),
        (1795305600, "year", ("2026", 1767225600, 1798761600)),
        (1798761599, "quarter", ("2026-Q4", 1790812800, 1798761600)),
        (1798761600, "quarter", ("2027-Q1", 1798761600, 1806537600)),
        (0, "month", ("1970-01", 0, 2678400)),
    ],
)
def test_periods_begin_and_end(seconds: int, length: str, expected: tuple[str, int, int]) -> None:
    """Months, quarters and years of UTC, from the first second to the one before the next."""
    assert period(seconds, length) == expected


def ids(world: World, product: str = "kitchen") -> set[tuple[str | None, str | None]]:
    """The installation and session ids of what waits."""
    return {
        (plain(item.resource["attributes"]).get("app.installation.id"), attributes(item).get("session.id"))
        for item in world.waiting(product)
    }


def test_fifty_first_runs_at_once_agree(world: World) -> None:
    """One secret, one installation id, one session, no loss; every run succeeds."""
    world.on()
    words = [str(BIN / "kitchen"), "list"]
    env = world.environment(OTEL_BRIDGE_DEBUG="1")
    runs = [subprocess.Popen(words, cwd=world.work, env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) for _ in range(50)]
    told = [run.communicate(timeout=600)[1] for run in runs]
    assert [run.returncode for run in runs] == [0] * 50
    assert not [text for text in told if b"otel-bridge" in text]
    (pair,) = ids(world)
    assert all(UUID8.fullmatch(one or "") for one in pair)
    assert len(world.waiting()) == 50
    assert sorted(path.name for path in (world.state / "kitchen").glob("secret*")) == ["secret"]
    assert set((world.state / "kitchen/ids").read_text().split()) == {pair[0]}


def test_two_installations_with_everything_equal_have_different_ids(tmp_path: Path) -> None:
    """The same host, user and path, the home made anew: nothing of them goes into an id."""
    found = []
    for _ in range(2):
        world = World(tmp_path / "same")
        for folder in (world.home, world.work, world.root / "tmp"):
            folder.mkdir(parents=True)
        world.on()
        world.run("kitchen", "list")
        found.append(ids(world))
        subprocess.run(["rm", "-rf", str(world.root)], check=True)
    assert not {one for pair in found[0] for one in pair} & {one for pair in found[1] for one in pair}


def test_a_session_ends_after_ten_idle_minutes(world: World) -> None:
    """Runs that follow each other belong together; eleven minutes later they do not."""
    world.on()
    for idle in (0, 300, 660):
        session = world.state / ".session"
        if session.exists():
            os.utime(session, (time.time() - idle,) * 2)
        world.run("kitchen", "list")
    sessions = [attributes(item)["session.id"] for item in world.waiting()]
    assert sessions[0] == sessions[1] != sessions[2]


def test_a_session_goes_on_in_children_however_long_their_parent_takes(world: World, probe) -> None:
    """Handed down by a variable that the host's own `os.environ` never shows."""
    world.on("probe")
    program = """
import os, subprocess, sys
def main():
    if len(sys.argv) > 1:
        return 0
    assert 'OTEL_BRIDGE_RUN' not in os.environ
    session = os.path.expanduser('~/.local/state/otel-bridge/.session')
    os.utime(session, (1, 1))
    subprocess.run(sys.orig_argv + ['child'], check=True)
"""
    world.run(*probe(program))
    sessions = {attributes(item)["session.id"] for item in world.waiting("probe")}
    assert len(world.waiting("probe")) == 2
    assert len(sessions) == 1


def test_nonsense_handed_down_is_no_session(world: World) -> None:
    """A parent that says anything else is not believed, and what it says is nowhere."""
    world.on()
    world.run("kitchen", "list", OTEL_BRIDGE_RUN="marker-7f3a-../../x")
    assert UUID8.fullmatch(attributes(world.waiting()[0])["session.id"])
    assert b"marker-7f3a" not in world.bytes_in()


def test_no_installation_id_in_continuous_integration(world: World) -> None:
    """The session is told, the installation is not, for it would be one of thousands that live for a minute."""
    world.run("kitchen", "list", GITHUB_ACTIONS="true", KITCHEN_TELEMETRY="on")
    ((installation, session),) = ids(world)
    assert installation is None and UUID8.fullmatch(session or "")
    assert plain(world.waiting()[0].resource["attributes"])["otel_bridge.ci"] == "github"
    assert world.json("otel-bridge", "status", "--product", "kitchen", "--json", GITHUB_ACTIONS="true")["installation_id"] is None


def test_an_agent_is_told_apart_from_a_person(world: World) -> None:
    """Its name, from the table, beside the installation."""
    world.run("kitchen", "list", CLAUDECODE="1", KITCHEN_TELEMETRY="on")
    assert plain(world.waiting()[0].resource["attributes"])["otel_bridge.agent"] == "claude"


def test_reset_makes_another_installation_and_session(world: World) -> None:
    """The next run is somebody else; the old id stays here, for `forget`."""
    world.on()
    world.run("kitchen", "list")
    world.run("otel-bridge", "reset-id", "--product", "kitchen")
    world.run("kitchen", "list")
    (first, _), (second, _) = [
        (plain(item.resource["attributes"])["app.installation.id"], 0) for item in spool.waiting(world.state / "kitchen")["traces"]
    ]
    assert first != second
    assert len({attributes(item)["session.id"] for item in world.waiting()}) == 2
    assert (world.state / "kitchen/ids").read_text().split() == [first, second]


def test_a_reset_ends_the_session_of_children_too(world: World, probe) -> None:
    """A shell that a run has started goes on after `reset-id`, but what it starts is another session."""
    world.on("probe")
    program = f"""
import subprocess, sys
def main():
    if len(sys.argv) == 1:
        subprocess.run([{str(BIN / "otel-bridge")!r}, 'reset-id', '--product', 'probe'], check=True, capture_output=True)
        subprocess.run(sys.orig_argv + ['child'], check=True)
"""
    world.run(*probe(program))
    told = ids(world, "probe")
    assert len({installation for installation, _ in told}) == len({session for _, session in told}) == 2


def test_a_product_may_have_no_identity(world: World, probe) -> None:
    """`identity = "none"`: no secret is made and no id is told, sessions are."""
    pyproject = world.root / "probe-src/pyproject.toml"
    pyproject.write_text(pyproject.read_text() + 'identity = "none"\n')
    world.run("otel-bridge", "compile", str(pyproject.with_name("telemetry.yaml")))
    world.on("probe")
    world.run(*probe("def main(): pass\n"))
    ((installation, session),) = ids(world, "probe")
    assert installation is None and UUID8.fullmatch(session or "")
    assert not (world.state / "probe/secret").exists()


def test_the_period_decides_the_id(world: World) -> None:
    """Once its period is over, the next run has another id, by the same secret."""
    world.on()
    world.run("kitchen", "list")
    identity = world.state / "kitchen/identity"
    before = identity.read_text()
    identity.write_text(re.sub(r"until = \d+", "until = 5", before))
    world.run("kitchen", "list")
    assert sorted(identity.read_text().splitlines()) == sorted(before.splitlines())  # the calendar has not moved
    secret = bytes.fromhex((world.state / "kitchen/secret").read_text().partition(" = ")[2])
    assert installation_id(secret, "kitchen", period(int(time.time()), "quarter")[0]) in before


def test_a_first_run_reads_no_hardware_and_writes_no_host_name(world: World, needs) -> None:
    """Seen by strace: no machine-id, no MAC address, no serial number; a planted host name is in no byte written."""
    if os.geteuid() != 0 or subprocess.run([needs("unshare"), "--uts", "true"], capture_output=True).returncode:
        assert not os.environ.get("CI"), "no UTS namespace is to be had, and CI must show this"
        pytest.skip("no UTS namespace: a host name cannot be planted")
    world.on()
    marker = "marker-host-5d1c"
    trace = world.root / "trace"
    traced = (needs("strace"), "-f", "-s", "65536", "-o", str(trace), str(BIN / "python"), str(BIN / "kitchen"), "list")
    world.run(
        "unshare", "--uts", "sh", "-c", f'hostname {marker} && [ "$(hostname)" = {marker} ] && exec "$@"', "sh", *traced, ok=None
    )
    calls = trace.read_text(errors="replace").splitlines()
    opened = [call for call in calls if re.search(r"\b(open|openat|readlink|stat|newfstatat)\(", call)]
    forbidden = (
        "machine-id",
        "/sys/class/net",
        "/sys/class/dmi",
        "/proc/net",
        "/proc/cpuinfo",
        "product_uuid",
        "SIOCGIFHWADDR",
        "/etc/hostname",
    )
    assert len(opened) > 100
    assert not [call for call in calls if any(word in call for word in forbidden)]
    assert not [call for call in calls if re.search(r"\b(socket|connect|ioctl)\(.*(AF_INET|AF_PACKET|SIOCG)", call)]
    assert world.waiting()
    assert not [call for call in calls if marker in call and not re.search(r"\buname\(", call)]
    assert marker.encode() not in world.bytes_in()


def test_the_reading_of_the_trace_can_fail() -> None:
    """The same reading finds a program that does look at the machine."""
    code = "open('/etc/machine-id', 'a+').close() if False else __import__('os').path.exists('/etc/machine-id')"
    if not Path("/usr/bin/strace").exists():
        pytest.skip("strace is missing; `make system-deps` installs it on Debian")
    done = subprocess.run(["strace", "-f", sys.executable, "-c", code], capture_output=True, text=True)
    assert [call for call in done.stderr.splitlines() if "machine-id" in call]
