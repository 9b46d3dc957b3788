"""What compiling writes: constants that say exactly what the registry says, the same every time."""

import ast
from pathlib import Path

from conftest import ROOT

from otel_bridge import schema
from otel_bridge.schema.compile import read, render
from otel_bridge.schema.product import Product

KITCHEN = ROOT / "examples/kitchen/telemetry.yaml"
COMMANDS = """\
file_format: definition/2
attributes:
  - key: my_tool.option.color
    type: string
    annotations: {privacy: {policy: enum, values: [red, green, blue], purpose: "Which?", category: interaction, owner: o}}
events:
  - name: my_tool.greet
    annotations: {privacy: {command: greet, category: interaction}}
    attributes:
      - {ref: process.exit.code}
      - {ref: error.type}
      - {ref: otel_bridge.command}
      - {ref: otel_bridge.options}
      - {ref: my_tool.option.color}
  - name: my_tool.remote
    annotations: {privacy: {command: [remote rm, remote add]}}
    attributes: [{ref: otel_bridge.options, annotations: {privacy: {values: [--force]}}}]
  - name: my_tool.run
    annotations: {privacy: {command: ""}}
  - name: my_tool.step
    attributes: [{ref: otel_bridge.options}, {ref: my_tool.option.color}]
spans:
  - type: cli.run
    attributes:
      - {ref: otel_bridge.command, annotations: {privacy: {values: [greet, remote add, remote rm]}}}
      - {ref: otel_bridge.options, annotations: {privacy: {values: [--color, --force]}}}
      - {ref: my_tool.option.color, annotations: {privacy: {values: [red, green]}}}
"""


def test_it_is_the_same_text_every_time() -> None:
    """Two loads of one registry compile to the same bytes."""
    assert render(schema.load(KITCHEN), {}) == render(schema.load(KITCHEN), {})


def test_it_imports_nothing_and_holds_constants_only() -> None:
    """A sender can read it as literals; nothing in it is executed."""
    tree = ast.parse(render(schema.load(KITCHEN), {}))
    assert {type(node) for node in tree.body} == {ast.Expr, ast.Assign}


def test_a_ref_narrows_what_its_attribute_declares() -> None:
    """The values that kitchen gives for its commands are those of the built-in attribute there, its policy stays."""
    compiled = read(ROOT / "examples/kitchen/kitchen/_telemetry.py")
    command = next(spec for spec in compiled.span if spec[0] == "otel_bridge.command")
    values = "\nconverge\ncreate\ndestroy\nlist\nlogin\ntest\nverify\n"
    assert command == ("otel_bridge.command", "string", "enum", (values, "__other__"), 0)
    assert compiled.common[0] == command


def test_what_requires_another_comes_after_it() -> None:
    """A plugin's version is reduced after its name, which says whether it may be told."""
    keys = [spec[0] for spec in read(ROOT / "examples/kitchen/kitchen/_telemetry.py").events["kitchen.create"]]
    assert keys.index("kitchen.driver.name") < keys.index("kitchen.driver.version")


def test_enum_members_of_a_type_become_values() -> None:
    """An enum type's members are the values of its policy."""
    registry = schema.load(KITCHEN)
    create = next(event for event in registry.events if event.name == "kitchen.create")
    transport = next(field for field in create.fields if field.key == "kitchen.transport")
    assert transport.parameters == (("exec", "ssh", "winrm"), "__other__")


def test_many_names_go_into_the_digest_alone(tmp_path: Path) -> None:
    """Up to 500 public names are compiled in; more are looked up in the digest beside the module."""
    few, many = ("a", "b"), tuple(f"name-{number:04}" for number in range(501))
    for names, expected in ((few, "\na\nb\n"), (many, "plugins.digest 0123456789abcdef")):
        registry = schema.load(KITCHEN)
        registry.names["plugins"] = names
        (tmp_path / "_telemetry.py").write_text(render(registry, {"plugins": "0123456789abcdef"}))
        assert read(tmp_path / "_telemetry.py").names == {"plugins": expected}


def compiled(tmp_path: Path, text: str) -> str:
    (tmp_path / "telemetry.yaml").write_text(text)
    return render(schema.load(tmp_path / "telemetry.yaml", Product("my-tool", "my_tool", tmp_path)), {})


def test_the_events_of_commands_are_found_by_path(tmp_path: Path) -> None:
    """`COMMANDS`, right after `EVENTS`, has the event that is recorded at the end of each command; a run without one is ""."""
    text = compiled(tmp_path, COMMANDS)
    names = [node.targets[0].id for node in ast.parse(text).body if isinstance(node, ast.Assign)]
    assert names[names.index("EVENTS") + 1] == "COMMANDS"
    (tmp_path / "_telemetry.py").write_text(text)
    assert read(tmp_path / "_telemetry.py").commands == {
        "": "my_tool.run",
        "greet": "my_tool.greet",
        "remote add": "my_tool.remote",
        "remote rm": "my_tool.remote",
    }


def test_the_event_of_a_command_tells_what_its_run_tells(tmp_path: Path) -> None:
    """Its refs to what a run knows are narrowed as those of the span are, unless they say otherwise; other events stay apart."""
    (tmp_path / "_telemetry.py").write_text(compiled(tmp_path, COMMANDS))
    found = read(tmp_path / "_telemetry.py")
    span = {spec[0]: spec for spec in found.span}
    greet = {spec[0]: spec for spec in found.events["my_tool.greet"]}
    keys = ("error.type", "my_tool.option.color", "otel_bridge.options", "process.exit.code")
    assert greet == {key: span[key] for key in keys}
    assert greet["my_tool.option.color"][3] == ("\ngreen\nred\n", "__other__")
    assert [spec[3][0] for spec in found.events["my_tool.remote"]] == ["\n--force\n"]
    assert [spec[3][0] for spec in found.events["my_tool.step"]] == ["\nblue\ngreen\nred\n", "\n"]


def test_a_file_that_was_compiled_before_there_were_commands_can_be_read(tmp_path: Path) -> None:
    """A spool of an older version of a product is sent all the same."""
    text = compiled(tmp_path, COMMANDS)
    older = text[: text.index("COMMANDS = ")] + text[text.index("SPANS = ") :]
    (tmp_path / "_telemetry.py").write_text(older)
    assert read(tmp_path / "_telemetry.py").commands == {}
