"""`otel-bridge emit` records one declared event from a script, or says in one line why not."""

import json
import re
import time

import pytest
from conftest import BIN, World, attributes
from other_tool import EMIT, ON, REGISTRY, RUN, register, register_once

from otel_bridge.export import spool
from otel_bridge.testing import OtlpSink

HEAVY = {"click", "rich", "yaml", "opentelemetry", "requests", "json", "subprocess", "logging", "importlib.metadata", "dataclasses"}


@pytest.fixture
def tool(world: World) -> World:
    """A world in which the tool is registered."""
    register_once(world)
    return world


def own(item: spool.Item) -> dict[str, object]:
    """The attributes that the product itself declares, and the rate."""
    return {key: value for key, value in attributes(item).items() if key.startswith("tool.") or key.endswith("rate")}


def test_each_text_becomes_what_is_declared(tool: World) -> None:
    """Numbers, true and false, lists by commas or by saying the key again, dates; in any order with `--product`."""
    words = [
        *("tool.count=7", "tool.seconds=0.7", "tool.cached=true", "tool.kinds=red,blue", "tool.kinds=green"),
        *("tool.plugin=vagrant", "tool.since=2026-11-22"),
    ]
    tool.run("otel-bridge", "emit", "tool.built", *words[:3], "--product", "other-tool", *words[3:], **ON)
    (event,) = tool.waiting("other-tool")
    assert event.body["eventName"] == "tool.built"
    assert own(event) == {
        "tool.cached": True,
        "tool.count": 7,
        "tool.kinds": ["blue", "green", "red"],
        "tool.plugin": "vagrant",
        "tool.seconds": 1.0,
        "tool.since": "2026-11-22",
    }


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("tool.count=+3", 3),
        ("tool.count=-3", None),  # a count has none below 0
        ("tool.count=999", 100),
        ("tool.seconds=-1.5e-1", 0.5),
        ("tool.seconds=3", 10.0),
        ("tool.cached=false", False),
        ("tool.kinds=", []),
        ("tool.kinds=red,,red,private", ["__other__", "red"]),
        ("tool.plugin=of-my-own", "__private__"),
        ("tool.plugin=a=b", "__private__"),
        ("tool.plugin=", "__private__"),
        ("tool.since=0", "1970-01-01"),
        ("tool.since=1795362840", "2026-11-22"),
        ("tool.since=1200-01-01", None),
    ],
)
def test_its_policy_reduces_it_as_ever(tool: World, word: str, told: object) -> None:
    """The same policies as for events of a Python program."""
    tool.run(*EMIT, "tool.built", word, **ON)
    (event,) = tool.waiting("other-tool")
    assert own(event) == ({} if told is None else {word.partition("=")[0]: told})


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["tool.bulit"], "`tool.bulit` is no event of other-tool; write `tool.built`?"),
        (["nothing"], "`nothing` is no event of other-tool; known are tool.built, tool.cleaned"),
        (["canary"], "`canary` is no event of other-tool; `otel-bridge canary` tells it"),
        (
            ["deletion.request", "otel_bridge.deletion.ids=2f5ba7a2-66a5-8b6c-9d6b-1d1f6c3e9a11"],
            "`deletion.request` is no event of other-tool; `otel-bridge forget` tells it",
        ),
        (["tool.built", "tool.cuont=1"], "`tool.cuont` is no attribute of tool.built; write `tool.count`?"),
        (["tool.cleaned", "zzz=1"], "`zzz` is no attribute of tool.cleaned; known are tool.count"),
        (
            ["tool.cleaned", "otel_bridge.sample_rate=1"],
            "`otel_bridge.sample_rate` is no attribute of tool.cleaned; known are tool.count",
        ),
        (["tool.built", "tool.count=many"], "`tool.count` takes a whole number, as 3"),
        (["tool.built", "tool.count="], "`tool.count` takes a whole number, as 3"),
        (["tool.built", "tool.count=1.0"], "`tool.count` takes a whole number, as 3"),
        (["tool.built", "tool.count=1_000"], "`tool.count` takes a whole number, as 3"),
        (["tool.built", "tool.count=٣"], "`tool.count` takes a whole number, as 3"),
        (["tool.built", "tool.count=9223372036854775808"], "`tool.count` takes a whole number, as 3"),
        (["tool.built", "tool.count=" + "9" * 5000], "`tool.count` takes a whole number, as 3"),
        (["tool.built", "tool.seconds=soon"], "`tool.seconds` takes a number, as 0.5"),
        (["tool.built", "tool.seconds=nan"], "`tool.seconds` takes a number, as 0.5"),
        (["tool.built", "tool.seconds=1e999"], "`tool.seconds` takes a number, as 0.5"),
        (["tool.built", "tool.cached=yes"], "`tool.cached` takes true or false"),
        (["tool.built", "tool.since=yesterday"], "`tool.since` takes a date, as 2026-11-22, or the seconds of `date +%s`"),
        (["tool.built", "tool.frames=json.loads:1"], "`tool.frames` takes an exception of Python; leave it out"),
        (
            ["tool.built", "tool.count=1", "tool.count=2"],
            "`tool.count` is given twice, and takes one value; leave one of them out",
        ),
        (["tool.built", "tool.plugin=vagrant", "tool.count=x"], "`tool.count` takes a whole number, as 3"),
        (["x\x1b[31m\n"], "`x?[31m?` is no event of other-tool; known are tool.built, tool.cleaned"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_recorded(tool: World, words: list[str], line: str) -> None:
    """What is wrong and what to write instead, exit code 1; a value is never repeated, and no part of the event is kept."""
    done = tool.run(*EMIT, *words, ok=False, **ON)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"otel-bridge emit: {line}\n")
    assert tool.waiting("other-tool") == []


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "Missing option '--product'|Missing argument 'EVENT'"),
        (["tool.built"], "Missing option '--product'"),
        (["--product", "other-tool"], "Missing argument 'EVENT'"),
        (["tool.built", "tool.count", "--product", "other-tool"], "`tool.count` is no attribute; write `KEY=VALUE`"),
        (["tool.built", "=3", "--product", "other-tool"], "`` is no attribute; write `KEY=VALUE`"),
        (["tool.built", "--product", "Other Tool"], "a product is named with lower-case letters"),
        (["tool.built", "--produkt", "other-tool"], "No such option"),
    ],
)
def test_a_wrong_usage_is_clicks(tool: World, words: list[str], text: str) -> None:
    """Exit code 2 and what click says, also where telemetry is off."""
    for more in (ON, {"DO_NOT_TRACK": "1"}):
        done = tool.run("otel-bridge", "emit", *words, ok=False, **more)
        assert done.returncode == 2
        assert re.search(text, done.stderr)
        assert "Traceback" not in done.stderr


