"""A small product of another language, which carries no declaration: its settings and its registry, to be registered."""

import functools
import shutil
import tempfile
from pathlib import Path

from conftest import World

SETTINGS = """\
product = "other-tool"
version = "2.7.1"
scripts = ["sh", "tool"]
[registries]
plugins = "plugins.txt"
"""
REGISTRY = """\
file_format: definition/2
attributes:
  - {key: otel_bridge.command, type: string, stability: development, brief: The sub-command., examples: [build]}
  - key: tool.count
    type: int
    stability: development
    brief: How many.
    examples: [3]
    annotations: {privacy: {policy: count, max: 100, purpose: "How many?", category: interaction, owner: telemetry@example.org}}
  - key: tool.seconds
    type: double
    stability: development
    brief: How long.
    examples: [0.5]
    annotations: {privacy: {policy: bucket, bounds: [0.5, 1, 10], purpose: "How long?", category: interaction, owner: telemetry@example.org}}
  - key: tool.cached
    type: boolean
    stability: development
    brief: Whether it was there already.
    examples: [true]
    annotations: {privacy: {policy: boolean, purpose: "Does the cache help?", category: interaction, owner: telemetry@example.org}}
  - key: tool.kinds
    type: string[]
    stability: development
    brief: Which kinds.
    examples: [[red]]
    annotations: {privacy: {policy: enum, values: [red, green, blue], purpose: "Which kinds?", category: interaction, owner: telemetry@example.org}}
  - key: tool.plugin
    type: string
    stability: development
    brief: A public plugin.
    examples: [vagrant]
    annotations: {privacy: {policy: registry, registry: plugins, purpose: "Which plugins?", category: interaction, owner: telemetry@example.org}}
  - key: tool.since
    type: string
    stability: development
    brief: Since when.
    examples: ["2026-11-22"]
    annotations: {privacy: {policy: day, purpose: "Since when?", category: interaction, owner: telemetry@example.org}}
  - key: tool.frames
    type: string[]
    stability: development
    brief: Where it failed.
    examples: [["json.loads:1"]]
    annotations: {privacy: {policy: frames, purpose: "Where?", category: reliability, owner: telemetry@example.org}}
events:
  - name: tool.built
    stability: development
    requirement_level: recommended
    brief: Something was built.
    attributes:
      - {ref: tool.count, requirement_level: recommended}
      - {ref: tool.seconds, requirement_level: recommended}
      - {ref: tool.cached, requirement_level: recommended}
      - {ref: tool.kinds, requirement_level: recommended}
      - {ref: tool.plugin, requirement_level: recommended}
      - {ref: tool.since, requirement_level: recommended}
      - {ref: tool.frames, requirement_level: recommended}
  - name: tool.cleaned
    stability: development
    requirement_level: recommended
    brief: What was built is gone.
    annotations: {privacy: {sample_rate: 0.5}}
    attributes: [{ref: tool.count, requirement_level: recommended}]
spans:
  - type: cli.run
    kind: internal
    stability: development
    requirement_level: recommended
    brief: One run.
    name: {note: cli.run}
    attributes:
      - {ref: otel_bridge.command, annotations: {privacy: {values: [build, remote add, remote]}}}
"""
RUN = ("otel-bridge", "run", "--product", "other-tool", "--")
EMIT = ("otel-bridge", "emit", "--product", "other-tool")
ON = {"OTHER_TOOL_TELEMETRY": "on"}


def register(world: World, settings: str = SETTINGS, registry: str = REGISTRY) -> None:
    """Register the tool, in a world's own home."""
    folder = world.root / "declared"
    folder.mkdir(exist_ok=True)
    (folder / "otel-bridge.toml").write_text(settings)
    (folder / "telemetry.yaml").write_text(registry)
    (folder / "plugins.txt").write_text("vagrant\ndocker\n")
    world.run("otel-bridge", "register", str(folder / "telemetry.yaml"))


def register_once(world: World) -> None:
    """The same, by a copy of what was registered for the first test that asked."""
    shutil.copytree(Path(_registered().name) / "home/.local/share", world.home / ".local/share", symlinks=True)


@functools.cache
def _registered() -> "tempfile.TemporaryDirectory[str]":
    kept = tempfile.TemporaryDirectory(prefix="otel-bridge-tool-")
    world = World(Path(kept.name))
    for folder in (world.home, world.work, world.root / "tmp"):
        folder.mkdir()
    register(world)
    return kept
