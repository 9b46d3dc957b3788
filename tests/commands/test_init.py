"""`otel-bridge init` proposes what a product needs, changes nothing else, and what it writes works as it stands."""

import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest
from conftest import World, attributes

from otel_bridge import schema
from otel_bridge.scaffold.discover import Command, Parameter, discover, joined
from otel_bridge.schema.compile import read

BUILD = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n\n'
PYPROJECT = """\
[project]
name = "my-tool"
version = "1.2.3"
authors = [{{name = "The my-tool team", email = "team@example.org"}}]
dependencies = [
    "{parser}",  # parses
]

[project.scripts]
my-tool = "my_tool.cli:main"   # what people type

[tool.hatch.build.targets.wheel]
packages = ["{folder}"]
"""
CLICK = """
import click

@click.group()
@click.option("--verbose/--quiet")
@click.version_option("1.2.3")
def main(verbose):
    pass

@main.command()
@click.option("--color", type=click.Choice(["red", "on"]))
@click.option("-s", "--shout", is_flag=True)
@click.argument("name")
def greet(color, shout, name):
    print("hello", name)

@main.group("deep-sea")
def deep():
    pass

@deep.command()
@click.option("--fish", multiple=True, type=click.Choice(["cod", "eel"]))
def dive(fish):
    raise SystemExit(3)
"""
ARGPARSE = """
import argparse
import sys

def main():
    early = argparse.ArgumentParser(add_help=False)
    early.add_argument("--config")
    _, words = early.parse_known_args()
    parser = argparse.ArgumentParser("my-tool")
    parser.add_argument("--verbose", action="store_true")
    commands = parser.add_subparsers(dest="command", required=True)
    greet = commands.add_parser("greet", aliases=["hi"])
    greet.add_argument("--color", choices=["red", "on"])
    greet.add_argument("-s", "--shout", action="store_true")
    greet.add_argument("name")
    dive = commands.add_parser("deep-sea").add_subparsers().add_parser("dive")
    dive.add_argument("--fish", nargs="+", choices=["cod", "eel"])
    found = parser.parse_args(words)
    if found.command != "greet":
        sys.exit(3)
    print("hello", found.name)
"""
TYPER = """
from enum import Enum
from typing import Annotated, Literal, Optional

import typer

class Fish(str, Enum):
    cod = "cod"
    eel = "eel"

app = typer.Typer()
deep = typer.Typer()
app.add_typer(deep, name="deep-sea")

@app.callback()
def options(verbose: bool = False):
    pass

@app.command()
def greet(name: str, color: Optional[Literal["red", "on"]] = None, shout: Annotated[bool, typer.Option("--shout", "-s")] = False):
    print("hello", name)

@deep.command()
def dive(fish: Annotated[list[Fish], typer.Option()] = []):
    raise typer.Exit(3)

def main():
    app()
"""
PROGRAMS = {"click": CLICK, "argparse": ARGPARSE, "typer": TYPER}
COMMANDS = ["deep-sea", "deep-sea dive", "greet"]
EVENTS = {"deep-sea dive": "my_tool.deep_sea.dive", "greet": "my_tool.greet"}


def project(world: World, program: str, parser: str = "click", folder: str = "src/my_tool", build: str = BUILD) -> Path:
    """The working folder as the checkout of a small product; the folder of its package."""
    package = world.work / folder
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "cli.py").write_text(program)
    (world.work / "pyproject.toml").write_text(build + PYPROJECT.format(parser=parser, folder=folder))
    return package


def tree(world: World) -> dict[str, bytes]:
    return {str(path.relative_to(world.work)): path.read_bytes() for path in world.work.rglob("*") if path.is_file()}


