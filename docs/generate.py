"""Write the pages of docs/ that say what the code says: `make generate` runs this, and a test holds them current."""

import ast
from pathlib import Path

from otel_bridge import settings

ROOT = Path(__file__).resolve().parents[1]
PATH = (
    ("otel_bridge/instrument/__init__.py", "run", "wraps the product's own main function, and times it"),
    ("otel_bridge/consent/__init__.py", "decide", "answers whether this run may be recorded, by which rule"),
    ("otel_bridge/record/__init__.py", "record", "finds the event's declaration, cleans, appends"),
    ("otel_bridge/privacy/__init__.py", "clean", "builds the record from its declaration, policy by policy"),
    ("otel_bridge/record/__init__.py", "append", "writes one line of OTLP/JSON with one write"),
    ("otel_bridge/export/drain.py", "drain", "claims what waits, and acknowledges what was taken"),
    ("otel_bridge/export/logs.py", "to_otel", "rebuilds an event as an OTel log record (spans.py: a run as a span)"),
    ("otel_bridge/export/otlp.py", "send", "ships a batch with the stock OTLP exporter and judges the answer"),
)


def tour() -> str:
    """The main path, function by function, with the line on which each begins."""
    lines = [
        "# A tour of the main path",
        "",
        "Eight functions, from a person's command to the collector. The first is called by the entry point in",
        "[`otel_bridge/auto.py`](../otel_bridge/auto.py), which asks the second before it imports anything else",
        "([why](decisions/0002-ask-before-anything-is-imported.md)). Between the fifth and the sixth the process has ended.",
        "",
        "| | function | what it does |",
        "|--|--|--|",
    ]
    for number, (file, name, does) in enumerate(PATH, 1):
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        line = next(node.lineno for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
        lines.append(f"| {number} | [`{file}:{line}`](../{file}#L{line}) `{name}` | {does} |")
    return "\n".join(lines) + "\n"


def reference() -> str:
    """Every setting, as `settings.py` has it."""
    lines = ["# Settings", "", "| variable | default | kind | what it is |", "|--|--|--|--|"]
    lines += [
        f"| `{row.variable}` | {f'`{row.default}`' if row.default else ''} | {row.kind} | {row.sentence} |" for row in settings.ROWS
    ]
    return "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """Every generated page, with what belongs into it."""
    return {ROOT / "docs/tour.md": tour(), ROOT / "docs/reference/settings.md": reference()}


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: written")
