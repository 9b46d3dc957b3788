"""Write the pages of docs/ that say what the code says: `make generate` runs this, and a test holds them current."""

import ast
import json
import sys
from pathlib import Path

from otel_bridge import settings
from otel_bridge.collector.sinks import Told, Variable, fields, told
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


def sinks() -> str:
    """Every sink, overlay and scale file, as the comments at its head have it."""
    lines = ["# Sinks and overlays", "", *_SINKS.splitlines()]
    for kind, title in (("sinks", "Sinks"), ("overlays", "Overlays"), ("scale", "For many hosts"), (".", "For all of them")):
        files = sorted((ROOT / "collector-config" / kind).glob("*.yaml" if kind != "." else "base.yaml"))
        lines += ["", f"## {title}"]
        for file in files:
            lines += ["", *_told(told(file), file.relative_to(ROOT).as_posix())]
    return "\n".join(lines) + "\n"


def _told(one: Told, place: str) -> list[str]:
    lines = [f"### [`{one.name}`](../{place})", "", one.what] if one.name != "base" else [f"### [`{one.name}`](../{place})"]
    rows: list[tuple[Variable, str]] = [(row, "must be set") for row in one.needs]
    rows += [(row, f"`{row.default}`" if row.default else "") for row in one.may]
    if rows:
        lines += ["", "| variable | default | what it is |", "|--|--|--|"]
        lines += [f"| `{row.name}` | {default} | {row.what} |" for row, default in rows]
    if one.lost:
        lines += ["", "Lost:", "", *(f"* {text}" for text in one.lost)]
    return lines


def intake() -> str:
    """What the intake takes, as `make bench` has last measured it."""
    found = json.loads((ROOT / "benchmarks/results/intake.json").read_text(encoding="utf-8"))
    machine = found["machine"]
    lines = ["# What the intake takes", "", *_INTAKE.format(seconds=found["seconds"], **machine).splitlines(), ""]
    lines += ["| collector | records a request | records/s | CPU us a record | peak MB |", "|--|--:|--:|--:|--:|"]
    for name, one in sorted(found["medians"].items(), key=lambda row: (row[0].endswith(", 1000 a request"), row[0])):
        kind, _, load = name.removesuffix(" a request").rpartition(", ")
        rate, cpu, peak = one["records_a_second"], one["cpu_us_a_record"], one["peak_mb"]
        lines.append(f"| {kind} | {int(load):,} | {rate:,.0f} | {cpu:.1f} | {peak:.0f} |")
    lines += ["", "Splunk down, its queue growing (file beside it, 500 records a request):", ""]
    lines += ["| records waiting | memory MB | its peak MB | queue on disk MB |", "|--:|--:|--:|--:|"]
    lines += [
        f"| {one['waiting']:,} | {one['rss_mb']:.0f} | {one['peak_mb']:.0f} | {one['queue_mb']:.0f} |" for one in found["backlog"]
    ]
    return "\n".join(lines) + "\n"


_INTAKE = """\
`make bench` measures: each round starts a collector anew and posts one request over and over for {seconds:g} s (events of kitchen with 13
attributes, OTLP as protobuf over HTTP; 8 connections with one record a request, 2 with 1,000), the generator on the same machine. Rounds
are shuffled, medians are told. Every record that was taken was counted at every sink, or the benchmark ends. CPU is the collector's
own, until all sinks had everything; it also holds on a machine that does other things, records/s do not. Splunk is a second collector's
splunk_hec receiver; its queue is on disk, with an fsync for each request. Upstream's sample is otlp, memory_limiter, batch and the file
exporter, all by their defaults: it answers before it writes (a kill -9 loses what was acknowledged) and truncates its file at each start.

{cpus} CPUs, {system}; load average at the end {load_average[0]}, {load_average[1]}, {load_average[2]}: other work was running, so compare rows rather than
take them for what a machine of your own does."""

_SINKS = """\
Every file says at its head what it is, what it needs and what is lost when; this page is those heads, and `otel-bridge sinks` shows
them beside what is set here. One variable chooses: `OTEL_BRIDGE_SINK=splunk`, `OTEL_BRIDGE_SINK_2=file` for a second one,
`OTEL_BRIDGE_OVERLAY=gateway`. A file of your own is a sink too: copy one, keep its pipelines reading `[forward/clean]`, and
`otel-bridge sinks check` says whether it stands behind privacy. [Operating an intake](operate.md) has the rest."""

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
    reference_pages = {"settings": reference(), "policies": policies(), "leaks": leaks(), "intake": intake()}
    privacy = ROOT / "collector-config/privacy.yaml"
    from performance import pages as performance

    written = {
        **performance(),
        ROOT / "docs/tour.md": tour(),
        ROOT / "docs/sinks.md": sinks(),
        ROOT / "collector-config/splunk/otel_bridge_app/default/fields.conf": fields(privacy),
    }
    return {**written, **{ROOT / f"docs/reference/{name}.md": text for name, text in reference_pages.items()}}


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: written")