def installed(world: World) -> Path:
    """The programs of a fresh environment that has the product, really installed, and sees what this environment has."""
    fresh = world.root / "fresh"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(fresh)], check=True)
    packages = next(fresh.glob("lib/python*/site-packages"))
    (packages / "seen.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    pip = [sys.executable, "-m", "pip", "--python", str(fresh / "bin/python"), "--disable-pip-version-check"]
    world.run(*pip, "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", str(world.work))
    return fresh / "bin"


@pytest.mark.parametrize("parser", PROGRAMS)
def test_a_fresh_product_tells_its_commands_with_no_other_edit(world: World, parser: str) -> None:
    """`init --write`, a real installation, `on`, and two runs: each has left its event and its span."""
    project(world, PROGRAMS[parser], parser)
    world.run("otel-bridge", "init", "--write")
    world.run("otel-bridge", "check")
    world.run("otel-bridge", "compile", "--check")
    program = str(installed(world) / "my-tool")
    world.on("my-tool")
    assert world.run(program, "greet", "--color", "on", "-s", "Ada").stdout == "hello Ada\n"
    assert world.run(program, "deep-sea", "dive", "--fish", "cod", ok=False).returncode == 3
    told = [(item.body.get("eventName", item.body.get("name")), attributes(item)) for item in world.waiting("my-tool")]
    assert sorted(name for name, _ in told) == ["cli.run", "cli.run", "my_tool.deep_sea.dive", "my_tool.greet"]
    events = dict(one for one in told if one[0] != "cli.run")
    common = ("log.record.uid", "otel_bridge.sequence", "session.id")
    assert {key: value for key, value in events["my_tool.greet"].items() if key not in common} == {
        "my_tool.option.color": "on",
        "my_tool.option.shout": True,
        "my_tool.option.verbose": False,
        "otel_bridge.command": "greet",
        "otel_bridge.options": ["--color", "--shout"],
        "process.exit.code": 0,
    }
    dive = events["my_tool.deep_sea.dive"]
    assert (dive["otel_bridge.command"], dive["process.exit.code"], dive["my_tool.option.fish"]) == ("deep-sea dive", 3, ["cod"])
    spans = [one for name, one in told if name == "cli.run"]
    assert [(one["otel_bridge.command"], one["process.executable.name"]) for one in spans] == [
        ("greet", "my-tool"),
        ("deep-sea dive", "my-tool"),
    ]
    assert b"Ada" not in world.bytes_in()


@pytest.mark.parametrize("folder", ["src/my_tool", "my_tool"])
@pytest.mark.parametrize("parser", PROGRAMS)
def test_what_the_parser_knows_is_declared(world: World, parser: str, folder: str) -> None:
    """Paths, options by their longest spelling, flags and closed choices; every attribute says who and why; no second names."""
    package = project(world, PROGRAMS[parser], parser, folder)
    world.run("otel-bridge", "init", "--write")
    registry = schema.load(world.work / "telemetry.yaml")
    span = {field.key: field for field in registry.span}
    assert list(span["otel_bridge.command"].parameters[0]) == COMMANDS
    shown = {"--color", "--fish", "--shout", "--verbose"} | ({"--help"} if parser == "argparse" else set())
    assert set(span["otel_bridge.options"].parameters[0]) == shown
    own = {key: (one.type, one.policy, one.parameters[:1], one.owner) for key, one in span.items() if key.startswith("my_tool.")}
    assert own == {
        "my_tool.option.color": ("string", "enum", (("on", "red"),), "team@example.org"),
        "my_tool.option.fish": ("string[]", "enum", (("cod", "eel"),), "team@example.org"),
        "my_tool.option.shout": ("boolean", "boolean", (), "team@example.org"),
        "my_tool.option.verbose": ("boolean", "boolean", (), "team@example.org"),
    }
    assert all(one.purpose and one.category for one in span.values())
    assert read(package / "_telemetry.py").commands == EVENTS
    told = world.json("otel-bridge", "check", "--json")
    assert (told["mistakes"], told["fingerprint"]["added"]) == ([], 0)


def test_only_the_lines_that_must_change_do(world: World) -> None:
    """The whole change of pyproject.toml, comments kept; it holds what it held, and what was added."""
    project(world, CLICK)
    before = (world.work / "pyproject.toml").read_text()
    world.run("otel-bridge", "init", "--write")
    after = (world.work / "pyproject.toml").read_text()
    lines = [line for line in after.splitlines() if line not in before.splitlines()]
    assert lines == [
        '    "otel-bridge",',
        'my-tool = "otel_bridge.auto.my_tool.cli:main"   # what people type',
        "[tool.otel-bridge]",
        'product = "my-tool"',
        'family = "my-tool"',
        'package = "my_tool"',
        'default = "opt_in"',
        '# endpoint = "https://telemetry.example.org:4318"   # where records go: nowhere, until this names your collector',
    ]
    old, new = tomllib.loads(before), tomllib.loads(after)
    old["project"]["scripts"]["my-tool"] = "otel_bridge.auto.my_tool.cli:main"
    old["project"]["dependencies"].append("otel-bridge")
    old["tool"]["otel-bridge"] = {"product": "my-tool", "family": "my-tool", "package": "my_tool", "default": "opt_in"}
    assert new == old


def test_nothing_is_written_until_it_is_asked_for(world: World) -> None:
    """Without --write there is a diff on standard output and no other trace; the diff, applied, is what --write writes."""
    project(world, CLICK)
    before = tree(world)
    shown = world.run("otel-bridge", "init")
    assert tree(world) == before
    assert [line for line in shown.stdout.splitlines() if line.startswith(("--- ", "+++ "))] == [
        *("--- a/pyproject.toml", "+++ b/pyproject.toml"),
        *("--- /dev/null", "+++ b/telemetry.yaml"),
        *("--- /dev/null", "+++ b/src/my_tool/_telemetry.py"),
    ]
    assert shown.stderr == "nothing is written yet; `otel-bridge init --write` does that\n"
    (world.root / "change.diff").write_text(shown.stdout)
    world.run("git", "apply", str(world.root / "change.diff"))
    applied = tree(world)
    for name, content in applied.items():
        (world.work / name).write_bytes(before[name]) if name in before else (world.work / name).unlink()
        assert content != before.get(name) or name not in ("pyproject.toml", "telemetry.yaml")
    written = world.run("otel-bridge", "init", "--write")
    assert tree(world) == applied
    assert written.stdout == shown.stdout
    assert written.stderr.splitlines()[-3:] == ["next:", "  pip install --editable .", "  otel-bridge on --product my-tool"]


def test_the_second_time_there_is_nothing_to_propose(world: World) -> None:
    """What is there is kept: not a byte changes, and it is said so."""
    project(world, ARGPARSE, "argparse")
    world.run("otel-bridge", "init", "--write")
    before = tree(world)
    again = world.run("otel-bridge", "init", "--write")
    assert (again.stdout, again.stderr) == ("", "pyproject.toml: nothing to propose; all of it is there\n")
    assert tree(world) == before


def test_what_is_there_is_kept_and_what_is_missing_is_added(world: World) -> None:
    """Settings and a declaration of the author's own stay as they are, the product's code is not even imported."""
    package = project(world, "raise SystemExit('imported')")
    file = world.work / "pyproject.toml"
    settings = '\n[tool.otel-bridge]\nproduct = "mine"\npackage = "my_tool"\ndefault = "opt_out"\n'
    settings += '[tool.otel-bridge.registries]\nplugins = "plugins.txt"\n'
    (world.work / "plugins.txt").write_text("vagrant\n")
    file.write_text(file.read_text().replace("# parses", '# parses\n    "otel_bridge>=0.1",') + settings)
    before = file.read_text()
    own = "file_format: definition/2\nevents:\n  - name: mine.done\n    annotations: {privacy: {command: ''}}\n"
    (world.work / "telemetry.yaml").write_text(own)
    done = world.run("otel-bridge", "init", "--write")
    assert "note: src/my_tool/plugins.digest: a digest of public names, not shown\n" in done.stderr
    world.run("otel-bridge", "compile", "--check")
    assert (world.work / "telemetry.yaml").read_text() == own
    assert file.read_text() == before.replace('"my_tool.cli', '"otel_bridge.auto.my_tool.cli')
    compiled = read(package / "_telemetry.py")
    assert (compiled.product, compiled.default, compiled.commands) == ("mine", "opt_out", {"": "mine.done"})
    (world.work / "telemetry.yaml").write_text(own + "    attribute: []\n")
    told = world.run("otel-bridge", "init", "--write", ok=False)
    assert told.stderr == f"{world.work}/telemetry.yaml:5: `mine.done` has no `attribute`; write `attributes`? [unknown-key]\n"


ABSENT = "; install the product beside otel-bridge, then run init again"


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("import no_such_module\ndef main(): ...", "ModuleNotFoundError: No module named 'no_such_module'" + ABSENT),
        ("def main(): print('hi')", "`main` asks no parser of argparse, click or typer"),
        ("import argparse\ndef main(): print('hi')", "`main` asks no parser of argparse, click or typer"),
        ("import argparse, sys\ndef main(): sys.exit('no')", "SystemExit: no"),
        ("import os, argparse\ndef main(): os._exit(5)", "it left with status 5"),
        ("def other(): ...", "AttributeError: module 'my_tool.cli' has no attribute 'main'"),
    ],
    ids=["cannot be imported", "no parser", "parser not asked", "leaves first", "leaves at once", "no main"],
)
def test_a_program_that_cannot_be_asked_has_one_event(world: World, program: str, problem: str) -> None:
    """Whatever the product does: one event for the whole of it, and a line that says why; what it prints is not shown."""
    package = project(world, f"print('noise')\n{program}\n")
    done = world.run("otel-bridge", "init", "--write")
    assert f"note: the commands of `my-tool` are not known, it has one event for all: {problem}\n" in done.stderr
    assert "noise" not in done.stdout + done.stderr.replace("print('noise')", "")
    assert read(package / "_telemetry.py").commands == {"": "my_tool.run"}
    world.run("otel-bridge", "check")


