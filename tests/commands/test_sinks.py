"""`otel-bridge sinks`: what can be written to, what is, what it needs; and what stands in front of privacy is refused by name."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, World

from otel_bridge.collector.check import mistakes, secrets
from otel_bridge.collector.process import hec_peer, running
from otel_bridge.collector.sinks import Variable, every, fields, told

CONFIG = ROOT / "collector-config"
HERE = {"OTEL_BRIDGE_COLLECTOR_CONFIG": str(CONFIG), "OTEL_BRIDGE_OTELCOL": str(ROOT / ".cache/otelcol-bridge")}
SPLUNK = {"OTEL_BRIDGE_SPLUNK_URL": "https://splunk.example:8088/services/collector", "OTEL_BRIDGE_SPLUNK_TOKEN": "token"}
FILES = [file for kind in ("sinks", "overlays", "scale") for file in sorted((CONFIG / kind).glob("*.yaml"))]
PLACES = ("OTEL_BRIDGE_QUEUE_DIR", "OTEL_BRIDGE_FILE_DIR", "OTEL_BRIDGE_REPLAY_QUEUE_DIR")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CONFIG)))
def test_every_variable_of_a_file_stands_at_its_head_and_the_other_way_round(file: Path) -> None:
    """What `${env:...}` reads is what `needs` and `may` say, with the same default; no line has another form."""
    found = told(file)
    code = "\n".join(line.partition(" #")[0] for line in file.read_text().splitlines() if not line.startswith("#"))
    read = dict(re.findall(r"\$\{env:([A-Z0-9_]+)(?::-(.*?))?\}", code))
    said = {row.name: row.default or "" for row in (*found.needs, *found.may) if not row.name.startswith("AWS_")}
    if file.stem == "replay":
        del said["OTEL_BRIDGE_BLOCK_ON_OVERFLOW"]  # its sinks read it
    said = {
        name: default
        for name, default in said.items()
        if name.removesuffix("_FILE") == name or name.removesuffix("_FILE") not in read
    }
    base = {row.name for row in told(CONFIG / "base.yaml").may}
    assert found.what.endswith(".") and found.wrong == ()
    assert {name: read[name] for name in said if name in read} == {name: said[name] for name in said if name in read}
    assert (set(said) - set(read), set(read) - set(said) - base) == (set(), set())
    assert found.lost or file.stem == "none"


def test_the_head_of_a_file_is_read_whole(tmp_path: Path) -> None:
    """A sentence, what it needs, what it may have, what is lost; lines that go on; a line of another form is kept as wrong."""
    file = tmp_path / "lake.yaml"
    file.write_text(
        "# A lake.\n# needs: LAKE_URL - where it is,\n#     as a URL\n# may: LAKE_DEPTH (3) - how deep\n# may: LAKE_CA () - trusted\n"
        "# needs: a boat\n# lost: what sinks\n# lost: what\n#     evaporates\n\n# more: X - is no head\nexporters: {}\n"
    )
    found = told(file)
    assert (found.name, found.file, found.what) == ("lake", file, "A lake.")
    assert found.needs == (Variable("LAKE_URL", "where it is, as a URL"),)
    assert found.may == (Variable("LAKE_DEPTH", "how deep", "3"), Variable("LAKE_CA", "trusted", ""))
    assert (found.lost, found.wrong) == (("what sinks", "what evaporates"), ("needs: a boat",))


def test_the_verb_shows_every_sink_which_are_active_and_what_they_lack(world: World) -> None:
    """As JSON and as text; what a variable holds is never shown."""
    secret = {"OTEL_BRIDGE_SINK": "splunk", "OTEL_BRIDGE_SINK_2": "file", "OTEL_BRIDGE_SPLUNK_TOKEN": "do-not-show"}
    found = world.json("otel-bridge", "sinks", "--json", **HERE, **secret)
    assert (found["config"], [one for one in found["overlays"] if one["active"]]) == (str(CONFIG), [])
    assert [one["name"] for one in found["sinks"]] == [one.name for one in every()] == sorted(one["name"] for one in found["sinks"])
    assert [one["name"] for one in found["sinks"] if one["active"]] == ["file", "splunk"]
    splunk = next(one for one in found["sinks"] if one["name"] == "splunk")
    assert {row["variable"]: row["set"] for row in splunk["needs"]} == {
        "OTEL_BRIDGE_SPLUNK_URL": False,
        "OTEL_BRIDGE_SPLUNK_TOKEN": True,
    }
    text = world.run("otel-bridge", "sinks", COLUMNS="200", **HERE, **secret).stdout
    lines = text.splitlines()
    assert lines[0] == f"{CONFIG}: active splunk and file, overlay none"
    assert [line.split()[1] for line in lines if line.startswith("*")] == ["file", "splunk"]
    assert "OTEL_BRIDGE_SPLUNK_URL (missing)" in text and "OTEL_BRIDGE_SPLUNK_TOKEN (set)" in text
    assert "do-not-show" not in text + json.dumps(found)
    lines = world.run("otel-bridge", "sinks", COLUMNS="200", OTEL_BRIDGE_OVERLAY="agent", **HERE).stdout.splitlines()
    assert lines[0] == f"{CONFIG}: active none, overlay agent"
    assert [line.split()[1] for line in lines if line.startswith("*")] == ["agent"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A configuration of one's own."""
    shutil.copytree(CONFIG, tmp_path / "config", ignore=shutil.ignore_patterns("splunk", "prometheus", "healthcheck"))
    return tmp_path / "config"


