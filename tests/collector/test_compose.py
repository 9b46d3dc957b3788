"""docker-compose.yml, as Docker Compose itself reads it."""

import os
import re
import shutil
import subprocess

import pytest
import yaml
from conftest import ROOT, World

from otel_bridge.collector.obstacles import values


@pytest.fixture
def compose() -> list[str]:
    """Docker's own compose, or the one that `make compose` built."""
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    built = ROOT / ".cache/docker-compose"
    assert built.exists(), "Docker Compose is missing; `make compose` builds it"
    return (
        [str(built), "compose"]
        if subprocess.run([built, "compose", "version"], capture_output=True).returncode == 0
        else [str(built)]
    )


def config(compose: list[str], world: World, *words: str, **more: str) -> dict:
    environment = {**world.environment(**more), "PATH": os.environ["PATH"]}
    command = [*compose, "--file", str(ROOT / "docker-compose.yml"), *words, "config"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)


@pytest.mark.parametrize(
    ("more", "sinks"),
    [
        ({}, ["file", "none"]),
        ({"OTEL_BRIDGE_SINK": "splunk"}, ["splunk", "none"]),
        ({"OTEL_BRIDGE_SINK": "file", "OTEL_BRIDGE_SINK_2": "splunk"}, ["file", "splunk"]),
    ],
)
def test_one_variable_switches_the_sink(compose: list[str], world: World, more: dict[str, str], sinks: list[str]) -> None:
    """The files of the collector's command: base first, the chosen sinks, privacy last; each exists."""
    collector = config(compose, world, **more)["services"]["collector"]
    files = [word.removeprefix("--config=/etc/otel-bridge/") for word in collector["command"]]
    chosen = ["base.yaml", *(f"sinks/{sink}.yaml" for sink in sinks), "overlays/none.yaml"]
    assert files == [*chosen, "--config=/run/secrets/none.yaml", "privacy.yaml"]
    assert all((ROOT / "collector-config" / file).is_file() for file in (*chosen, "privacy.yaml"))
    assert yaml.safe_load((ROOT / "secrets/none.yaml").read_text()) == {}


OURS = {"collector", "hec-peer", "replay", "validate", "worker"}


def test_every_variable_that_a_file_reads_reaches_the_container(compose: list[str], world: World) -> None:
    """What base, sinks and overlays say that they read, an operator can set in .env: compose passes it on, or sets it itself."""
    names = set()
    for file in (ROOT / "collector-config").glob("*/*.yaml"):
        if file.parent.name in ("sinks", "overlays") and file.stem != "hec-peer":
            names |= set(re.findall(r"^# (?:needs|may): (\w+)", file.read_text(), re.MULTILINE))
    names |= set(re.findall(r"\$\{env:(\w+)", (ROOT / "collector-config/base.yaml").read_text()))
    own = {"OTEL_BRIDGE_REPLAY_DIR", "OTEL_BRIDGE_SPLUNK_TOKEN_FILE"}  # of the service replay, and of `otel-bridge collector run`
    found = config(compose, world)["services"]["collector"]["environment"]
    assert sorted(names - own - set(found)) == []
    told = config(compose, world, **dict.fromkeys(names, "1234"))["services"]["collector"]["environment"]
    fixed = {name for name in names & set(told) if told[name] != "1234"}
    assert fixed == {
        *(f"OTEL_BRIDGE_{name}" for name in ("HTTP_ENDPOINT", "GRPC_ENDPOINT", "HEALTH_ENDPOINT", "METRICS_HOST", "METRICS_PORT")),
        *(f"OTEL_BRIDGE_{name}" for name in ("FILE_DIR", "QUEUE_DIR", "REPLAY_QUEUE_DIR")),
        *(f"OTEL_BRIDGE_{name}" for name in ("INGEST_TOKEN_FILE", "TLS_CERT", "TLS_KEY")),
    }