ODD = """
import argparse
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ports", choices=range(9999), type=int)
    parser.add_argument("--level", choices=[1, 2], type=int)
    parser.add_argument("--keys", choices={"a": 1}.keys())
    parser.add_argument("--Big", action="store_true")
    parser.add_argument("--who", choices=["me@example.org", "you"])
    parser.add_argument("mode-of", choices=["x", "y"])
    commands = parser.add_subparsers()
    commands.add_parser("two-words").add_argument("--fish", choices=["cod"])
    commands.add_parser("two_words").add_argument("--fish", action="store_true")
    commands.add_parser("a<b")
    commands.add_parser("run")
    parser.parse_args()
"""


def test_what_would_not_pass_is_left_out_with_a_line(world: World) -> None:
    """Keys that cannot be spelt, choices that are no texts or look like an address, and names that a list cannot hold."""
    package = project(world, ODD, "argparse")
    done = world.run("otel-bridge", "init", "--write")
    notes = [line.removeprefix("note: ") for line in done.stderr.splitlines() if line.startswith("note: ")]
    assert sorted(notes) == [
        "`my_tool.option.Big` is left out: a key is lower-case words with dots and underscores",
        "`my_tool.option.fish` is left out: it is not the same in all commands",
        "`my_tool.option.keys` is left out: its choices are no plain list",
        "`my_tool.option.mode-of` is left out: a key is lower-case words with dots and underscores",
        "`my_tool.option.ports` is left out: it has 9,999 choices",
        "`my_tool.option.who` is left out: `me@example.org` looks like an address, a path or a token, which the collector"
        " masks; leave it out",
        'the command `a<b` is left out: `values` must be a list of strings without any of " \\ ^ & < >; quote what YAML reads as'
        ' something else, as `"on"`',
    ]
    world.run("otel-bridge", "check")
    compiled = read(package / "_telemetry.py")
    assert compiled.commands == {"run": "my_tool.run", "two-words": "my_tool.two_words", "two_words": "my_tool.two_words"}
    assert [spec for spec in compiled.span if spec[0] == "my_tool.option.level"] == [
        ("my_tool.option.level", "string", "enum", ("\n1\n2\n", "__other__"), 0)
    ]


