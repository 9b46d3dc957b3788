"""Write the pages of docs/ that say what the code says: `make generate` runs this, and a test holds them current."""

import ast
from pathlib import Path

from otel_bridge import settings
from otel_bridge.schema.parameters import RULES
from otel_bridge.schema.policies import DEFAULTS, FILLED, OURS, POLICIES

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


def policies() -> str:
    """Every policy and every parameter, as `schema/policies.py` and `schema/parameters.py` have them."""
    lines = ["# Policies", "", "None passes a free string. [How to declare](../declaring.md) says where they stand.", ""]
    lines += ["| policy | keeps | types | parameters, and what holds without them |", "|--|--|--|--|"]
    for name, row in POLICIES.items():
        if name not in OURS:
            given = DEFAULTS.get(name, {})
            told = [f"`{one}`" + (f": {given[one]!r}" if one in given else "") for one in row.parameters if one not in FILLED]
            lines.append(f"| `{name}` | {row.keeps} | {', '.join(f'`{kind}`' for kind in row.types)} | {', '.join(told)} |")
    lines += ["", "On a `string[]` a policy works member by member: sorted, distinct, at most 16; `frames` keeps its order.", ""]
    lines += ["| parameter | must be |", "|--|--|"]
    rules = {**{name: what for name, (what, _) in RULES.items()}, "registry": "one of the product's registries"}
    rules["requires"] = "an attribute whose policy is enum, registry or default_only, no list"
    rules["expires"] = 'a date to come, as "2027-06-30"; from then on the attribute is dropped, and `check` fails'
    return "\n".join([*lines, *(f"| `{name}` | {what} |" for name, what in sorted(rules.items()))]) + "\n"


def pages() -> dict[Path, str]:
    """Every generated page, with what belongs into it."""
    reference_pages = {"settings": reference(), "policies": policies()}
    return {ROOT / "docs/tour.md": tour(), **{ROOT / f"docs/reference/{name}.md": text for name, text in reference_pages.items()}}


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: written")
