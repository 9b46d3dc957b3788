"""What a registry says to people: pages made from it alone, true to the code, and tables that stay tables."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ROOT
from markdown_it import MarkdownIt

from otel_bridge import consent, instrument, privacy, record, schema
from otel_bridge.commands import VERBS
from otel_bridge.commands.docs import examples
from otel_bridge.export import backoff, detach, ledger, otlp, policy
from otel_bridge.record import segments
from otel_bridge.schema import Event, Field, Product, Registry, Span
from otel_bridge.schema.pages import GENERATED, event_pages, telemetry
from otel_bridge.schema.policies import POLICIES
from otel_bridge.schema.words import KEEPS, MOST, code, ended, keeps, link, sampled, text
from otel_bridge.settings import ROWS

OWNER = ("interaction", "owner@example.org")
HOSTILE = '# a | b\n\n<img src="//x"> ![i](//x) `c` **d** \x1b[2J \u202e {product} | e'


def field(key: str, kind: str, policy: str, *parameters: object, expires: int = 0) -> Field:
    return Field(key, kind, policy, parameters, f"What {key} is.", f"Why {key}?", *OWNER, expires)  # type: ignore[arg-type]


SEQUENCE = field("otel_bridge.sequence", "int", "count", 9)
SMALL = Registry(
    product=Product(
        "probe", "probe", Path("/nowhere"), endpoint="https://intake.example.org", notice="It says a little.", scripts=("probe",)
    ),
    resource=(field("service.name", "string", "enum", ("probe",), "__other__"),),
    span=(SEQUENCE, field("process.exit.code", "int", "count", 255)),
    common=(SEQUENCE,),
    events=(
        Event(
            "probe.step",
            "A step was done.",
            "interaction",
            (
                field("otel_bridge.sample_rate", "double", "bucket", (0.1,)),
                field("probe.secret", "string", "drop"),
                field("probe.words", "string[]", "enum", tuple("abcdefghij"), "__other__", expires=1830297600),
                field("probe.version", "string", "version", 2, "probe.words"),
            ),
            0.1,
        ),
    ),
    spans=(Span("probe.request", "server", "http", "A request was served.", "", (field("probe.ok", "boolean", "boolean"),)),),
)
SERVICE = replace(  # the same, and what only a command line could tell, as a program on the OTel SDK
    SMALL,
    product=replace(SMALL.product, scripts=()),
    resource=(
        replace(SMALL.resource[0], category="platform"),
        replace(field("app.installation.id", "string", "identifier", "period"), owner="otel-bridge"),
    ),
    span=tuple(replace(one, owner="otel-bridge") for one in SMALL.span),
    common=(
        replace(SEQUENCE, owner="otel-bridge"),
        replace(field("otel_bridge.command", "string", "enum", (), "__other__"), owner="otel-bridge"),
    ),
    events=(*SMALL.events, Event("canary", "", "", ()), Event("deletion.request", "", "deletion", ())),
)
SHOWN = {"(every event and run)": {"otel_bridge.sequence": 1}, "probe.step": {"probe.words": ["a", "b"], "probe.version": "1.2"}}

STEP = f"""\
<!-- {GENERATED} -->
# `probe.step`

A step was done.

| | |
|--|--|
| category | interaction |
| told | in about 10 % of sessions, chosen by a hash of session and event |

## Attributes

| attribute | what it is | type | what is kept of it | such as | why | owner | until | requires |
|--|--|--|--|--|--|--|--|--|
| `otel_bridge.sample_rate` | What otel\\_bridge.sample\\_rate is. | `double` | bucket: always 0.1 |  | Why otel\\_bridge.sample\\_rate? | owner@example.org |  |  |
| `probe.secret` | What probe.secret is. | `string` | drop: nothing |  | Why probe.secret? | owner@example.org |  |  |
| `probe.words` | What probe.words is. | `string[]` | enum: one of a, b, c, d, e, f, g, h, i, j, else \\_\\_other\\_\\_; a list of these, at most 16 | `a`, `b` | Why probe.words? | owner@example.org | 2028-01-01 |  |
| `probe.version` | What probe.version is. | `string` | version: the first two numbers of a version, only where probe.words is told by name | `1.2` | Why probe.version? | owner@example.org |  | `probe.words` |

