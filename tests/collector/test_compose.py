"""docker-compose.yml, as Docker Compose itself reads it."""

import os
import re
import shutil
import subprocess

import pytest
import yaml
from conftest import ROOT, World


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
    assert files == ["base.yaml", *(f"sinks/{sink}.yaml" for sink in sinks), "overlays/none.yaml", "privacy.yaml"]
    assert all((ROOT / "collector-config" / file).is_file() for file in files)


def test_the_container_holds_nothing_it_does_not_need(compose: list[str], world: World) -> None:
    """No root, no writable root folder, no capability, and ports on the loopback alone."""
    found = config(compose, world, "--profile", "hec-peer")["services"]
    assert sorted(found) == ["collector", "hec-peer"]
    for service in found.values():
        assert (service["user"], service["read_only"], service["cap_drop"]) == ("10001:10001", True, ["ALL"])
    assert {port["host_ip"] for port in found["collector"]["ports"]} == {"127.0.0.1"}
    assert "ports" not in found["hec-peer"]


def test_without_its_profile_the_peer_is_not_there(compose: list[str], world: World) -> None:
    """By default the collector runs alone."""
    assert sorted(config(compose, world)["services"]) == ["collector"]


def test_the_image_is_built_from_nothing() -> None:
    """One stage, FROM scratch, not as root; its default command ends with privacy.yaml."""
    text = (ROOT / "collector-config/Dockerfile").read_text()
    assert re.findall(r"^FROM (.*)$", text, re.MULTILINE) == ["scratch"]
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001:10001"]
    assert re.findall(r"^CMD .*config=([^\"]*)\"\]$", text, re.MULTILINE) == ["/etc/otel-bridge/privacy.yaml"]