def test_a_key_that_is_reserved_is_left_out(world: World) -> None:
    """A product whose name begins a reserved name space has events all the same, and says nothing of its options."""
    project(world, CLICK)
    file = world.work / "pyproject.toml"
    file.write_text(file.read_text().replace('name = "my-tool"', 'name = "client"'))
    done = world.run("otel-bridge", "init", "--write")
    assert done.stderr.count("is left out: the key is reserved (an address of the person)") == 4
    world.run("otel-bridge", "check")
    commands = read(world.work / "src/my_tool/_telemetry.py").commands
    assert commands == {"deep-sea dive": "client.deep_sea.dive", "greet": "client.greet"}


def test_our_own_verbs_are_no_commands_of_the_product(world: World) -> None:
    """A product that has mounted `telemetry` declares its other commands only."""
    package = project(world, CLICK + "\nimport otel_bridge\nmain.add_command(otel_bridge.mount.click_group())\n")
    world.run("otel-bridge", "init", "--write")
    assert read(package / "_telemetry.py").commands == EVENTS


def test_a_group_that_runs_alone_is_a_command_too(tmp_path: Path) -> None:
    """Of click's groups those that do something by themselves; a plugin that cannot be loaded is passed over."""
    (tmp_path / "tool").mkdir()
    (tmp_path / "tool/__init__.py").write_text(
        "import click\n"
        "class Lazy(click.Group):\n"
        "    def list_commands(self, ctx): return ['good', 'bad']\n"
        "    def get_command(self, ctx, name):\n"
        "        if name == 'bad': raise RuntimeError('broken')\n"
        "        return click.Command('good')\n"
        "main = Lazy('main', invoke_without_command=True)\n"
    )
    found, problem = discover(tmp_path, tmp_path / "tool", "tool", "main")
    assert (found, problem) == ((Command("", True, ()), Command("good", True, ())), "")


