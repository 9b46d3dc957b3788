"""A Docker engine for the tests: the one that runs, or one of our own, in a folder of its own, gone with all it started."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from otel_bridge.collector.process import free_port

IMAGE = "otel-bridge-collector:system-test"


def missing(what: str) -> None:
    """A part that is missing: a failure in CI, elsewhere the reason for a skip."""
    assert not os.environ.get("CI"), what
    pytest.skip(what)


def compose_command() -> list[str]:
    """Docker's own compose, or the one that `make compose` built."""
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    built = ROOT / ".cache/docker-compose"
    if not built.exists():
        missing("Docker Compose is missing; `make compose` builds it")
    plugin = subprocess.run([built, "compose", "version"], capture_output=True).returncode == 0
    return [str(built), "compose"] if plugin else [str(built)]


@contextmanager
def engine() -> Iterator[dict[str, str]]:
    """The variables with which docker and compose find an engine. Ours leaves the host's firewall and bridges as they were."""
    if not shutil.which("docker"):
        missing("docker is missing; `make system-test-deps` installs it on Debian")
    if subprocess.run(["docker", "info"], capture_output=True, timeout=60).returncode == 0:
        yield {}
        return
    if not shutil.which("dockerd") or os.geteuid() != 0:
        missing("no Docker engine runs, and none can be started: that needs root and dockerd (Debian: docker.io)")
    folder = Path(tempfile.mkdtemp(prefix="engine-"))  # not tmp_path: a socket's path has at most 107 bytes
    told = {"DOCKER_HOST": f"unix://{folder}/docker.sock", "DOCKER_CONFIG": str(folder / "config")}
    try:
        with _containers_may_talk(), _dockerd(folder, told):
            yield told
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _containers_may_talk() -> Iterator[None]:
    """One rule, for a host whose firewall forwards nothing, as another engine may have left it."""
    rule = ["FORWARD", "--in-interface", "br-+", "--out-interface", "br-+", "--jump", "ACCEPT"]
    subprocess.run(["iptables", "--insert", *rule], capture_output=True, check=True)
    try:
        yield
    finally:
        subprocess.run(["iptables", "--delete", *rule], capture_output=True)


@contextmanager
def _dockerd(folder: Path, told: Mapping[str, str]) -> Iterator[None]:
    command = ["dockerd", "--host", told["DOCKER_HOST"], "--data-root", str(folder / "data"), "--exec-root", str(folder / "run")]
    command += ["--pidfile", str(folder / "pid"), "--bridge", "none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"]
    log = folder / "dockerd.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    try:
        until = time.monotonic() + 90
        while subprocess.run(["docker", "info"], env={**os.environ, **told}, capture_output=True).returncode:
            assert process.poll() is None and time.monotonic() < until, f"no engine:\n{log.read_text()[-3000:]}"
            time.sleep(0.2)
        yield
    finally:
        _stop(process, folder)


def _stop(process: subprocess.Popen[bytes], folder: Path) -> None:
    """SIGTERM stops the containers, then containerd; what is left after a minute is killed, by its id."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in left(folder):
        os.kill(pid, signal.SIGKILL)


@contextmanager
def deployment(engine: Mapping[str, str], folder: Path) -> Iterator["Deployment"]:
    """One that is down again at the end, with its volumes."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Deployment(engine, folder)
    try:
        yield made
    finally:
        made.override = ""
        made.compose("--profile", "*", "down", "--volumes", "--timeout", "5", "--remove-orphans")


@contextmanager
def engine_with_image() -> Iterator[dict[str, str]]:
    """An engine that has the image, built as `make image` builds it."""
    with engine() as told:
        words = [ROOT / "collector-config/image.sh", IMAGE]
        built = subprocess.run(words, env={**os.environ, **told}, capture_output=True, text=True, timeout=300)
        assert built.returncode == 0, built.stderr
        try:
            yield told
        finally:
            subprocess.run(["docker", "image", "rm", "--force", IMAGE], env={**os.environ, **told}, capture_output=True)


def left(folder: Path) -> list[int]:
    """Processes whose command line names a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(folder).encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@dataclass
class Deployment:
    """docker-compose.yml, up or not, under a project name and on ports of its own, with .env.example as its .env."""

    engine: Mapping[str, str]
    folder: Path
    project: str = ""
    override: str = ""  # YAML of one more compose file
    ports: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.project = self.project or f"system-test-{os.urandom(4).hex()}"
        self.ports = {f"OTEL_BRIDGE_{name}_PORT": str(free_port()) for name in ("HTTP", "GRPC", "METRICS")}

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ports['OTEL_BRIDGE_HTTP_PORT']}"

    def environment(self, **more: str) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_BRIDGE_", "COMPOSE_"))}
        return {**own, **self.engine, "OTEL_BRIDGE_COLLECTOR_IMAGE": IMAGE, **self.ports, **more}

    def compose(self, *words: str, ok: bool | None = True, **more: str) -> subprocess.CompletedProcess[str]:
        """Run compose as an operator does, with variables before it; `ok=None` accepts any exit code."""
        files = [ROOT / "docker-compose.yml"]
        if self.override:
            files.append(self.folder / "override.yml")
            files[-1].write_text(self.override)
        command = [*compose_command(), *(f"--file={file}" for file in files), f"--project-directory={ROOT}"]
        command += [f"--env-file={ROOT / '.env.example'}", f"--project-name={self.project}", *words]
        done = subprocess.run(command, env=self.environment(**more), cwd=ROOT, capture_output=True, text=True, timeout=180)
        if ok is not None:
            assert (done.returncode == 0) is ok, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}\n{self.log()}"
        return done

    def docker(self, *words: str, ok: bool = True) -> str:
        done = subprocess.run(["docker", *words], env=self.environment(), capture_output=True, text=True, timeout=120)
        assert not ok or done.returncode == 0, f"docker {words}: {done.stderr}"
        return done.stdout

    def container(self, service: str = "collector") -> str:
        """The name of a service's one container."""
        return f"{self.project}-{service}-1"

    def inspected(self, service: str = "collector") -> dict[str, Any]:
        return json.loads(self.docker("inspect", self.container(service)))[0]

    def log(self, service: str = "collector") -> str:
        words = ["docker", "logs", "--tail", "40", self.container(service)]
        done = subprocess.run(words, env=self.environment(), capture_output=True, text=True, timeout=60)
        return (done.stdout + done.stderr)[-3000:]

    def up(self, *words: str, **more: str) -> None:
        """Up, and healthy."""
        self.compose("up", "--detach", "--wait", "--wait-timeout", "60", *words, **more)

    def healthy(self, most: float = 30) -> dict[str, Any]:
        """Wait until the engine calls the collector healthy, at most so many seconds; what it says of the container then."""
        until = time.monotonic() + most
        while (found := self.inspected())["State"]["Health"]["Status"] != "healthy":
            assert time.monotonic() < until, self.log()
            time.sleep(0.2)
        return found

    def files(self, service: str = "collector") -> Path:
        """A copy of what a service has written to its volume, as it is now."""
        copy = self.folder / f"{service}-{time.monotonic_ns()}"
        self.docker("cp", f"{self.container(service)}:/data/out", str(copy))
        return copy
