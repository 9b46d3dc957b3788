"""A shell script, a Go program and a Makefile report: the real programs run, and what they recorded is looked at."""

import os
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, World, attributes
from other_tool import EMIT, ON, RUN, register_once

SHELL, GO = ROOT / "examples/shell", ROOT / "examples/go"
MARK = "mRk3rQ7x"


def told(world: World, product: str) -> list[dict[str, object]]:
    """What waits of a product, each with its name; ids and order numbers left out."""
    found = []
    for item in world.waiting(product):
        kept = {key: value for key, value in attributes(item).items() if not key.endswith((".id", ".uid", ".sequence"))}
        found.append({"": item.body.get("eventName") or item.body["name"], **kept})
    return found


def traces(world: World, product: str) -> set[tuple[str, str]]:
    return {(item.body["traceId"], item.body["spanId"]) for item in world.waiting(product)}


@pytest.fixture
def photos(world: World) -> World:
    """A world in which `pack` is registered, and a folder with three files."""
    (world.work / "photos").mkdir()
    for name in ("a", "b", "c"):
        (world.work / "photos" / name).write_text(name)
    world.run("otel-bridge", "register", str(SHELL / "telemetry.yaml"))
    return world


def test_a_shell_script_reports_its_run_and_an_event(photos: World) -> None:
    """`pack` starts itself below `run` and tells by `emit`: both in one trace, with declared values only."""
    photos.on("pack")
    done = photos.run(str(SHELL / "pack"), "create", "photos", "bz2")
    assert (done.stdout, done.stderr) == ("photos.tar.bz2\n", "")
    assert photos.run(str(SHELL / "pack"), "list", "photos.tar.bz2").stdout.splitlines()[0] == "photos/"
    assert photos.run(str(SHELL / "pack"), "create", "photos", "rar", ok=False).returncode == 2
    run = {"": "cli.run", "process.executable.name": "pack"}
    assert told(photos, "pack") == [
        {"": "pack.created", "pack.files": 10, "pack.format": "bz2"},
        {**run, "otel_bridge.command": "create", "process.exit.code": 0},
        {**run, "otel_bridge.command": "list", "process.exit.code": 0},
        {**run, "otel_bridge.command": "create", "process.exit.code": 2, "error.type": "_OTHER"},
    ]
    assert len(traces(photos, "pack")) == 3  # the event is in the trace of the first run


@pytest.mark.parametrize("more", [{}, {"DO_NOT_TRACK": "1"}, {"PATH": "/usr/bin:/bin"}, {"PACK_TELEMETRY": "on"}])
def test_the_script_does_the_same_with_and_without_telemetry(photos: World, more: dict[str, str]) -> None:
    """Undecided, off, without otel-bridge, on: the same output and exit codes."""
    found = []
    for words in (["create", "photos"], ["list", "photos.tar.gz"], ["create", "nothing"], ["creat"], []):
        done = photos.run(str(SHELL / "pack"), *words, ok=None, **more)
        found.append((done.returncode, done.stdout.splitlines()[:1], done.stderr.splitlines()[:1]))
    usage = ["usage: pack create FOLDER [gz|bz2|xz] | pack list ARCHIVE"]
    assert found == [
        (0, ["photos.tar.gz"], []),
        (0, ["photos/"], []),
        (2, [], ["tar: nothing: Cannot stat: No such file or directory"]),
        (2, [], usage),
        (2, [], usage),
    ]
    assert photos.state.exists() == ("PACK_TELEMETRY" in more)