@pytest.mark.parametrize("program", ["cli()", "cli.main(standalone_mode=False)", "sys.exit(cli(prog_name='x'))"])
def test_a_function_that_calls_click_is_left_before_anything_runs(tmp_path: Path, program: str) -> None:
    """Its group is asked as if it were the entry point; what stands after the call does not happen."""
    (tmp_path / "tool").mkdir()
    (tmp_path / "tool/__init__.py").write_text(
        f"""
import click, pathlib, sys
@click.group()
def cli(): pass
cli.command("go")(lambda: None)
def main():
    {program}
    pathlib.Path({str(tmp_path / "ran")!r}).touch()
"""
    )
    found, problem = discover(tmp_path, tmp_path / "tool", "tool", "main")
    assert (found, problem) == ((Command("", False, ()), Command("go", True, ())), "")
    assert not (tmp_path / "ran").exists()


def test_members_of_an_enum_are_told_as_people_type_them(tmp_path: Path) -> None:
    """By their names with click; one that is a string too may be told as that string."""
    (tmp_path / "tool.py").write_text(
        "import click, enum\n"
        "Plain, Text = enum.Enum('Plain', {'A': 'x'}), enum.StrEnum('Text', {'B': 'y'})\n"
        "options = [click.Option(['--' + one.__name__.lower()], type=click.Choice(one)) for one in (Plain, Text)]\n"
        "main = click.Command('main', params=options)\n"
    )
    parameters = (Parameter("plain", "--plain", ("A",)), Parameter("text", "--text", ("B", "y")))
    assert discover(tmp_path, tmp_path, "tool", "main") == ((Command("", True, parameters),), "")