def test_other_spellings_mean_the_same(tool: World) -> None:
    """`--product=P` and `--` go by click, and end in the same event."""
    tool.run("otel-bridge", "emit", "--product=other-tool", "tool.built", "tool.count=1", **ON)
    tool.run("otel-bridge", "emit", "--product", "other-tool", "--", "tool.built", "tool.count=1", **ON)
    tool.run("otel-bridge", "emit", "--product", "other-tool", "tool.built", "tool.count=1", **ON)
    assert [own(one) for one in tool.waiting("other-tool")] == [{"tool.count": 1}] * 3


@pytest.mark.parametrize(
    "more", [{}, {"DO_NOT_TRACK": "1"}, {"OTHER_TOOL_TELEMETRY": "off"}, {"CI": "true"}, {"OTEL_BRIDGE_RUN": "off", **ON}]
)
@pytest.mark.parametrize("words", [["tool.built", "tool.count=1"], ["tool.bulit"], ["tool.built", "tool.count=x"]])
def test_off_is_silent_and_writes_nothing(tool: World, more: dict[str, str], words: list[str]) -> None:
    """Exit code 0, no output and no file, whatever the words: whoever runs a script need not know of telemetry."""
    done = tool.run(*EMIT, *words, **more)
    assert (done.stdout, done.stderr) == ("", "")
    assert not tool.state.exists()


