"""Write the pages of docs/ that say what the code says: `make generate` runs this, and a test holds them current."""

import ast
import json
import sys
from pathlib import Path

from otel_bridge import settings
from otel_bridge.schema.parameters import RULES
from otel_bridge.schema.policies import DEFAULTS, FILLED, OURS, POLICIES

PEERS = ("presidio", "scrubadub", "logfire text", "logfire key", "sentry text", "sentry key")
ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "benchmarks"))
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


def leaks() -> str:
    """What 5,500 private strings leave behind, as `make leaks` has last counted it."""
    found = json.loads((ROOT / "benchmarks/privacy/results.json").read_text(encoding="utf-8"))
    sizes, leaked = found["strings"], found["leaked"]
    theirs = [column for column in leaked if column in PEERS]
    ours = [column for column in leaked if column not in theirs and not column.endswith(", alone")]
    shown = ", ".join(f"{name} {version}" for name, version in sorted(found["versions"].items()))
    lines = ["# What leaks", "", *_LEAKS.format(total=f"{sum(sizes.values()):,}", classes=len(sizes)).splitlines(), ""]
    lines += [f"| leaked of | | ours, each of {len(ours)} paths | {' | '.join(theirs)} |", "|--" * (len(theirs) + 3) + "|"]
    for kind, number in sizes.items():
        counts = [max(leaked[path].get(kind, 0) for path in ours), *(leaked[column].get(kind, 0) for column in theirs)]
        lines.append(f"| {kind} | {number} | {' | '.join(map(str, counts))} |")
    totals = [max(sum(leaked[path].values()) for path in ours), *(sum(leaked[column].values()) for column in theirs)]
    lines.append(f"| **all** | {sum(sizes.values()):,} | {' | '.join(f'**{one:,}**' for one in totals)} |")
    return "\n".join([*lines, "", f"Python {found['python']}, {shown}."]) + "\n"


_LEAKS = """\
{total} private strings of {classes} classes, each in the text of an error message as command-line tools print them, through every channel of a log
record and a span: names, bodies, attributes and their keys, resource, scope, status, events, links, trace state, exceptions. A string has leaked
when it, ten characters of it, or a common encoding of it is in what comes out.

Beside it, on the same strings and each in an environment of its own, what people use instead: Presidio's pattern recognisers (without a language
model, so names of people are beyond it by construction), scrubadub, logfire's scrubber and Sentry's EventScrubber, as they are by default; the last
two once with the message and once with the string alone under its natural key, where they look. Those are made for other work, text that people
shall still read; ours keeps no text at all. Given alone, as the value of an attribute, none leaves either; but what somebody writes into a spool by hand
passes the sender when it has the very form of its key: a UUID as an id of ours, 16 digits as a pseudonym, a date as a day. `make leaks` counts again."""


def pages() -> dict[Path, str]:
    """Every generated page, with what belongs into it."""
    reference_pages = {"settings": reference(), "policies": policies(), "leaks": leaks()}
    from performance import pages as performance

    return {
        **performance(),
        ROOT / "docs/tour.md": tour(),
        **{ROOT / f"docs/reference/{name}.md": text for name, text in reference_pages.items()},
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: written")