def test_a_product_that_does_not_answer_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some seconds its child is ended, and it is said so."""
    (tmp_path / "tool.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.setattr("otel_bridge.scaffold.discover.PATIENCE", 1.0)
    assert discover(tmp_path, tmp_path, "tool", "main") == ((), "it did not answer within 1 seconds")


def test_the_scripts_of_a_product_are_one_command_line() -> None:
    """What two programs have in common is said once, and each adds what it alone has."""
    color, shout = Parameter("color", "--color", ("red",)), Parameter("shout", "--shout", ())
    first = (Command("", False, (color,)), Command("greet", True, ()))
    second = (Command("", True, (color, shout)), Command("list", True, ()))
    assert joined((*first, *second)) == (
        Command("", True, (color, shout)),
        Command("greet", True, ()),
        Command("list", True, ()),
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("dependencies = []", 'dependencies = ["otel-bridge"]'),
        ('dependencies = ["a[b]", "c"]  # d', 'dependencies = ["a[b]", "c", "otel-bridge"]  # d'),
        ('dependencies = ["a", ]', 'dependencies = ["a", "otel-bridge"]'),
        ('dependencies = [\n  "a"\n]', 'dependencies = [\n  "a",\n  "otel-bridge",\n]'),
        ('dependencies = [\n\t"a",\n\t# b\n]', 'dependencies = [\n\t"a",\n\t# b\n\t"otel-bridge",\n]'),
        ('dependencies = [  # b\n  "a"  # c\n]', 'dependencies = [  # b\n    "otel-bridge",\n  "a"  # c\n]'),
        ("", 'dependencies = ["otel-bridge"]\n'),
        ('dependencies = ["Otel_Bridge >= 0.1"]', 'dependencies = ["Otel_Bridge >= 0.1"]'),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_dependency_is_written_in_the_author_s_own_way(tmp_path: Path, before: str, after: str, end: str) -> None:
    """On one line or on several, with a comma at the end or without, comments kept, lines ending as they do."""
    from otel_bridge.scaffold.pyproject import depending

    text = '# [project]\n[project]\nname = "x"\n{}\n[tool.y]\nname = "]"\ndependencies = []\n'
    found = depending(tmp_path, text.format(before).replace("\n", end))
    expected = text.format(after) if before else text.replace("{}\n", after + "\n")
    assert found == expected.replace("\n", end)


@pytest.mark.parametrize(
    ("scripts", "changed"),
    [
        (
            '[project.scripts]\na = "p.cli:main"\nb = "p.cli:main" # x',
            '[project.scripts]\na = "p.cli:main"\nb = "{}p.cli:main" # x',
        ),
        ("scripts = {a = 'p:f', 'b' = 'p:g'}", "scripts = {{a = 'p:f', 'b' = '{}p:g'}}"),
        ('scripts.a = "p:f"\nscripts.b = "p:f"', 'scripts.a = "p:f"\nscripts.b = "{}p:f"'),
        ('[project.scripts]\n"b" = "otel_bridge.auto.p:f"', '[project.scripts]\n"b" = "otel_bridge.auto.p:f"'),
    ],
)
def test_one_script_changes_and_no_other(tmp_path: Path, scripts: str, changed: str) -> None:
    """Whichever way TOML allows to write a table; another script with the same function stays as it is."""
    from otel_bridge.scaffold.pyproject import instrumented

    head, tail = '[project]\nname = "x"\n', '\n[tool.z]\nb = "p:g"\n'
    wanted = head + changed.format("otel_bridge.auto.") + tail
    assert instrumented(tmp_path, head + scripts + tail, "b") == wanted


NO_PACKAGE = (
    "the package `p` of the script `x` is no folder here or in `src`; move it there, or start the program with `otel-bridge run`"
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "cannot be read (No such file or directory); name the folder of your pyproject.toml"),
        ("[project\n", "not TOML: Expected ']' at the end of a table declaration (at line 1, column 9)"),
        ("\xff", "not TOML: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        ('project = "x"\n', "`[project]` and `[project.scripts]` must be tables"),
        (
            '[project]\nname = "x"\n',
            'no `[project.scripts]`; write one with `NAME = "PACKAGE.MODULE:FUNCTION"`, then run init again',
        ),
        (
            '[tool.poetry.scripts]\nx = "p:main"\n',
            "`[tool.poetry.scripts]` is not understood; move it to `[project.scripts]`, which Poetry reads since 2.0,"
            " then run init again",
        ),
        (
            '[project.scripts]\nx = "p.cli"\n',
            "`[project.scripts]`: 'p.cli' of `x` names no function; write `x = \"PACKAGE.MODULE:FUNCTION\"`",
        ),
        (
            "[project.scripts]\nx = 1\n",
            '`[project.scripts]`: 1 of `x` names no function; write `x = "PACKAGE.MODULE:FUNCTION"`',
        ),
        ('[project.scripts]\nx = "p:main"\n', NO_PACKAGE),
        (
            '[project.scripts]\nx = "p:app.main"\n',
            "no script runs a function of the package `p`; write one, or correct `package`",
        ),
        (
            '[project.scripts]\nx = "p:main"\n[tool.otel-bridge]\nproduct = "x"\npackage = "q"\n',
            "no script runs a function of the package `q`; write one, or correct `package`",
        ),
        (
            '[project]\nname = "x"\ndependencies = "a"\n[project.scripts]\nx = "q:main"\n',
            '`dependencies` cannot be changed here; add `"otel-bridge"` to them, then run init again',
        ),
        (
            '[project]\nname = "x"\n[project.scripts]\nx = "\\u0071:main"\n',
            'the script `x` cannot be changed here; write `x = "otel_bridge.auto.q:main"`',
        ),
    ],
)
def test_a_checkout_that_cannot_be_understood_is_one_line(world: World, text: str | None, told: str) -> None:
    """What, where and what to write instead, exit code 1; nothing is written."""
    (world.work / "q").mkdir()
    if text is not None:
        (world.work / "pyproject.toml").write_bytes(text.encode("latin-1"))
    before = tree(world)
    done = world.run("otel-bridge", "init", "--write", ok=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"pyproject.toml: {told}\n")
    assert tree(world) == before


def test_what_is_not_the_product_s_stays_and_is_named(world: World) -> None:
    """A script of another package, one that names no function, dependencies that stand elsewhere: a note each."""
    project(world, CLICK)
    file = world.work / "pyproject.toml"
    text = file.read_text().replace("people type\n", 'people type\nother = "other.cli:main"\nodd = "my_tool.cli:main.main"\n')
    text = text[: text.index("dependencies")] + 'dynamic = ["dependencies"]\n\n' + text[text.index("[project.scripts]") :]
    file.write_text(text)
    done = world.run("otel-bridge", "init")
    assert [line for line in done.stderr.splitlines() if line.startswith("note: ")] == [
        "note: `other` stays as it is: it runs `other.cli`, and the product's package is `my_tool`",
        "note: `odd` stays as it is: `main.main` is an attribute of something else; name a function of the module",
        "note: pyproject.toml: the dependencies are dynamic; add `otel-bridge` where they come from",
    ]
    assert '+    "otel-bridge"' not in done.stdout
