"""What compiling writes: constants that say exactly what the registry says, the same every time."""

import ast
from pathlib import Path

from conftest import ROOT

from otel_bridge import schema
from otel_bridge.schema.compile import read, render

KITCHEN = ROOT / "examples/kitchen/telemetry.yaml"


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
