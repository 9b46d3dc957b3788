"""Every mistake of a registry comes at once, with its line and what to write instead."""

import re
from pathlib import Path

import pytest
from conftest import ROOT, World

from otel_bridge import schema
from otel_bridge.errors import SchemaError
from otel_bridge.schema.product import Product

BAD = sorted((Path(__file__).parent / "testdata/bad").glob("*.yaml"))
PRODUCT = Product(product="p", package="p", root=Path(), registries={"plugins": Path("plugins.txt")})


def told(file: Path) -> list[str]:
    try:
        return [str(mistake) for mistake in schema.check(file, PRODUCT)]
    except SchemaError as problem:
        return str(problem).splitlines()


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_bad_registry_is_told_with_line_and_remedy(file: Path) -> None:
    """Each file names in its comments `# expect LINE: TEXT` what is to be told of it, and nothing else is."""
    expected = re.findall(r"# expect (\d+): (.*)", file.read_bytes().decode("latin-1"))
    lines = told(file)
    assert expected
    assert len(lines) == len(expected), lines
    for line, (number, text) in zip(lines, expected, strict=True):
        assert line.startswith(f"{file}:{number}: ")
        assert text.strip() in line


def test_the_example_has_no_mistake() -> None:
    """kitchen's own registry passes."""
    assert schema.check(ROOT / "examples/kitchen/telemetry.yaml") == []


def test_the_command_prints_them_and_exits_with_1(world: World) -> None:
    """`otel-bridge check` and `compile` refuse a registry with all its mistakes, without a traceback."""
    file = world.work / "telemetry.yaml"
    file.write_text((Path(__file__).parent / "testdata/bad/four_mistakes.yaml").read_text())
    (world.work / "pyproject.toml").write_text('[tool.otel-bridge]\nproduct = "p"\npackage = "p"\n')
    for verb, stream in (("check", "stdout"), ("compile", "stderr")):
        done = world.run("otel-bridge", verb, "telemetry.yaml", ok=False)
        lines = getattr(done, stream).splitlines()
        assert done.returncode == 1
        assert len(lines) == 4, lines
        assert all(re.match(r"telemetry\.yaml:\d+: .*\[[a-z-]+\]$", line) for line in lines)
        assert "Traceback" not in done.stderr
    assert not (world.work / "p").exists()


@pytest.mark.parametrize(
    ("toml", "text"),
    [
        ("", "no `[tool.otel-bridge]`"),
        ("[tool.otel-bridge\n", "not TOML"),
        ('[tool.otel-bridge]\npackage = "p"\n', "`product` is missing"),
        ('[tool.otel-bridge]\nproduct = "p"\npackage = "p"\nendpiont = "x"\n', "`endpiont` is not a setting"),
        ('[tool.otel-bridge]\nproduct = "p"\npackage = "p"\nresolution = "second"\n', "`resolution` must be"),
        ('[tool.otel-bridge]\nproduct = "p"\npackage = "p"\n[tool.otel-bridge.registries]\nx = "no.txt"\n', "cannot be read"),
    ],
)
def test_bad_product_settings_are_one_line(world: World, toml: str, text: str) -> None:
    """A pyproject.toml that does not say what it must is told with its file, and exit code 1."""
    (world.work / "pyproject.toml").write_text(toml)
    (world.work / "telemetry.yaml").write_text("file_format: definition/2\n")
    done = world.run("otel-bridge", "compile", ok=False)
    assert done.returncode == 1
    assert text in done.stderr
    assert len(done.stderr.splitlines()) == 1
