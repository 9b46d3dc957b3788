"""The Splunk app: its files agree with each other and with the sink, and its searches answer on events of a genuine exporter.

What runs the searches is a small strict reading of SPL in searches.py, no Splunk: it knows the commands that the app uses.
"""

import configparser
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from conftest import ROOT, World, uid
from expressions import Expression, Row, SearchError
from ledger import in_files, until
from searches import answer, parse, unknown

from otel_bridge.collector.process import Peer, events_of, hec_peer, running

APP = ROOT / "collector-config/splunk/otel_bridge_app"
DEFAULT = APP / "default"
SOURCETYPE = "otel:bridge:event"
# Of Dashboard Studio's kinds, those that the dashboard uses.
KINDS = {"splunk.bar", "splunk.column", "splunk.line", "splunk.singlevalue", "splunk.table"}


def conf(name: str) -> dict[str, dict[str, str]]:
    """A .conf file: no stanza and no key twice, values as they stand."""
    found = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), default_section="", strict=True)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    assert found.read(DEFAULT / name) == [str(DEFAULT / name)]
    return {stanza: dict(found[stanza]) for stanza in found.sections()}


MACROS = {name: stanza["definition"] for name, stanza in conf("macros.conf").items()}
SAVED = {name: stanza["search"] for name, stanza in conf("savedsearches.conf").items()}
COMPUTED = {key.removeprefix("EVAL-"): text for key, text in conf("props.conf")[SOURCETYPE].items() if key.startswith("EVAL-")}


def definition() -> dict[str, Any]:
    """The dashboard: JSON in the XML of its view."""
    root = ElementTree.parse(DEFAULT / "data/ui/views/product_usage.xml").getroot()
    assert (root.tag, root.get("version"), [child.tag for child in root]) == (
        "dashboard",
        "2",
        ["label", "description", "definition"],
    )
    return json.loads(root.findtext("definition") or "")


PANELS = {name: source["options"]["query"] for name, source in definition()["dataSources"].items()}
SEARCHES = {**SAVED, **PANELS}


def splunk_has(peer: Peer) -> Iterator[Row]:
    """The events of a peer as Splunk has them: _raw, _time, where they went, indexed fields, and of JSON in _raw what KV_MODE finds."""
    documents = peer.documents()
    read = [event for document in documents for event in events_of(document)]
    stamps = [
        int(record["timeUnixNano"]) / 1e9
        for document in documents
        for group in document["resourceLogs"]
        for scope in group["scopeLogs"]
        for record in scope["logRecords"]
    ]
    for event, stamp in zip(read, stamps, strict=True):
        row = {key.removeprefix("com.splunk."): value for key, value in event.items() if key != "event"}
        raw = event["event"] if isinstance(event["event"], str) else json.dumps(event["event"])
        row |= {"_raw": raw, "_time": stamp}
        if isinstance(event["event"], dict):
            row |= dict(flat("", event["event"]))
        yield row