GOOD = "exporters: {debug/x: {}}\n"
PIPE = "service: {pipelines: {logs/x: {receivers: [forward/clean], exporters: [debug/x]}}}\n"
BAD = {
    "reads otlp": (
        GOOD + "service: {pipelines: {logs/x: {receivers: [otlp], exporters: [debug/x]}}}\n",
        "pipeline logs/x reads [otlp], in front of privacy; write `receivers: [forward/clean]`",
    ),
    "reads what privacy writes, before the fan": (
        GOOD + "service: {pipelines: {logs/x: {receivers: [forward/clean, forward/intake], exporters: [debug/x]}}}\n",
        "pipeline logs/x reads [forward/clean, forward/intake], in front of privacy; write `receivers: [forward/clean]`",
    ),
    "no receivers": (
        GOOD + "service: {pipelines: {logs/x: {exporters: [debug/x]}}}\n",
        "pipeline logs/x reads [], in front of privacy; write `receivers: [forward/clean]`",
    ),
    "shortens the intake": (
        GOOD + "service: {pipelines: {logs/intake: {processors: []}}}\n",
        "pipeline logs/intake belongs to privacy.yaml; take it out",
    ),
    "leads the fan elsewhere": (
        GOOD + "service: {pipelines: {traces/fan: {receivers: [otlp]}}}\n",
        "pipeline traces/fan belongs to base.yaml; an overlay may give it processors alone",
    ),
    "weakens the filter": (
        GOOD + PIPE + "processors: {filter/refuse: {logs: null}}\n",
        "processors.filter/refuse is privacy.yaml's own, and a key that it does not set would stay; take it out",
    ),
    "adds a key to redaction": (
        GOOD + PIPE + "processors: {redaction: {ignored_key_patterns: ['.*']}}\n",
        "processors.redaction is privacy.yaml's own, and a key that it does not set would stay; take it out",
    ),
    "lifts the memory limit": (
        GOOD + PIPE + "processors: {memory_limiter: {limit_percentage: 99}}\n",
        "processors.memory_limiter: what cleans events stands in privacy.yaml, what limits them in base.yaml; take it out",
    ),
    "a processor of its own": (
        GOOD + "service: {pipelines: {logs/x: {receivers: [forward/clean], processors: [transform/x], exporters: [debug/x]}}}\n",
        "pipeline logs/x has the processor transform/x; privacy.yaml has them all: take it out",
    ),
    "a door of its own": (
        GOOD + PIPE + "receivers: {otlp: {protocols: {http: {include_metadata: true}}}}\n",
        "receivers.otlp: events come by base.yaml's otlp alone; take it out, or run it as a collector of its own",
    ),
    "a connector of its own": (
        GOOD + PIPE + "connectors: {forward/clean: {}}\n",
        "connectors.forward/clean: pipelines are joined by base.yaml's forward/clean alone; take it out",
    ),
    "repeats a list of base": (
        GOOD + "service: {extensions: [health_check], pipelines: {}}\n",
        "service.extensions replaces base.yaml's list; write `extensions: [file_storage/queue, health_check]`",
    ),
    "no mapping": ("- 1\n", "cannot be read (it is no mapping); write YAML as sinks/file.yaml has it"),
    "no form": (
        "# X.\n# needs: a boat\n\n" + GOOD + PIPE,
        "`needs: a boat` has not the form `needs: VARIABLE - what`; write it so",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_sink_in_front_of_privacy_is_refused_by_name(copy: Path, name: str) -> None:
    """The line names the file, what is wrong and what to write instead."""
    text, wanted = BAD[name]
    file = copy / "sinks/mine.yaml"
    file.write_text(text)
    files = [copy / "base.yaml", file, copy / "privacy.yaml"]
    assert [*mistakes(files), *secrets(files)] == [f"{file}: {wanted}"]


def test_all_mistakes_are_told_at_once(world: World, copy: Path) -> None:
    """`sinks check` prints a line for each on standard error, nothing on standard output, and leaves with 1."""
    file = copy / "sinks/mine.yaml"
    file.write_text(BAD["weakens the filter"][0] + "connectors: {x: {}}\n")
    more = {**HERE, **{name: str(copy / name) for name in PLACES}, "OTEL_BRIDGE_COLLECTOR_CONFIG": str(copy)}
    done = world.run("otel-bridge", "sinks", "check", ok=False, **more, OTEL_BRIDGE_SINK="mine")
    assert (done.returncode, done.stdout, [line.partition(": ")[0] for line in done.stderr.splitlines()]) == (
        1,
        "",
        [str(file)] * 2,
    )


def test_a_privacy_that_is_not_whole_or_not_last_is_refused(copy: Path) -> None:
    """A step missing, redaction before the shape, another way out, another file behind it: each is named."""
    base, sink, last = copy / "base.yaml", copy / "sinks/file.yaml", copy / "privacy.yaml"
    whole = yaml.safe_load(last.read_text())
    assert mistakes([base, sink, last]) == []
    assert mistakes([base, last, sink])[0].startswith(f"{sink}: the last file is not privacy.yaml")
    for change in (
        {"processors": ["memory_limiter", "redaction", "transform/shape", "filter/refuse"]},
        {"processors": ["memory_limiter", "transform/shape", "redaction"]},
        {"exporters": ["forward/clean"]},
        {"receivers": ["otlp", "kafka"]},
    ):
        changed = json.loads(json.dumps(whole))
        changed["service"]["pipelines"]["logs/intake"].update(change)
        last.write_text(yaml.safe_dump(changed))
        assert [line.partition(": pipeline")[0] for line in mistakes([base, sink, last])] == [str(last)]


@pytest.mark.parametrize(
    ("more", "lines"),
    [
        (
            {"OTEL_BRIDGE_SINK": "splunk"},
            [
                "sinks/splunk.yaml: OTEL_BRIDGE_SPLUNK_URL is not set; set it (as in https://splunk.example:8088/services/collector)",
                "sinks/splunk.yaml: OTEL_BRIDGE_SPLUNK_TOKEN is not set; set it (the HEC token; allow it the one index)",
            ],
        ),
        (
            {"OTEL_BRIDGE_SINK": "splunk", **SPLUNK, "OTEL_BRIDGE_SPLUNK_TOKEN": "token\n"},
            [
                "sinks/splunk.yaml: OTEL_BRIDGE_SPLUNK_TOKEN begins or ends with white space, and every request would fail for ever; "
                "set it without"
            ],
        ),
        (
            {"OTEL_BRIDGE_SINK": "splunk", **SPLUNK, "OTEL_BRIDGE_SPLUNK_CA_FILE": "/nowhere.pem"},
            [
                "sinks/splunk.yaml: OTEL_BRIDGE_SPLUNK_CA_FILE names /nowhere.pem, which cannot be read (No such file or directory); "
                "name a file that the collector's user may read"
            ],
        ),
        (
            {"OTEL_BRIDGE_SINK": "none"},
            ["sinks/none.yaml: the collector refuses it: Error: no exporter configuration specified in config"],
        ),
    ],
)
def test_what_a_sink_lacks_is_named_before_a_collector_starts(world: World, more: dict[str, str], lines: list[str]) -> None:
    """The file, the variable and what to set; the genuine binary has the last word."""
    done = world.run("otel-bridge", "sinks", "check", ok=False, **HERE, **more)
    assert (done.returncode, done.stdout, done.stderr.splitlines()) == (1, "", [f"{CONFIG}/{line}" for line in lines])
    found = world.json("otel-bridge", "sinks", "check", "--json", ok=False, **HERE, **more)
    assert found["mistakes"] == [f"{CONFIG}/{line}" for line in lines]


@pytest.mark.parametrize(
    ("held", "text"),
    [
        ("", "is empty; write the secret into it"),
        ("key \n", "has white space at the end of a line; write it with `printf %s`"),
        ("key\r\n", "has white space at the end of a line; write it with `printf %s`"),
        ("key", None),
    ],
)
def test_the_key_of_an_agent_is_looked_at(world: World, tmp_path: Path, held: str, text: str | None) -> None:
    """An empty file and a blank at the end of the key are named."""
    keys = tmp_path / "key"
    keys.write_bytes(held.encode())
    more = {**HERE, **{name: str(tmp_path / name) for name in PLACES}, "OTEL_BRIDGE_OVERLAY": "agent"}
    told = {"OTEL_BRIDGE_GATEWAY_URL": "https://gateway.example:4318", "OTEL_BRIDGE_INGEST_TOKEN_FILE": str(keys)}
    done = world.run("otel-bridge", "sinks", "check", ok=text is None, **more, **told)
    said = f"{CONFIG}/scale/agent.yaml: OTEL_BRIDGE_INGEST_TOKEN_FILE names {keys}, which {text}\n"
    assert done.stderr == ("" if text is None else said)


def test_a_secret_in_a_file_counts_as_set(world: World, tmp_path: Path) -> None:
    """`..._TOKEN_FILE` names it; a newline at its end is no part of the token."""
    (tmp_path / "token").write_text("do-not-show\n")
    told = {"OTEL_BRIDGE_SPLUNK_URL": SPLUNK["OTEL_BRIDGE_SPLUNK_URL"], "OTEL_BRIDGE_SPLUNK_TOKEN_FILE": str(tmp_path / "token")}
    more = {**HERE, **{name: str(tmp_path / name) for name in PLACES}, "OTEL_BRIDGE_SINK": "splunk", **told}
    found = world.json("otel-bridge", "sinks", "--json", **more)
    assert [row["set"] for one in found["sinks"] if one["name"] == "splunk" for row in one["needs"]] == [True, True]
    assert world.run("otel-bridge", "sinks", "check", **more).stdout.startswith("good: ")


def test_a_canary_goes_through_whichever_sinks_are_active(world: World, tmp_path: Path) -> None:
    """It is seen in the file of the file sink, and in the file of a HEC peer; without a file to ask it is accepted."""
    world.on()
    with hec_peer(tmp_path / "hec") as peer:
        more = {"OTEL_BRIDGE_SINK": "splunk", "OTEL_BRIDGE_SINK_2": "file", **peer.variables}
        with running(tmp_path / "collector", more) as collector:
            words, told = ("otel-bridge", "canary", "--product", "kitchen"), {"OTEL_BRIDGE_ENDPOINT": collector.endpoint}
            for file in (collector.files / "logs.jsonl", peer.file):
                assert world.run(*words, "--file", str(file), "--timeout", "30", **told).stdout.startswith("seen ")
            assert world.run(*words, **told).stdout.startswith("accepted ")


def test_fields_conf_names_everything_that_a_record_can_carry(world: World) -> None:
    """`sinks fields` prints what privacy.yaml lets through, and the app of this checkout has just that."""
    found = world.run("otel-bridge", "sinks", "fields", **HERE).stdout
    keys = yaml.safe_load((CONFIG / "privacy.yaml").read_text())["processors"]["redaction"]["allowed_keys"]
    assert re.findall(r"^\[(.*)\]$", found, re.MULTILINE) == [*sorted(keys), "trace_id", "span_id"]
    assert found == fields(CONFIG / "privacy.yaml") == (CONFIG / "splunk/otel_bridge_app/default/fields.conf").read_text()