def test_an_empty_variable_is_the_default_of_the_file_that_reads_it(
    compose: list[str], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`OTEL_BRIDGE_MAX_BODY_BYTES=` in .env: the collector would read null, and null is no limit. Each default is the file's own."""
    folder = ROOT / "collector-config"
    files = [folder / "base.yaml", *folder.glob("sinks/*.yaml"), *folder.glob("overlays/*.yaml"), folder / "scale/sink-worker.yaml"]
    services = config(compose, world)["services"]
    unset = {name: value or None for name, value in services["collector"]["environment"].items()}
    for name in unset:
        monkeypatch.delenv(name, raising=False)
    defaults = {name: value for name, value in values(files).items() if value not in ("", "null")}
    here = {name for name in unset if name.endswith(("_ENDPOINT", "_HOST", "_DIR", "_BROKER", "TLS_CERT", "TLS_KEY"))}
    here.discard("OTEL_BRIDGE_S3_ENDPOINT")
    assert {name: unset[name] for name in defaults.keys() & unset.keys() - here} == {
        name: defaults[name] for name in defaults.keys() & unset.keys() - here
    }
    empty = config(compose, world, **dict.fromkeys(unset, ""))["services"]["collector"]["environment"]
    assert {name: value or None for name, value in empty.items()} == unset
    assert (unset["OTEL_BRIDGE_MAX_BODY_BYTES"], len(defaults) > 25) == ("262144", True)


def test_the_example_of_env_names_nothing_that_compose_does_not_read() -> None:
    """Each variable of .env.example, commented out or not, stands in docker-compose.yml or is Compose's own."""
    text = (ROOT / "docker-compose.yml").read_text()
    named = re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert len(named) > 15
    assert [name for name in named if name not in text and name != "COMPOSE_PROFILES"] == []


def test_the_container_holds_nothing_it_does_not_need(compose: list[str], world: World) -> None:
    """No root, no writable root folder, no capability, a bound on memory and log, and ports of the collector on the loopback alone."""
    found = config(compose, world, "--profile", "*")["services"]
    assert set(found) == {*OURS, "kafka"}
    for name, service in found.items():
        assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
        assert service["mem_limit"] and service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
        if name in OURS:  # the broker's image is not ours
            assert (service["user"], service["read_only"]) == ("10001:10001", True)
            assert service["mem_limit"] == service["memswap_limit"] == str(512 << 20)
    assert {port["host_ip"] for port in found["collector"].pop("ports")} == {"127.0.0.1"}
    assert [name for name, service in found.items() if "ports" in service] == []


@pytest.mark.parametrize(
    ("profile", "services"),
    [("hec-peer", ["collector", "hec-peer"]), ("kafka", ["collector", "kafka", "worker"]), ("replay", ["collector", "replay"])],
)
def test_a_profile_adds_what_it_is_for(compose: list[str], world: World, profile: str, services: list[str]) -> None:
    """Each beside the collector; every file that their commands name exists."""
    found = config(compose, world, "--profile", profile)["services"]
    assert sorted(found) == services
    words = [word for service in found.values() for word in service.get("command") or []]
    named = [word.removeprefix("--config=/etc/otel-bridge/") for word in words if "/etc/otel-bridge/" in word]
    assert [file for file in named if not (ROOT / "collector-config" / file).is_file()] == []


def test_without_its_profile_the_peer_is_not_there(compose: list[str], world: World) -> None:
    """By default the collector runs alone."""
    assert sorted(config(compose, world)["services"]) == ["collector"]


def test_the_image_is_built_from_nothing() -> None:
    """One stage, FROM scratch, not as root; its default command ends with privacy.yaml."""
    text = (ROOT / "collector-config/Dockerfile").read_text()
    assert re.findall(r"^FROM (.*)$", text, re.MULTILINE) == ["scratch"]
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001:10001"]
    assert re.findall(r"^CMD .*config=([^\"]*)\"\]$", text, re.MULTILINE) == ["/etc/otel-bridge/privacy.yaml"]
