"""The profile kafka on a real engine: collector, broker and worker find each other by the names in docker-compose.yml.

No image can be fetched here, so the broker is the one of test_kafka.py, in a container that sees the host's Java; its properties are
made from the service's own environment by the rule of the publisher's image: KAFKA_NODE_ID is node.id.
"""

import base64
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import broker
import engine
import numbered
import pytest
import yaml
from collectors import eventually
from engine import Deployment

PROFILE = {"COMPOSE_PROFILES": "kafka", "OTEL_BRIDGE_SINK": "kafka"}


@pytest.fixture(scope="module")
def docker() -> Iterator[Mapping[str, str]]:
    broker.needed()
    with engine.engine_with_image() as told:
        yield told


@pytest.fixture
def deployed(docker: Mapping[str, str], tmp_path: Path) -> Iterator[Deployment]:
    with engine.deployment(docker, tmp_path / "deployment") as made:
        yield made


def with_the_hosts_java(deployed: Deployment) -> str:
    """An override of the broker's image; the value is where its Java is."""
    told = yaml.safe_load(deployed.compose("config", **PROFILE).stdout)["services"]["kafka"]["environment"]
    names = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value for name, value in told.items() if name != "KAFKA_HEAP_OPTS"
    }
    (deployed.folder / "server.properties").write_text("".join(f"{name}={value}\n" for name, value in names.items()))
    java = os.path.realpath(shutil.which("java") or "")
    seen = ["/usr", "/lib", "/lib64", *map(str, Path("/etc").glob("java*")), java.removesuffix("/bin/java")]
    volumes = [f"{path}:{path}:ro" for path in dict.fromkeys(seen) if Path(path).exists()]
    volumes += [f"{broker.JARS}:/jars:ro", f"{deployed.folder}:/broker:ro", "kafka-data:/var/lib/kafka/data"]
    entry = [
        java,
        "-Xmx512m",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
        "/jars/*",
        "kafka.Kafka",
        "/broker/server.properties",
    ]
    kafka = f"{{image: '{engine.IMAGE}', user: '0:0', entrypoint: {entry!r}, volumes: !override {volumes!r}, tmpfs: ['/tmp:exec']}}"
    deployed.override = f"services: {{kafka: {kafka}}}"
    return java


def test_events_go_from_the_collector_over_the_broker_to_the_workers_sink(deployed: Deployment) -> None:
    """`OTEL_BRIDGE_SINK=kafka docker compose --profile kafka up -d`: 500 of 500 in the worker's files, with the broker stopped and
    started again in between.
    """
    java = with_the_hosts_java(deployed)
    cluster = base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=").replace("-", "A")
    words = ["-cp", "/jars/*", "kafka.tools.StorageTool", "format", "-t", cluster, "-c", "/broker/server.properties"]
    deployed.compose("run", "--rm", "--entrypoint", java, "kafka", *words, **PROFILE)
    deployed.up(**PROFILE)
    poster = numbered.Poster(deployed.endpoint)
    poster.send(200)
    deployed.compose("stop", "kafka", **PROFILE)
    poster.send(100)
    deployed.compose("start", "kafka", **PROFILE)
    poster.send(200)

    def at_worker() -> Counter[int]:
        return numbered.in_files(deployed.files("worker").glob("logs*.jsonl"))

    assert set(eventually(at_worker, poster.acknowledged, 120)) == poster.acknowledged == set(range(500))
