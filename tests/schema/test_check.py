"""Every mistake of a registry comes at once, with its line and what to write instead."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ROOT, World

from otel_bridge import schema
from otel_bridge.errors import SchemaError
from otel_bridge.schema.product import Product

BAD = sorted((Path(__file__).parent / "testdata/bad").glob("*.yaml"))
PRODUCT = Product(product="p", package="p", root=Path(), registries={"plugins": ROOT / "examples/kitchen/plugins.txt"})


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
        (
            '[tool.otel-bridge]\nproduct = "p"\npackage = "p"\n[tool.otel-bridge.registries]\nx = "x.digest"\n',
            "not a digest of public names",
        ),
        ('[tool.otel-bridge]\nproduct = "p"\npackage = "p"\nregistries = ["x"]\n', "`registries` must be a table"),
        ('[tool.otel-bridge]\nproduct = "p"\npackage = "../evil"\n', "`package` must be the name that Python imports"),
        ('[tool.otel-bridge]\nproduct = "p"\npackage = "none"\n', "there is no such package"),
        ('[tool.otel-bridge]\nproduct = "p"\npackage = "p"\nendpoint = "https://me:secret@host"\n', "`endpoint` must be a URL"),
        ('[tool.otel-bridge]\nproduct = "p"\npackage = "p"\nresolution = ["minute"]\n', "`resolution` must be"),
        ('tool = "x"\n', "no `[tool.otel-bridge]`"),
        ('project = "x"\n[tool.otel-bridge]\nproduct = "p"\npackage = "p"\n', "must be tables"),
    ],
)
def test_bad_product_settings_are_one_line(world: World, toml: str, text: str) -> None:
    """A pyproject.toml that does not say what it must is told with its file, and exit code 1."""
    (world.work / "pyproject.toml").write_text(toml)
    (world.work / "telemetry.yaml").write_text("file_format: definition/2\n")
    (world.work / "x.digest").write_text("otel-bridge names 1 plain\n")
    (world.work / "p").mkdir()
    done = world.run("otel-bridge", "compile", ok=False)
    assert done.returncode == 1
    assert text in done.stderr
    assert len(done.stderr.splitlines()) in (1, 2)  # one mistake a line
    assert not list((world.work / "p").iterdir())


def test_twelve_mistakes_are_twelve_lines(world: World) -> None:
    """One run of the installed program: each planted mistake on its line, with a name; the same as JSON."""
    file = world.work / "telemetry.yaml"
    text = (Path(__file__).parent / "testdata/bad/twelve_mistakes.yaml").read_text()
    file.write_text(text)
    (world.work / "plugins.txt").write_text("vagrant\n")
    (world.work / "pyproject.toml").write_text(
        '[tool.otel-bridge]\nproduct = "p"\npackage = "p"\n[tool.otel-bridge.registries]\nplugins = "plugins.txt"\n'
    )
    expected = [(int(number), what) for number, what in re.findall(r"# expect (\d+): (.*)", text)]
    done = world.run("otel-bridge", "check", ok=False)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr, len(lines), len(expected)) == (1, "", 12, 12)
    for line, (number, what) in zip(lines, expected, strict=True):
        assert line.startswith(f"telemetry.yaml:{number}: ")
        assert what in line
    told = world.json("otel-bridge", "check", "--json", ok=False)
    assert [f"{one['file']}:{one['line']}: {one['message']} [{one['check']}]" for one in told["mistakes"]] == lines
    assert len({one["check"] for one in told["mistakes"]}) == 11  # two keys stand twice: one of YAML, one of ours
    assert told["fingerprint"] | {"attributes": {}} == {"added": 13.3, "most": 12.0, "built_in": 33.9, "attributes": {}}


def test_every_check_is_shown() -> None:
    """Each name of a check that the code can tell stands in one of the bad files."""
    code = "".join(file.read_text() for file in (ROOT / "otel_bridge/schema").glob("*.py"))
    named = set(
        re.findall(
            r'"((?:[a-z]+-)+[a-z]+|list|name|kind|type|key|expired|parameter|nesting|size|encoding|yaml|mapping|cycle)", f?[\'"]',
            code,
        )
    )
    named |= {f"missing-{needed}" for needed in ("purpose", "owner", "category")}
    shown = {name for file in BAD for line in told(file) for name in re.findall(r"\[([a-z0-9-]+)\]$", line)}
    assert named - shown == set(), named
    assert len(shown) > 25


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a: 1\n" * (2 << 20), ":209716: larger than 1 MiB"),
        (b"[" * 5000, ":1: nested too deeply"),
        (b"", ":1: not a mapping"),
        (b"file_format: definition/2\n\xff", ":2: not UTF-8 text"),
        (b"a: \x00\n", ":1: not YAML"),
    ],
    ids=["10 MB", "deep", "empty", "not UTF-8", "NUL"],
)
def test_a_file_that_is_no_registry_is_one_line(tmp_path: Path, content: bytes, text: str) -> None:
    """What it is and where, without a traceback and at once."""
    file = tmp_path / "telemetry.yaml"
    file.write_bytes(content)
    (line,) = told(file)
    assert line.startswith(f"{file}{text}")


def test_a_folder_or_nothing_is_one_line(tmp_path: Path) -> None:
    """A folder stands for its telemetry.yaml."""
    for path in (tmp_path, tmp_path / "no.yaml"):
        (line,) = told(path)
        assert "cannot be read (No such file or directory); name a telemetry.yaml" in line
    (tmp_path / "telemetry.yaml").mkdir()
    (line,) = told(tmp_path)
    assert "cannot be read (Is a directory)" in line


@pytest.mark.parametrize(
    ("privacy", "kind", "bits"),
    [
        ("policy: boolean", "boolean", 1.0),
        ("policy: enum, values: [a, b, c]", "string", 2.0),
        ("policy: enum, values: [a, b, c]", '"string[]"', 4.0),
        ("policy: default_only, values: [a]", "string", 1.0),
        ("policy: bucket, bounds: [1, 2, 3, 4]", "int", 2.0),
        ("policy: count, max: 255", "int", 8.0),
        ("policy: version", "string", 4.0),
        ("policy: version, cardinality: 64", "string", 6.0),
        ("policy: registry, registry: plugins", "string", 3.0),
        ("policy: day, resolution: week", "string", 5.7),
        ("policy: day", "string", 8.5),
        ("policy: pseudonym", "string", 0.0),
        ("policy: drop", "string", 0.0),
        ("policy: frames", '"string[]"', 64.0),
    ],
)
def test_what_every_record_tells_is_counted(tmp_path: Path, privacy: str, kind: str, bits: float) -> None:
    """log2 of the possible values, the placeholder included; ids are exempt."""
    file = tmp_path / "telemetry.yaml"
    about = "purpose: Why, category: usage, owner: a@example.org"
    file.write_text(
        f"file_format: definition/2\nattributes:\n  - key: p.a\n    type: {kind}\n    annotations: {{privacy: {{{privacy}, {about}}}}}\n"
        "entities:\n  - type: service\n    description: [{ref: p.a}]\n"
    )
    (tmp_path / "plugins.txt").write_text("".join(f"{number}\n" for number in range(6)))
    found, told = schema.examine(file, replace(PRODUCT, registries={"plugins": tmp_path / "plugins.txt"}))
    assert round(dict(told.added)["p.a"], 1) == bits
    assert [one.check for one in found] == (["fingerprint"] if bits > 12 else [])


def test_a_pseudonym_needs_a_secret(tmp_path: Path) -> None:
    """A product that wants no ids makes no secret either: `check` says so."""
    file = tmp_path / "telemetry.yaml"
    file.write_text(
        "file_format: definition/2\nattributes:\n  - key: p.a\n    type: string\n    annotations: {privacy: {policy: pseudonym,"
        " purpose: Why, category: usage, owner: a@example.org}}\n"
    )
    assert schema.check(file, PRODUCT) == []
    (mistake,) = schema.check(file, replace(PRODUCT, identity="none"))
    assert "a pseudonym needs a secret" in mistake.message


def test_json_says_also_that_nothing_can_be_read(tmp_path: Path, world: World) -> None:
    """A program that reads `--json` finds the one line there."""
    told = world.json("otel-bridge", "check", "no.yaml", "--json", ok=False)
    assert [one["check"] for one in told["mistakes"]] == ["unreadable"]
    assert "cannot be read" in told["mistakes"][0]["message"]


def test_a_registry_of_many_mistakes_is_checked_in_time(tmp_path: Path) -> None:
    """A near word is looked for at the first fifty mistakes only."""
    refs = "".join(f"      - ref: p.atribute_{number}\n" for number in range(400))
    one = "  - key: p.attribute_{}\n    type: boolean\n    annotations: {{privacy: {{policy: boolean, purpose: a, category: b, owner: c}}}}\n"
    file = tmp_path / "telemetry.yaml"
    file.write_text(
        "file_format: definition/2\nattributes:\n"
        + "".join(map(one.format, range(400)))
        + f"events:\n  - name: p.e\n    attributes:\n{refs}"
    )
    found = [mistake.message for mistake in schema.check(file, PRODUCT)]
    assert len(found) == 400
    assert sum("; write `p.attribute_" in message for message in found) == 50