def flat(before: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What automatic extraction makes of JSON: names joined by dots, `{}` behind a list's."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from flat(f"{before}.{key}" if before else key, one)
    elif isinstance(value, list):
        if value:
            yield before + "{}", value
    else:
        yield before, value


def computed(rows: list[Row]) -> list[Row]:
    """Rows with the calculated fields of props.conf, each computed from what was there before any of them."""
    expressions = {name: Expression(text) for name, text in COMPUTED.items()}
    made = [{**row, **{name: one.run(row) for name, one in expressions.items()}} for row in rows]
    return [{key: value for key, value in row.items() if value is not None} for row in made]


def arrived(peer: Peer, uids: Counter[str], spans: set[str]) -> bool:
    """Whether a peer has these records as often as that, these runs, and one canary and one deletion request."""
    events = peer.events()
    have = Counter(event["log.record.uid"] for event in events if "log.record.uid" in event)
    runs = {event["event"]["span_id"] for event in events if isinstance(event["event"], dict)}
    asked = {event["event"] for event in events if isinstance(event["event"], str)} >= {"canary", "deletion.request"}
    return have >= uids and runs >= spans and asked


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """Runs of kitchen, a canary and a deletion request, sent by the collector's exporter to its own HEC receiver, one batch twice."""
    world = World(tmp_path_factory.mktemp("splunk"))
    for folder in (world.home, world.root / "tmp"):
        folder.mkdir()
    shutil.copytree(ROOT / "examples/kitchen", world.work, ignore=shutil.ignore_patterns("kitchen", "__pycache__", "*.toml"))
    with hec_peer(world.root / "hec") as peer:
        more = {"OTEL_BRIDGE_SINK": "splunk", "OTEL_BRIDGE_SINK_2": "file", **peer.variables}
        with running(world.root / "collector", more) as collector:
            told = {"OTEL_BRIDGE_ENDPOINT": collector.endpoint}
            world.on()
            for words in (("create", "debian"), ("test", "--destroy", "always"), ("login", "nowhere")):
                world.run("kitchen", *words, ok=None)
            recorded = world.waiting()
            world.run("otel-bridge", "drain", "--product", "kitchen", **told)
            archived = collector.files / "logs.jsonl"
            until(lambda: archived.exists() and "\n" in archived.read_text())
            world.run("otel-bridge", "canary", "--product", "kitchen", **told)
            world.run("otel-bridge", "forget", "--product", "kitchen", **told)
            again = world.root / "again/logs.jsonl"
            again.parent.mkdir()
            again.write_text(archived.read_text().partition("\n")[0] + "\n")
            words = ("otel-bridge", "replay", str(again), "--endpoint", collector.endpoint)
            world.run(*words, "--queue", str(world.root / "queue"))
            uids = Counter(uid(item) for item in recorded if item.signal == "logs") + in_files(again.parent)
            spans = {item.body["spanId"] for item in recorded if item.signal == "traces"}
            until(lambda: arrived(peer, uids, spans))
        return computed(list(splunk_has(peer)))


def test_the_files_agree_with_each_other_and_with_the_sink() -> None:
    """Index, sourcetype and token are one thing in every file, and what sinks/splunk.yaml sends to by default."""
    sink = (ROOT / "collector-config/sinks/splunk.yaml").read_text()
    index, sourcetype = (re.search(rf"OTEL_BRIDGE_SPLUNK_{name}:-(.*?)}}", sink)[1] for name in ("INDEX", "SOURCETYPE"))  # type: ignore[index]
    assert list(conf("indexes.conf")) == [index]
    assert list(conf("props.conf")) == [sourcetype] == [SOURCETYPE]
    token = conf("inputs.conf")["http://otel_bridge"]
    assert (token["index"], token["indexes"], token["sourcetype"], token["useACK"]) == (index, index, sourcetype, "0")
    assert MACROS["otel_bridge"] == f'index="{index}" sourcetype="{sourcetype}"'
    assert conf("app.conf")["package"]["id"] == APP.name
    ttl = re.search(r"CLICKHOUSE_TTL:-(\d+)h", (ROOT / "collector-config/sinks/clickhouse.yaml").read_text())
    assert ttl and int(conf("indexes.conf")[index]["frozenTimePeriodInSecs"]) == int(ttl[1]) * 3600
    keys = yaml.safe_load((ROOT / "collector-config/privacy.yaml").read_text())["processors"]["redaction"]["allowed_keys"]
    assert conf("fields.conf") == {key: {"INDEXED": "true"} for key in [*keys, "trace_id", "span_id"]}
    navigation = ElementTree.parse(DEFAULT / "data/ui/nav/default.xml").getroot()
    assert [view.get("name") for view in navigation if view.get("default")] == ["product_usage"]


def test_the_dashboard_is_whole() -> None:
    """Each panel has a known kind, a search and a place; no two places overlap; each token is that of an input."""
    found = definition()
    panels, places = found["visualizations"], found["layout"]["structure"]
    assert {panel["type"] for panel in panels.values()} == KINDS
    assert sorted(panel["dataSources"]["primary"] for panel in panels.values()) == sorted(found["dataSources"])
    assert sorted(place["item"] for place in places) == sorted(panels)
    assert found["layout"]["globalInputs"] == list(found["inputs"])
    tokens = {one["options"]["token"] for one in found["inputs"].values()}
    assert {name.partition(".")[0] for name in re.findall(r"\$([\w.]+)\$", json.dumps(found["dataSources"]))} == tokens
    boxes = [place["position"] for place in places]
    cells = [
        (x, y)
        for box in boxes
        for x in range(box["x"], box["x"] + box["w"], 100)
        for y in range(box["y"], box["y"] + box["h"], 100)
    ]
    assert len(cells) == len(set(cells)) and max(box["x"] + box["w"] for box in boxes) == 1200


@pytest.mark.parametrize("name", SEARCHES)
def test_every_search_can_be_read_and_names_only_fields_that_there_are(name: str, rows: list[Row]) -> None:
    """A field is in an event that the exporter sent, computed by props.conf, or made by the search itself; and it finds something."""
    commands = parse(SEARCHES[name], MACROS)
    assert unknown(commands, {key for row in rows for key in row}) == set()
    found = answer(commands, rows)
    assert found if "delete one installation" not in name else found == [{"deleted": 0}]


def test_every_computed_field_reads_fields_that_there_are(rows: list[Row]) -> None:
    """props.conf names nothing that no event has, and each of its fields is in some event."""
    plain = {key for row in rows for key in row} - set(COMPUTED)
    assert {name: Expression(text).reads - plain for name, text in COMPUTED.items()} == {name: set() for name in COMPUTED}
    assert {key for row in rows for key in row} >= set(COMPUTED)


def test_the_searches_answer_what_was_done(rows: list[Row]) -> None:
    """Three runs, one of which failed; one batch came twice and is counted once; the canary and the request are there."""

    def found(name: str) -> list[Row]:
        return answer(parse(SEARCHES[name], MACROS), rows)

    runs = found("otel-bridge: runs of each command, and how many fail")
    assert {row["command"]: (row["runs"], row["failed"], row["percent"]) for row in runs} == {
        "create": (1, 0.0, 0.0),
        "test": (1, 0.0, 0.0),
        "login": (1, 1.0, 100.0),
    }
    events = {row["event_name"]: row["count"] for row in found("otel-bridge: events of each product, by name")}
    assert {name: events[name] for name in ("canary", "cli.run", "deletion.request")} == {
        "canary": 1,
        "cli.run": 3,
        "deletion.request": 1,
    }
    twice = found("otel-bridge: events that came more than once")
    number = sum("log.record.uid" in row for row in rows) - len({row.get("log.record.uid") for row in rows} - {None})
    assert number > 0 and twice == [{"events": number, "duplicates": float(number)}]
    assert found("ds_failing") == [{"percent": 33.3}]
    assert found("ds_installations") == [{"installations": 1}]
    assert [sorted(row) for row in found("otel-bridge: installations that asked to be deleted")] == [
        ["asked", "otel_bridge.deletion.ids", "product"]
    ]


@pytest.mark.parametrize(
    "text",
    [
        "index=x | frobnicate y",
        "index=x | where a=",
        "index=x | where (a=1",
        'index=x | where "a',
        "index=x | eval b",
        "index=x | eval b=nosuch(a)",
        "index=x | eval b=if(a, 1)",
        "index=x | stats by y",
        "index=x | stats mode(a) by y",
        "index=x | stats count by a by b",
        "index=x | timechart count",
        "`no_such_macro` | stats count",
        "| tstats count",
    ],
)
def test_a_search_that_is_not_well_formed_is_refused(text: str) -> None:
    """The reading is strict: what it does not know is an error."""
    with pytest.raises(SearchError):
        parse(text, MACROS)


def test_a_field_that_no_event_has_is_found(rows: list[Row]) -> None:
    """Also one that an earlier command took away."""
    have = {key for row in rows for key in row}
    assert unknown(parse("`otel_bridge` | stats count by cli.command", MACROS), have) == {"cli.command"}
    assert unknown(parse("`otel_bridge` | stats count by product | where command=1", MACROS), have) == {"command"}
