"""What the documents say is what the code does."""

import re

import pytest
from conftest import BIN, ROOT, World

from otel_bridge.commands import VERBS
from otel_bridge.instrument import DRAIN_EVERY
from otel_bridge.settings import ROWS

TEXTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]


def test_every_verb_stands_in_the_readme() -> None:
    """What `otel-bridge` can do, the README names."""
    assert [verb for verb in VERBS if f"otel-bridge {verb}" not in (ROOT / "README.md").read_text()] == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path) -> None:
    """Every relative link names a file of this repository."""
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
        if "://" not in link:
            assert (path.parent / link).exists(), link


def test_every_variable_that_the_package_reads_is_a_setting() -> None:
    """No `OTEL_BRIDGE_*` in the code that is not a row of settings.py, or one of the collector's own."""
    named = {
        word
        for file in (ROOT / "otel_bridge").rglob("*.py")
        for word in re.findall(r"OTEL_BRIDGE_[A-Z0-9_]*[A-Z0-9]", file.read_text())
    }
    own = {
        word
        for file in (ROOT / "collector-config").rglob("*.yaml")
        for word in re.findall(r"OTEL_BRIDGE_[A-Z0-9_]+", file.read_text())
    }
    assert named - {row.variable for row in ROWS} - own == {"OTEL_BRIDGE_RUN"}  # ours to our own children


def test_the_demo_shows_the_whole_path(world: World) -> None:
    """`make demo` ends well, names each station, and finds equal sets in spool and file."""
    told = world.run(str(BIN / "python"), str(ROOT / "examples/demo.py"), CI="true", DO_NOT_TRACK="1").stdout
    for number, station in enumerate(
        ("declaration", "consent", "privacy and disk", "preview", "OTLP and the collector", "file"), 1
    ):
        assert f"\n{number}. {station}: " in told
    assert "equal sets; private names found: none" in told


def test_the_hot_path_and_the_settings_agree_on_when_a_sender_is_due() -> None:
    """`instrument` cannot import settings.py; its constant is the default that the page shows."""
    assert str(DRAIN_EVERY) == next(row.default for row in ROWS if row.name == "drain_every")
