"""Read YAML so that every value still knows its line, and a key that stands twice is found."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml
from yaml.constructor import SafeConstructor

from ..errors import SchemaError


@dataclass(frozen=True)
class Mistake:
    """One thing wrong in a file: `check` is the name of the check that found it, `line` counts from 1."""

    file: str
    line: int
    check: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message} [{self.check}]"


LARGEST = 1 << 20  # bytes of a file
DEEPEST, MOST = 40, 100_000  # levels, and values with every alias written out


class Marked(dict[str, object]):
    """A YAML mapping with the line it begins on and the line of each of its keys."""

    line = 1

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}

    def at(self, key: str) -> int:
        """The line of a key, or of the mapping when the key is missing."""
        return self.lines.get(key, self.line)


@dataclass
class Document:
    """What a file holds, and the mistakes of its form."""

    file: str
    root: Marked
    mistakes: list[Mistake] = field(default_factory=list)
    values: int = 0


def read(path: Path, name: str | None = None) -> Document:
    """Read one YAML file; raises SchemaError when it cannot be read at all."""
    file = name or str(path)
    text = _text(path, file)
    document = Document(file, Marked())
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        raise SchemaError(str(Mistake(file, 1, "nesting", "nested too deeply; a registry has some eight levels"))) from None
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        line = mark.line + 1 if mark else 1
        raise SchemaError(str(Mistake(file, line, "yaml", f"not YAML: {problem.problem or problem.context}"))) from None
    except yaml.YAMLError as problem:
        raise SchemaError(str(Mistake(file, 1, "yaml", f"not YAML: {str(problem).splitlines()[0]}"))) from None
    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + 1 if node else 1
        raise SchemaError(str(Mistake(file, line, "mapping", "not a mapping; begin with `file_format: definition/2`")))
    document.root = _mapping(document, node, (), SafeConstructor())
    return document


def _text(path: Path, file: str) -> str:
    try:
        with path.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as problem:
        raise SchemaError(f"{file}: cannot be read ({problem.strerror}); name a telemetry.yaml") from None
    if len(content) > LARGEST:
        line = content.count(b"\n") + 1
        message = f"larger than {LARGEST >> 20} MiB, which it is on this line; a registry of 1,000 attributes takes half of it"
        raise SchemaError(str(Mistake(file, line, "size", message)))
    try:
        return content.decode()
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise SchemaError(str(Mistake(file, line, "encoding", "not UTF-8 text; save it as UTF-8"))) from None


def listed(mapping: Marked, key: str) -> list[Marked]:
    """The mappings of a list in a mapping; anything else in it is passed over."""
    found = mapping.get(key)
    return [one for one in found if isinstance(one, Marked)] if isinstance(found, list) else []


def privacy_of(one: Marked) -> Marked | None:
    """Our part of an attribute or a ref: `annotations.privacy`."""
    annotations = one.get("annotations")
    found = annotations.get("privacy") if isinstance(annotations, Marked) else None
    return found if isinstance(found, Marked) else None


def type_of(one: Marked) -> tuple[str, tuple[object, ...]]:
    """The type of an attribute and, of an enum, the values of its members."""
    kind = one.get("type")
    if isinstance(kind, Marked):
        return "string", tuple(member.get("value") for member in listed(kind, "members"))
    return str(kind), ()


def _plain(document: Document, node: yaml.Node, above: tuple[yaml.Node, ...], plain: SafeConstructor) -> object:
    document.values += 1
    if len(above) > DEEPEST or document.values > MOST:
        message = f"more than {DEEPEST} levels, or {MOST:,} values with every anchor written out; a registry has some eight levels"
        raise SchemaError(str(Mistake(document.file, node.start_mark.line + 1, "nesting", message)))
    if any(node is one for one in above):
        line = node.start_mark.line + 1
        raise SchemaError(str(Mistake(document.file, line, "cycle", "an anchor contains itself; write the value out")))
    if isinstance(node, yaml.MappingNode):
        return _mapping(document, node, above, plain)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(document, one, (*above, node), plain) for one in node.value]
    try:
        return plain.construct_object(node, deep=True)
    except Exception as problem:  # PyYAML raises whatever its constructors do, such as IndexError for `!!int ""`
        what = getattr(problem, "problem", None) or problem
        raise SchemaError(str(Mistake(document.file, node.start_mark.line + 1, "yaml", f"not a plain value: {what}"))) from None


def _mapping(document: Document, node: yaml.MappingNode, above: tuple[yaml.Node, ...], plain: SafeConstructor) -> Marked:
    found = Marked()
    found.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        if key in found:
            message = f"the key `{key}` stands here a second time (first on line {found.lines[key]}); delete one of them"
            document.mistakes.append(Mistake(document.file, line, "duplicate-key", message))
        found[key] = _plain(document, value_node, (*above, node), plain)
        found.lines[key] = line
    return found
