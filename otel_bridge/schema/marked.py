"""Read YAML so that every value still knows its line, and a key that stands twice is found."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml

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


def read(path: Path, name: str | None = None) -> Document:
    """Read one YAML file; raises SchemaError when it cannot be read at all."""
    file = name or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise SchemaError(f"{file}: cannot be read ({problem.strerror}); name a telemetry.yaml") from None
    except UnicodeDecodeError:
        raise SchemaError(f"{file}:1: not UTF-8 text; save it as UTF-8 [encoding]") from None
    document = Document(file, Marked())
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        line = mark.line + 1 if mark else 1
        raise SchemaError(str(Mistake(file, line, "yaml", f"not YAML: {problem.problem or problem.context}"))) from None
    except yaml.YAMLError as problem:
        raise SchemaError(str(Mistake(file, 1, "yaml", f"not YAML: {str(problem).splitlines()[0]}"))) from None
    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + 1 if node else 1
        raise SchemaError(str(Mistake(file, line, "mapping", "not a mapping; begin with `file_format: definition/2`")))
    root = _mapping(document, node, ())
    document.root = root
    return document


def _plain(document: Document, node: yaml.Node, above: tuple[yaml.Node, ...]) -> object:
    if any(node is one for one in above):
        line = node.start_mark.line + 1
        raise SchemaError(str(Mistake(document.file, line, "cycle", "an anchor contains itself; write the value out")))
    if isinstance(node, yaml.MappingNode):
        return _mapping(document, node, above)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(document, one, (*above, node)) for one in node.value]
    constructor = yaml.SafeLoader("")
    try:
        return constructor.construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError) as problem:
        what = getattr(problem, "problem", None) or problem
        raise SchemaError(str(Mistake(document.file, node.start_mark.line + 1, "yaml", f"not a plain value: {what}"))) from None
    finally:
        constructor.dispose()


def _mapping(document: Document, node: yaml.MappingNode, above: tuple[yaml.Node, ...]) -> Marked:
    found = Marked()
    found.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        if key in found:
            message = f"the key `{key}` stands here a second time (first on line {found.lines[key]}); delete one of them"
            document.mistakes.append(Mistake(document.file, line, "duplicate-key", message))
        found[key] = _plain(document, value_node, (*above, node))
        found.lines[key] = line
    return found