@pytest.fixture(scope="session")
def skim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go example, compiled."""
    go = runpy.run_path(str(ROOT / "collector-config/build.py"))["toolchain"]()
    program = tmp_path_factory.mktemp("go") / "skim"
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"}
    subprocess.run([go, "build", "-o", program, "."], cwd=GO, env=environment, check=True)
    return program


def test_a_go_program_reports_its_run_and_an_event(world: World, skim: Path) -> None:
    """`skim` does the same from Go: numbers and a boolean, through pipes, with its own exit code."""
    world.run("otel-bridge", "register", str(GO / "telemetry.yaml"))
    world.on("skim")
    (world.work / "text").write_text("one three two\n" * 50)
    assert world.run(str(skim), "count", "text").stdout == "150\n"
    piped = f"cat text | {skim} longest | cat"
    assert world.run("sh", "-c", piped).stdout == "three\n"
    assert world.run(str(skim), "count", "nothing", ok=False).stderr == "skim: open nothing: no such file or directory\n"
    event = {"": "skim.read", "skim.seconds": 0.1, "skim.standard_input": False, "skim.words": 1000}
    run = {"": "cli.run", "process.executable.name": "skim"}
    assert told(world, "skim") == [
        event,
        {**event, "skim.standard_input": True},
        {**run, "otel_bridge.command": "count", "process.exit.code": 0},
        {**run, "otel_bridge.command": "longest", "process.exit.code": 0},
        {**run, "otel_bridge.command": "count", "process.exit.code": 1, "error.type": "_OTHER"},
    ]
    assert len(traces(world, "skim")) == 3
    for more in ({"DO_NOT_TRACK": "1"}, {"PATH": "/usr/bin:/bin"}):
        assert world.run(str(skim), "count", "text", **more).stdout == "150\n"
    assert len(told(world, "skim")) == 5


def test_make_reports_what_it_built(world: World) -> None:
    """A recipe that emits: on, an event; off, nothing; a mistake stops the build where nobody lets it pass."""
    register_once(world)
    line = " ".join(EMIT)
    (world.work / "Makefile").write_text(
        f"all:\n\t@echo built\n\t@{line} tool.built tool.count=4 tool.cached=false\nwrong:\n\t@{line} tool.bulit\n\t@echo built\n"
    )
    make = shutil.which("make") or "make"
    for more in ({}, ON):
        assert world.run(make, "all", **more).stdout == "built\n"
    assert told(world, "other-tool") == [{"": "tool.built", "tool.cached": False, "tool.count": 4}]
    done = world.run(make, "wrong", ok=False, **ON)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("otel-bridge emit: `tool.bulit` is no event of other-tool; write `tool.built`?\n")
    assert world.run(make, "wrong").stdout == "built\n"


def test_no_marker_is_written_or_leaves(world: World) -> None:
    """One unique text in every word, value, variable, program name and folder: not in the spool, not in what leaves."""
    register_once(world)
    folder = world.work / f"folder-{MARK}"
    folder.mkdir()
    program = folder / f"program-{MARK}"
    emits = [
        f"tool.plugin={MARK} tool.kinds={MARK},red tool.kinds={MARK}",
        f"tool.plugin=vagrant{MARK} tool.count=1",
        f"{MARK}=1",
        f"tool.count={MARK}",
        f"tool.since={MARK}",
        f"tool.seconds=1{MARK}",
    ]
    lines = [f"{' '.join(EMIT)} tool.built {words}" for words in emits] + [f"{' '.join(EMIT)} {MARK}"]
    program.write_text("#!/bin/sh\n" + "\n".join(lines) + f"\necho {MARK}; echo {MARK} >&2; exit 3\n")
    program.chmod(0o755)
    script = f"""
cd folder-{MARK}
export V_{MARK}={MARK} PYTHONSTARTUP={MARK} OTEL_RESOURCE_ATTRIBUTES={MARK}={MARK} OTEL_SERVICE_NAME={MARK} TERM={MARK}
{" ".join(RUN)} ./program-{MARK} {MARK} build --{MARK}={MARK} {MARK}
{" ".join(RUN)} build-{MARK} build
{" ".join(RUN)} sh -c 'kill -TERM $$' {MARK}
{" ".join(RUN)} sh build{MARK} 'build {MARK}'
PATH=$PWD:$PATH {" ".join(RUN)} program-{MARK} remote add {MARK}
OTEL_BRIDGE_RUN={MARK}-1-{MARK} {" ".join(EMIT)} tool.built tool.plugin={MARK}
"""
    environment = world.environment(**ON)
    subprocess.run(["sh", "-c", script], cwd=world.work, env=environment, capture_output=True, timeout=300)
    names = [item.body.get("eventName") or item.body["name"] for item in world.waiting("other-tool")]
    assert (names.count("tool.built"), names.count("cli.run")) == (5, 5)  # two of each run of the program, one alone
    leaving = world.run("otel-bridge", "preview", "--product", "other-tool", "--format", "json", **ON).stdout.encode()
    assert leaving.count(b"tool.built") >= 5
    for content in (world.bytes_in(), leaving):
        for form in (MARK, MARK.lower(), MARK[::-1], MARK.encode().hex()):
            assert form.encode() not in content