def test_an_unknown_product_is_silent_where_it_is_off_and_told_where_it_is_on(world: World) -> None:
    """Not registered: nothing to say as long as nobody agreed."""
    assert world.run(*EMIT, "tool.built").stderr == ""
    done = world.run(*EMIT, "tool.built", ok=False, **ON)
    line = "otel-bridge emit: other-tool is not registered here; `otel-bridge register telemetry.yaml` does that\n"
    assert (done.returncode, done.stderr) == (1, line)


def test_log_shows_it_and_its_mistakes_without_consent(tool: World) -> None:
    """`OTHER_TOOL_TELEMETRY=log`: the payload on standard error, nothing on disk; how an author tries a script."""
    done = tool.run(*EMIT, "tool.built", "tool.count=1", OTHER_TOOL_TELEMETRY="log")
    assert json.loads(done.stderr)["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["eventName"] == "tool.built"
    assert tool.run(*EMIT, "tool.bulit", ok=False, OTHER_TOOL_TELEMETRY="log").returncode == 1
    assert not (tool.state / "other-tool/spool").exists()


def test_inside_a_run_it_belongs_to_that_run(tool: World) -> None:
    """Trace, span and session are those of the run around it, however deep; the run's own span has them too."""
    script = f"{' '.join(EMIT)} tool.built tool.count=1; sh -c '{' '.join(EMIT)} tool.built tool.count=2'"
    tool.run(*RUN, "sh", "-c", script, **ON)
    *events, span = tool.waiting("other-tool")
    assert [(one.signal, own(one)) for one in events] == [("logs", {"tool.count": 1}), ("logs", {"tool.count": 2})]
    assert {(one.body["traceId"], one.body["spanId"], attributes(one)["session.id"]) for one in events} == {
        (span.body["traceId"], span.body["spanId"], attributes(span)["session.id"])
    }
    assert "parentSpanId" not in span.body


def test_inside_a_run_of_another_family_it_does_not(tool: World) -> None:
    """Only the session goes on, which every family is told under another name; the trace is another one."""
    tool.run(*RUN, "sh", "-c", f"{' '.join(EMIT)} tool.built", **ON)
    first = tool.waiting("other-tool")
    register(tool, settings='product = "third"\n[registries]\nplugins = "plugins.txt"\n')
    tool.run(*RUN, "sh", "-c", "otel-bridge emit tool.built --product third", **ON, THIRD_TELEMETRY="on")
    (event,) = tool.waiting("third")
    span = tool.waiting("other-tool")[-1]
    assert len(first) == 2
    assert event.body["traceId"] != span.body["traceId"]
    assert attributes(event)["session.id"] != attributes(span)["session.id"]


def test_by_itself_it_is_one_event_in_a_trace_of_its_own(tool: World) -> None:
    """No span, random ids, the same session."""
    for _ in range(3):
        tool.run(*EMIT, "tool.built", **ON)
    events = tool.waiting("other-tool")
    assert [one.signal for one in events] == ["logs"] * 3
    assert len({one.body["traceId"] for one in events}) == len({one.body["spanId"] for one in events}) == 3
    assert len({attributes(one)["session.id"] for one in events}) == 1


def test_it_tells_nothing_of_our_interpreter(tool: World) -> None:
    """`process.runtime.*` would be ours, not the tool's; product, version and platform are there."""
    tool.run(*EMIT, "tool.built", **ON)
    tool.run(*RUN, "true", **ON)
    for one in tool.waiting("other-tool"):
        resource = {each["key"]: each["value"]["stringValue"] for each in one.resource["attributes"]}
        assert not [key for key in resource if key.startswith("process.")]
        assert (resource["service.name"], resource["service.version"], resource["os.type"]) == ("other-tool", "2.7.1", "linux")
        assert list(resource) == [each["key"] for each in one.resource["attributes"]]


def test_the_sample_rate_holds(tool: World) -> None:
    """An event that is told in half of the sessions: all of a session's or none, with its rate."""
    for _ in range(2):
        tool.run(*EMIT, "tool.cleaned", "tool.count=1", **ON)
    events = [own(one) for one in tool.waiting("other-tool")]
    assert events in ([], [{"otel_bridge.sample_rate": 0.5, "tool.count": 1}] * 2)


def test_what_the_machine_hinders_does_not_stop_a_script(tool: World) -> None:
    """A folder that cannot be written: exit code 0, silent; OTEL_BRIDGE_DEBUG=1 says it."""
    tool.state.parent.mkdir(parents=True)
    tool.state.write_text("a file in the place of the folder")
    assert tool.run(*EMIT, "tool.built", **ON).stderr == ""
    assert "otel-bridge: NotADirectoryError" in tool.run(*EMIT, "tool.built", **ON, OTEL_BRIDGE_DEBUG="1").stderr


def test_a_refused_event_is_left_out_silently(tool: World) -> None:
    """`off --event tool.built` is the person's word, not a mistake of the script."""
    tool.on("other-tool")
    tool.run("otel-bridge", "off", "--product", "other-tool", "--event", "tool.built")
    tool.run(*EMIT, "tool.built")
    assert tool.waiting("other-tool") == []


def test_it_starts_a_sender_when_one_is_due(tool: World) -> None:
    """As a run does: the first event is on its way, the second waits for the next hour."""
    with OtlpSink() as sink:
        more = {**ON, "OTEL_BRIDGE_DETACH": "1", "OTEL_BRIDGE_ENDPOINT": sink.endpoint}
        tool.run(*EMIT, "tool.built", "tool.count=1", **more)
        until = time.monotonic() + 120
        while not (tool.state / "other-tool/drain").exists() and time.monotonic() < until:
            time.sleep(0.05)
        tool.run(*EMIT, "tool.built", "tool.count=2", **more)
        assert [one.attributes["tool.count"] for one in sink.records] == [1]
    assert [own(one) for one in tool.waiting("other-tool")] == [{"tool.count": 2}]


@pytest.mark.parametrize(
    ("words", "more", "ours"),
    [
        ((*EMIT, "tool.built", "tool.count=1"), {"DO_NOT_TRACK": "1"}, "paths consent program shell"),
        (
            (*EMIT, "tool.built", "tool.count=1"),
            ON,
            "paths consent program shell instrument clock record privacy instrument.emit registered",
        ),
        ((*RUN, "/bin/true"), {"DO_NOT_TRACK": "1"}, "paths consent program shell"),
        (
            (*RUN, "/bin/true"),
            ON,
            "paths consent program shell instrument clock record privacy instrument.child registered",
        ),
    ],
)
def test_it_loads_next_to_nothing(tool: World, words: tuple[str, ...], more: dict[str, str], ours: str) -> None:
    """Called in loops, so neither click nor OpenTelemetry, and of ours the files that are needed."""
    tool.run(*words, **more)  # the very first makes ids
    told = tool.run(str(BIN / "python"), "-X", "importtime", str(BIN / "otel-bridge"), *words[1:], **more).stderr
    loaded = {line.rpartition("|")[2].strip() for line in told.splitlines()}
    assert {name for name in loaded if name.startswith("otel_bridge.")} == {f"otel_bridge.{name}" for name in ours.split()}
    assert not {name for name in loaded if name.partition(".")[0] in HEAVY or name in HEAVY}


def test_a_declaration_of_another_time_still_tells(tool: World) -> None:
    """Registered anew between two events, each is told by what holds at its time."""
    tool.run(*EMIT, "tool.built", "tool.count=1", **ON)
    register(tool, registry=REGISTRY.replace("max: 100", "max: 5"))
    tool.run(*EMIT, "tool.built", "tool.count=50", **ON)
    assert [own(one)["tool.count"] for one in tool.waiting("other-tool")] == [1, 5]
