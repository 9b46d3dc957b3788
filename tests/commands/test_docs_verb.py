"""`otel-bridge docs`: the pages of a product are written, held current, and never over somebody else's."""

import shutil
from pathlib import Path

import pytest
from conftest import ROOT, World

from otel_bridge import schema
from otel_bridge.commands.docs import examples, outputs
from otel_bridge.commands.list import collects
from otel_bridge.privacy.form import formed
from otel_bridge.schema.compile import read, render
from otel_bridge.schema.pages import groups
from otel_bridge.schema.registry import joined

KITCHEN = ROOT / "examples/kitchen/telemetry.yaml"


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    """A copy of kitchen with current pages; its telemetry.yaml."""
    file = Path(shutil.copytree(KITCHEN.parent, tmp_path / "kitchen", ignore=shutil.ignore_patterns("*.pyc"))) / "telemetry.yaml"
    for path, content in outputs(schema.load(file)).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return file


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_nothing_is_said_when_all_is_current(world: World, kitchen: Path) -> None:
    """The second time nothing is written, and `--check` agrees."""
    assert world.run("otel-bridge", "docs", str(kitchen)).stdout == ""
    assert world.run("otel-bridge", "docs", "--check", str(kitchen)).stdout == ""


def test_check_names_each_stale_page(world: World, kitchen: Path) -> None:
    """After a brief and a policy changed: the pages that say them, and no other; nothing is written."""
    change(kitchen, "brief: An instance was removed.", "brief: An instance is gone.")
    change(kitchen, "brief: How cookbooks are resolved.", "brief: How.")
    change(kitchen, "values: [berkshelf, librarian, none, policyfile]", "values: [policyfile]")
    before = {path: path.read_bytes() for path in kitchen.parent.rglob("*.md")}
    told = world.run("otel-bridge", "docs", "--check", str(kitchen), ok=False)
    names = ("TELEMETRY.md", "docs/events/README.md", "docs/events/kitchen.converge.md", "docs/events/kitchen.destroy.md")
    assert told.stdout == "".join(f"{kitchen.parent / name}: not current; run `otel-bridge docs`\n" for name in names)
    assert {path: path.read_bytes() for path in kitchen.parent.rglob("*.md")} == before
    assert world.run("otel-bridge", "docs", str(kitchen)).stdout == told.stdout.replace(
        "not current; run `otel-bridge docs`", "written"
    )


def test_an_event_that_is_gone_leaves_no_page(world: World, kitchen: Path) -> None:
    """A renamed event has one page, the new one; a page that somebody wrote by hand stays."""
    events = kitchen.parent / "docs/events"
    (events / "notes.md").write_text("# By hand\n")
    change(kitchen, "- name: kitchen.destroy", "- name: kitchen.remove")
    told = world.run("otel-bridge", "docs", "--check", str(kitchen), ok=False).stdout
    assert told.endswith(f"{events / 'kitchen.destroy.md'}: not current; run `otel-bridge docs`\n")
    assert world.run("otel-bridge", "docs", str(kitchen)).stdout.endswith(f"{events / 'kitchen.destroy.md'}: removed\n")
    assert not (events / "kitchen.destroy.md").exists()
    assert (events / "kitchen.remove.md").exists() and (events / "notes.md").exists()
    world.run("otel-bridge", "docs", "--check", str(kitchen))


def test_a_page_that_somebody_wrote_is_not_replaced(world: World, kitchen: Path) -> None:
    """A TELEMETRY.md of the product's own is left alone, and nothing else is written either."""
    page = kitchen.parent / "TELEMETRY.md"
    page.write_text("# Our own\n")
    (kitchen.parent / "docs/events/README.md").unlink()
    told = world.run("otel-bridge", "docs", str(kitchen), ok=False)
    assert told.stderr == f"{page}: somebody else has written it; move it away, then run `otel-bridge docs` again\n"
    assert page.read_text() == "# Our own\n"
    assert not (kitchen.parent / "docs/events/README.md").exists()


def test_an_example_is_what_could_be_sent() -> None:
    """Every value that the pages show has the form that its policy leaves, as the sender checks it."""
    registry = schema.load(KITCHEN)
    names = {name: joined(found) for name, found in registry.names.items()}
    shown = examples(registry)
    for group in groups(registry):
        given = shown[group.name]
        assert formed(tuple(one.spec for one in group.fields), given, names) == (given, 0)


def test_the_list_says_how_often_and_until_when(tmp_path: Path, kitchen: Path) -> None:
    """`list --json` has an event's sample rate and an attribute's end, read from the compiled registry alone."""
    change(
        kitchen,
        "- name: kitchen.destroy\n    annotations: {privacy: {category: interaction}}",
        "- name: kitchen.destroy\n    annotations: {privacy: {category: interaction, sample_rate: 0.25}}",
    )
    change(kitchen, 'purpose: "Which transports are used?"', 'purpose: "Which transports are used?", expires: 2099-01-01')
    compiled = tmp_path / "_telemetry.py"
    registry = schema.load(kitchen)
    compiled.write_text(render(registry, dict.fromkeys(registry.names, "0" * 16)))
    told = collects(read(compiled))
    rates = {event["name"]: event["sample_rate"] for event in told["events"]}
    assert rates.pop("kitchen.destroy") == 0.25
    assert set(rates.values()) == {1.0}
    ends = {key: one["expires"] for key, one in told["attributes"].items() if one["expires"]}
    assert ends == {"kitchen.transport": "2099-01-01"}
    assert told["attributes"]["otel_bridge.sample_rate"]["keeps"] == "always 0.25"
