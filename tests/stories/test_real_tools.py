"""Five real tools from PyPI, and one made with typer: registered, one line of their scripts changed, and otherwise as they were."""

import os
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from conftest import ROOT, World, attributes
from tools.runs import FILES, PLANTED, PROJECT, TOOLS, Run

BIN = ROOT / ".cache/tools/bin"
REGISTRIES = ROOT / "tests/stories/tools"
SECRET = {"ZEBRA_TOKEN": "zebra-token", "TWINE_USERNAME": "zebra-user", "INVOKE_ZEBRA": "zebra", "PYTHONHASHSEED": "0"}
TIME = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d+"  # `black --diff` says when it was
OURS = (".local/state", ".local/share", ".config")  # there, below otel-bridge, is what we keep about a person


class _Answer(BaseHTTPRequestHandler):
    """Nothing is found, and nothing in the answer says when."""

    def do_GET(self) -> None:
        self.send_response_only(404)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Answer) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel and a source distribution of a tiny project, built by a real backend."""
    project = tmp_path_factory.mktemp("project")
    write(project, PROJECT)
    build = "from flit_core import buildapi as api; api.build_wheel('dist'); api.build_sdist('dist')"
    subprocess.run([str(installed("python")), "-c", f"import os; os.mkdir('dist'); {build}"], cwd=project, check=True)
    return project / "dist"


def installed(script: str) -> Path:
    """A program of the environment that has the tools."""
    assert (BIN / script).exists(), "the tools are missing; `make tools` installs them"
    return BIN / script


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        os.utime(folder / name, (1_000_000_000, 1_000_000_000))  # bytecode and caches hold it


def clear(world: World) -> None:
    """Remove what a run has left, but nothing of ours."""
    for path in sorted(path for folder in (world.home, world.work, world.root / "tmp") for path in folder.rglob("*")):
        if path.exists() and "otel-bridge" not in path.parts and not any(path.rglob("otel-bridge")):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def left(world: World) -> dict[str, bytes]:
    """The files that a run has left, ours aside; of a cache only that they are there, and of temporary ones not their random names."""
    found = {str(path.relative_to(world.root)): path for path in world.root.rglob("*") if "otel-bridge" not in path.parts}
    return {
        re.sub(r"^tmp/tmp\w+", "tmp/one", name): path.read_bytes() if path.is_file() and ".cache" not in path.parts else b""
        for name, path in found.items()
    }


def script(world: World, name: str, changed: bool) -> str:
    """A copy of an installed console script, with its import line changed or not; always in the same place."""
    text = installed(name).read_text()
    if changed:
        text, lines = re.subn(r"^from (\S+) import", r"from otel_bridge.auto.\1 import", text, flags=re.MULTILINE)
        assert lines == 1
    copy = world.root / "bin" / name
    copy.parent.mkdir(exist_ok=True)
    copy.write_text(text)
    copy.chmod(0o755)
    return str(copy)


def done(world: World, tool: str, words: list[str], dist: Path, changed: bool) -> tuple[int, str, str, dict[str, bytes]]:
    """Run a tool where its own files are as at first: its exit code, output, errors, and the files that it left."""
    clear(world)
    write(world.work, FILES[tool])
    if tool == "twine":
        shutil.copytree(dist, world.work / "zebra-dist")
    if tool == "httpie":  # or it looks for a newer version of itself
        (world.home / ".config/httpie").mkdir(parents=True, exist_ok=True)
        (world.home / ".config/httpie/config.json").write_text('{"disable_update_warnings": true}')
    told = world.run(script(world, words[0], changed), *words[1:], ok=None, **SECRET)
    (world.root / "bin" / words[0]).unlink()
    several = words[-1] == "."  # which of them is first is chance
    said = "\n".join(sorted(told.stderr.splitlines())) if several else told.stderr
    return told.returncode, re.sub(TIME, "TIME", told.stdout), said, left(world)


def span(world: World, tool: str, runs: int) -> dict:
    """What the last run recorded, ids and times aside; the spool has one span a run and nothing else."""
    items = world.waiting(tool)
    assert [item.signal for item in items] == ["traces"] * runs
    item, body = items[-1], dict(items[-1].body)
    times = [int(body.pop(key)) for key in ("startTimeUnixNano", "endTimeUnixNano")]
    assert 0 < times[0] < times[1] and len(body.pop("traceId")) == 32 and len(body.pop("spanId")) == 16
    told = attributes(item)
    assert re.fullmatch(r"[0-9a-f-]{36}", told.pop("session.id"))
    product = {one["key"]: one["value"]["stringValue"] for one in item.resource["attributes"] if one["key"].startswith("service.")}
    return {**body, "attributes": told, "product": product}


def expected(tool: str, run: Run) -> dict:
    """The whole span of a run."""
    version = re.search(
        rf"^{tool}==(.*)$", (REGISTRIES / "constraints.txt").read_text() + (ROOT / "constraints.txt").read_text(), re.M
    )
    told = {"process.executable.name": run.line.split()[0], "process.exit.code": run.code, "otel_bridge.sequence": 1}
    failed = {"error.type": "_OTHER"} if run.code else {}
    return {
        "name": "cli.run",
        "kind": 1,
        "flags": 256,
        "status": {"code": 2} if run.code else {},
        "attributes": {**told, **failed, **run.told},
        "product": {"service.name": tool, "service.version": version and version[1]},
    }


@pytest.mark.parametrize("tool", TOOLS)
def test_a_registered_tool_works_as_before_and_each_run_is_one_span(world: World, server: str, dist: Path, tool: str) -> None:
    """Same exit code, output, errors and files with one import line changed; one `cli.run` span a run; no value that was planted."""
    registry = str(REGISTRIES / tool / "telemetry.yaml")
    world.run("otel-bridge", "check", registry)
    world.run("otel-bridge", "register", registry)
    world.on(tool)
    ours, bare, spans = {}, {}, {}
    for number, run in enumerate(TOOLS[tool], 1):
        words = shlex.split(run.line.replace("SERVER", server))
        bare[run.line] = done(world, tool, words, dist, changed=False)
        ours[run.line] = done(world, tool, words, dist, changed=True)
        spans[run.line] = span(world, tool, number)
    assert ours == bare
    assert {line: told[0] for line, told in ours.items()} == {run.line: run.code for run in TOOLS[tool]}
    assert spans == {run.line: expected(tool, run) for run in TOOLS[tool]}
    assert sum(PLANTED in run.line for run in TOOLS[tool]) >= 3
    assert [re.findall(rb"(?i)[a-z-]*zebra[a-z-]*", world.bytes_in(place, "otel-bridge")) for place in OURS] == [[], [], []]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_registered_tool_that_is_off_leaves_nothing(world: World, server: str, dist: Path, tool: str) -> None:
    """Registered, changed, and nobody agreed: the first run is as the bare one, and nothing of ours appears but the registry."""
    world.run("otel-bridge", "register", str(REGISTRIES / tool / "telemetry.yaml"))
    words = shlex.split(TOOLS[tool][-1].line.replace("SERVER", server))
    bare, ours = (done(world, tool, words, dist, changed) for changed in (False, True))
    assert ours == bare
    assert not world.state.exists()