Beside it: `otel_bridge.sequence`, [product and platform](README.md#with-every-event-and-every-run).

## An example

```json
{{
  "event": "probe.step",
  "time": "2026-11-22T10:46:00Z",
  "attributes": {{
    "otel_bridge.sequence": 1,
    "probe.words": [
      "a",
      "b"
    ],
    "probe.version": "1.2"
  }}
}}
```
"""
INDEX = f"""\
<!-- {GENERATED} -->
# What probe tells, event by event

| | what it is | category | told |
|--|--|--|--|
| [`cli.run`](cli.run.md) | One run of the command line. |  | always |
| [`probe.request`](probe.request.md) | A request was served. Of a program that runs for long: spans of this name, or of kind server from http. |  | always |
| [`probe.step`](probe.step.md) | A step was done. | interaction | in about 10 % of sessions |

## With every event and every run

| attribute | what it is | type | what is kept of it | such as | why | owner | until | requires |
|--|--|--|--|--|--|--|--|--|
| `otel_bridge.sequence` | What otel\\_bridge.sequence is. | `int` | count: a whole number, at most 9 | `1` | Why otel\\_bridge.sequence? | owner@example.org |  |  |
| `service.name` | What service.name is. | `string` | enum: one of probe, else \\_\\_other\\_\\_ |  | Why service.name? | owner@example.org |  |  |

Besides: the moment, cut to the minute; random numbers for the record and the run; the version of otel-bridge; and of a run how
long it took, to two digits, and whether it failed.

[What this is for, how to look and how to stop](../../TELEMETRY.md)
"""
SENT = """\
To `https://intake.example.org`. A value is reduced before it is written to your disk, and checked again before it leaves.
Where a list is cut short, [the pages of the events](docs/events/README.md) have all of it.

### `cli.run`

One run of the command line.

| attribute | what is kept | why |
|--|--|--|
| `process.exit.code`: What process.exit.code is. | a whole number, at most 255 | Why process.exit.code? |

### `probe.request`

A request was served. Of a program that runs for long: spans of this name, or of kind server from http.

| attribute | what is kept | why |
|--|--|--|
| `probe.ok`: What probe.ok is. | true or false | Why probe.ok? |

### `probe.step`

A step was done. Told in about 10 % of sessions. (category `interaction`)

| attribute | what is kept | why |
|--|--|--|
| `otel_bridge.sample_rate`: What otel\\_bridge.sample\\_rate is. | always 0.1 | Why otel\\_bridge.sample\\_rate? |
| `probe.words`: What probe.words is. Until 2028-01-01. | one of a, b, c, d, e, f, g, h and 2 more, else \\_\\_other\\_\\_; a list of these, at most 16 | Why probe.words? |
| `probe.version`: What probe.version is. | the first two numbers of a version, only where probe.words is told by name, such as `1.2` | Why probe.version? |

### With every event and every run

| attribute | what is kept | why |
|--|--|--|
| `otel_bridge.sequence`: What otel\\_bridge.sequence is. | a whole number, at most 9 | Why otel\\_bridge.sequence? |
| `service.name`: What service.name is. | one of probe, else \\_\\_other\\_\\_ | Why service.name? |

Besides: the moment, cut to the minute; random numbers for the record and the run; the version of otel-bridge; and of a run how
long it took, to two digits, and whether it failed. `canary`, `deletion.request` and `telemetry.dropped` belong to no run: with them go product and version
alone. A run that told 16 names of a public list as one attribute tells every other name as `__other__`.
"""


def sections(page: str) -> dict[str, str]:
    return {one.partition("\n")[0]: one.partition("\n\n")[2].strip() + "\n" for one in page.split("\n## ")}


def test_every_policy_has_words() -> None:
    """What a policy leaves can be said of each policy of the table, and of no other."""
    assert sorted(KEEPS) == sorted(POLICIES)


@pytest.mark.parametrize(
    ("policy", "parameters", "said"),
    [
        ("day", ("week",), "the week of a moment, in UTC"),
        ("pseudonym", ("quarter", "probe"), "a keyed hash, another one every quarter; the key never leaves this machine"),
        ("identifier", ("period",), "a random id, another one every month"),
        ("registry", ("plugins", "__private__"), "a name of the public list plugins, else __private__"),
        ("version", (1, ""), "the first number of a version"),
        ("enum", ("\na\nb\n", "__other__"), "one of a, b, else __other__"),
        ("enum", ((), "__other__"), "always __other__"),
        (
            "frames",
            ("\nclick\n", 8),
            "the last 8 places (module, function, line) in the standard library and these packages: click; others as private",
        ),
    ],
)
def test_a_policy_in_words(policy: str, parameters: tuple, said: str) -> None:
    """Names are read as tuples, as a registry has them, and as one string, as a compiled one has."""
    assert keeps(policy, parameters, identity="month") == said


def test_a_product_without_ids_says_so() -> None:
    """Where the product declares `identity = "none"` nothing is kept of the installation id."""
    assert keeps("identifier", ("period",), identity="none") == "nothing, for this product has no such ids"
    page = telemetry(replace(SMALL, product=replace(SMALL.product, identity="none")))
    assert "app.installation.id" not in page
    assert "There is nothing to ask of the server" in page


def test_an_event_has_a_page() -> None:
    """The whole page of an event, and the whole index."""
    pages = event_pages(SMALL, SHOWN)
    assert sorted(pages) == ["README.md", "cli.run.md", "probe.request.md", "probe.step.md"]
    assert pages["probe.step.md"] == STEP
    assert pages["README.md"] == INDEX


def test_what_the_registry_says_stands_in_the_page() -> None:
    """Everything in TELEMETRY.md that another registry would say otherwise."""
    found = sections(telemetry(SMALL, SHOWN))
    assert found["What is sent"] == SENT
    assert found["What it is for"] == (
        "* Why probe.ok?\n* Why otel\\_bridge.sample\\_rate?\n* Why probe.words?\n* Why probe.version?\n"
        "* Why process.exit.code?\n* Why otel\\_bridge.sequence?\n* Why service.name?\n"
    )
    assert found["What is not sent"].startswith("* `probe.secret`: What probe.secret is.\n* What you type.")
    assert "`probe.secret`" not in found["What is sent"]
    assert found["Who answers for it"] == (
        "| who | for |\n|--|--|\n| owner@example.org | `probe.ok`, `otel_bridge.sample_rate`, `probe.secret`, `probe.words`,"
        " `probe.version`, `process.exit.code`, `otel_bridge.sequence`, `service.name` |\n"
    )
    assert found["When it ends"] == f"* `probe.words` is told no more from 2028-01-01 on (UTC).\n\n{GENERATED}\n"


def test_a_product_that_is_on_by_default_says_so() -> None:
    """`opt_out` is said in the second sentence of its section, and by the last row of the table."""
    page = sections(telemetry(replace(SMALL, product=replace(SMALL.product, default="opt_out"))))["Is it on?"]
    assert page.startswith("On, but not before you know: once, after a command on a terminal, probe tells you of it")
    assert "| 10 | nobody | on, as said above | |" in page


def test_it_is_the_same_text_every_time() -> None:
    """Two loads of one registry give the same pages."""
    one, other = (schema.load(ROOT / "examples/kitchen/telemetry.yaml") for _ in range(2))
    assert (telemetry(one), event_pages(one)) == (telemetry(other), event_pages(other))


def planted(words: str, *scripts: str) -> dict[str, str]:
    """The pages of a registry that has these words wherever an author may write some."""
    one = Field("probe.x", "string", "enum", ((words,), words), words, words, words, words)
    product = replace(SMALL.product, notice=words, documentation=words, endpoint=words, scripts=scripts)
    registry = replace(
        SMALL,
        product=product,
        events=(Event(words, words, words, (one,)),),
        spans=(Span(*[words] * 5, (one,)),),  # type: ignore[call-arg, arg-type]
    )
    shown = {words: {"probe.x": words}}
    return {"TELEMETRY.md": telemetry(registry, shown), **event_pages(registry, shown)}


def structure(page: str) -> list[tuple[str, list[str]]]:
    """Paragraphs, tables, links and whatever else CommonMark finds in a page, without the words themselves."""
    words = ("text", "text_special", "softbreak")
    tokens = MarkdownIt("commonmark").enable("table").parse(page)
    return [(one.type, [child.type for child in one.children or () if child.type not in words]) for one in tokens]


@pytest.mark.parametrize("on_sdk", [False, True])
def test_an_author_s_words_stay_words(on_sdk: bool) -> None:
    """Whatever stands in a registry, the pages are built as with a harmless word, and every row has the cells of its table."""
    hostile, harmless = [planted(words, *([] if on_sdk else [words])) for words in (HOSTILE, "word")]
    for name, page, plain in zip(hostile, hostile.values(), harmless.values(), strict=True):
        assert structure(page) == structure(plain), name
        assert table_widths(page) == table_widths(plain), name
        assert not set(page) & {"\x1b", "\u202e"}
        assert re.fullmatch(r"[A-Za-z0-9._%-]+", name)


def table_widths(page: str) -> list[list[int]]:
    """The number of cells of each row of each table, counted as GitHub does."""
    tables: list[list[int]] = [[]]
    for line in page.splitlines():
        if line.startswith("|"):
            tables[-1].append(len(re.findall(r"(?<!\\)\|", line)))
        elif tables[-1]:
            tables.append([])
    return [table for table in tables if table]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("a | b", "a \\| b"),
        ("two\n\nlines", "two lines"),
        ("<b>", "&lt;b&gt;"),
        ("`x` *y* _z_ [l](u) ~s~ \\", "\\`x\\` \\*y\\* \\_z\\_ \\[l\\](u) \\~s\\~ \\\\"),
        ("1. one", "1\\. one"),
        ("- one", "\\- one"),
        ("# one", "\\# one"),
        ("---", "\\---"),
    ],
)
def test_text_means_nothing_but_itself(said: str, shown: str) -> None:
    """What Markdown would read as markup is escaped, and a line stays one line."""
    assert text(said) == shown


def test_code_is_one_span() -> None:
    """Backticks get a longer fence, a bar does not end a cell."""
    assert (code("a"), code("a`b"), code("``"), code("a|b")) == ("`a`", "`` a`b ``", "``` `` ```", "`a\\|b`")


def test_a_link_is_an_address_of_the_web() -> None:
    """Anything else is shown as text."""
    assert link("https://example.org/a") == "<https://example.org/a>"
    assert link("javascript:alert(1)>") == "javascript:alert(1)&gt;"


def test_a_rate_in_words() -> None:
    """A share of sessions; nothing when all are told."""
    assert (sampled(1.0), sampled(0.1), sampled(0.0025)) == ("", "in about 10 % of sessions", "in about 0.25 % of sessions")


def test_an_event_that_a_command_records_says_so() -> None:
    """TELEMETRY.md names eight of the commands at whose end it is recorded, the event's own page all of them."""
    one = replace(SMALL.events[0], command=("", "go", *"abcdefgh"))
    registry = replace(SMALL, product=replace(SMALL.product, scripts=("run-probe",)), events=(one,))
    eight = "Recorded at the end of `run-probe`, `run-probe go`, " + ", ".join(f"`run-probe {word}`" for word in "abcdef")
    assert f"\nA step was done. {eight} and 2 more. Told in about 10 % of sessions. (category" in telemetry(registry)
    assert f"\nA step was done. {eight}, `run-probe g` and `run-probe h`.\n" in event_pages(registry)["probe.step.md"]
    assert (ended("p", ()), ended("p", ("a|b",))) == ("", "Recorded at the end of `p a\\|b`.")


def test_an_event_cannot_take_the_place_of_another_file() -> None:
    """Names become names of files in one folder, all different."""
    names = ("../up", "README", "cli.run", "a/b", "a%2Fb")
    events = tuple(Event(name, "", "", ()) for name in names)
    assert sorted(event_pages(replace(SMALL, events=events, spans=()))) == sorted(
        ["README.md", "..%2Fup.md", "%52%45%41%44%4D%45.md", "cli.run.md", "cli.run-span.md", "a%2Fb.md", "a%252%46b.md"]
    )


@pytest.mark.parametrize("product", ["kitchen", "shop"])
def test_every_verb_and_variable_in_the_page_exists(product: str) -> None:
    """What the page tells people to type and to set is there."""
    page = telemetry(schema.load(ROOT / f"examples/{product}/telemetry.yaml"))
    assert set(re.findall(r"`otel-bridge ([a-z-]+)", page)) <= set(VERBS)
    variable = consent.variable_of(product)
    known = {"DO_NOT_TRACK", "OTEL_SDK_DISABLED", variable, f"{variable}_OPTOUT", "XDG_STATE_HOME"} | {row.variable for row in ROWS}
    assert set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", page)) <= known
    odd = replace(SMALL, product=replace(SMALL.product, product="a-b.c"))
    assert f"`{consent.variable_of('a-b.c')}_OPTOUT=1`" in telemetry(odd)


@pytest.mark.parametrize("registry", [SMALL, SERVICE], ids=["command line", "service"])
def test_the_page_asks_in_the_order_of_the_code(registry: Registry) -> None:
    """As many sources as are asked, in their order; `nobody` comes last."""
    page = sections(telemetry(registry))["Is it on?"]
    words = re.findall(r"^\| \d+ \| .*$", page, re.MULTILINE)
    assert len(words) == len(consent.SOURCES) + 1
    asked = (
        "policy",
        "DO_NOT_TRACK",
        "OTEL_SDK_DISABLED",
        "the program that started",
        "_OPTOUT",
        "_TELEMETRY=",
        ".otel-bridge/off",
        "all products",
        "--product",
    )
    assert [one for one, row in zip(asked, words, strict=False) if one not in row] == []
    assert f"`{consent.ORGANISATION}`" in page


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    """Bounds and times stand in the page as words; when one of them changes, so must the page."""
    assert (segments.BYTES, ledger.BYTES) == (8 << 20, 4 << 20)  # 8 MiB wait; 4 to 8 MiB of requests are kept
    assert (instrument.DRAIN_EVERY, backoff.MOST, backoff.LONG, backoff.DAY) == (3600, 3600, 6 * 3600, 86400)
    assert (detach.PATIENCE, record.PATIENCE * 0.002, consent.IDLE) == (1.0, 0.5, 600)
    assert (otlp.TIMEOUT, policy.ASK_EVERY) == (10.0, 5 * 10**9)
    assert MOST == privacy.MOST == 16


def service(**changed: object) -> tuple[str, dict[str, str]]:
    """TELEMETRY.md and the other pages of a service, its event changed."""
    registry = replace(SERVICE, events=(replace(SMALL.events[0], **changed), *SERVICE.events[1:]))
    return telemetry(registry, SHOWN), event_pages(registry, SHOWN)


def test_a_service_says_nothing_of_a_command_line() -> None:
    """No run, notice, spool, sender, ledger or id of ours stands in the pages of a program on the OTel SDK; other words do."""
    registry = schema.load(ROOT / "examples/shop/telemetry.yaml")
    page, pages = telemetry(registry, examples(registry)), event_pages(registry, examples(registry))
    for words in ("terminal", "next command", "continuous integration (", "preview", "otel-bridge sent", "otel-bridge lost"):
        assert words not in page
    for words in ("written to your disk", "what waits |", "session.id", "app.installation.id", "OTEL_BRIDGE_DETACH", "=log"):
        assert words not in page
    assert not [words for words in ("session.id", "app.installation.id", "otel_bridge.command") if words in "".join(pages.values())]
    assert sorted(pages) == ["README.md", "shop.order.md", "shop.price.md", "shop.request.md"]
    assert re.findall("^### (.*)$", page, re.MULTILINE) == [
        *("`shop.price`", "`shop.request`", "`shop.order`", "With every event and every span")
    ]
    asked = sections(page)["Is it on?"]
    assert asked.startswith("Off, until somebody turns it on")
    for words in (
        "SHOP_TELEMETRY=on",
        "SHOP_TELEMETRY_OPTOUT=1",
        "DO_NOT_TRACK=1",
        "OTEL_SDK_DISABLED=true",
        "/etc/otel-bridge/policy",
    ):
        assert words in asked
    assert "every five seconds" in asked
    assert "| `service.name` | The product. | `string` | enum: one of shop, else \\_\\_other\\_\\_ | `shop` |" in pages["README.md"]


def test_a_service_that_would_be_on_by_default_is_off() -> None:
    """`opt_out` begins with a notice, and a service shows none."""
    registry = replace(SERVICE, product=replace(SERVICE.product, default="opt_out"))
    assert telemetry(registry) == telemetry(SERVICE)


def test_a_service_tells_purposes_and_parts_of_what_it_can_tell() -> None:
    """What a command line could tell has no purpose, owner or category here; what its resource has is refused by no category."""
    found = sections(service()[0])
    whys = ("probe.ok", "otel_bridge.sequence", "otel_bridge.sample_rate", "probe.words", "probe.version", "service.name")
    assert found["What it is for"] == "".join(f"* Why {text(key)}?\n" for key in whys)
    assert "(there are `interaction`, `platform`)" in found["How to stop"]
    assert "process.exit.code" not in "".join(found.values())


def test_a_service_is_sampled_by_trace_and_knows_no_default() -> None:
    """A rare event is told of a share of traces; `default_only` leaves its placeholder, and no example says otherwise."""
    default = replace(field("probe.words", "string", "default_only", ("a", "b"), "__custom__", ""), expires=0)
    page, pages = service(fields=(default,))
    assert "Told in about 10 % of traces." in page
    assert "told | in about 10 % of traces, chosen by a hash of trace and event |" in pages["probe.step.md"]
    assert "| default\\_only: always \\_\\_custom\\_\\_ |  |" in pages["probe.step.md"]
    assert '"probe.words"' not in pages["probe.step.md"]


def test_a_service_that_declares_more_of_a_run_has_a_page_for_it() -> None:
    """Where the product itself gives `cli.run` an attribute, its program has a use for that span."""
    registry = replace(SERVICE, span=(*SERVICE.span, field("probe.mode", "string", "enum", ("a",), "__other__")))
    assert "cli.run.md" in event_pages(registry)
