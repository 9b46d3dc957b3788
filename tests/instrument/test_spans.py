"""What is recorded of a run, span by span as whole objects, whatever parser the program has."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import BIN, World, attributes, compile_once

from otel_bridge.export import spool

CLICK = """
import click, os, signal, sys, time
@click.group()
@click.version_option("1.2.3")
@click.option("--level", type=click.Choice(["low", "high"]), default="low")
@click.option("--color/--no-color", default=False)
def main(level, color): pass
@main.group()
def deep(): pass
@deep.command()
@click.argument("name")
@click.option("--secret")
def dive(name, secret): END
@main.command()
@click.pass_context
def again(ctx): ctx.invoke(dive, name="PLANTED", secret="PLANTED")
"""
TYPER = """
import os, signal, sys, time, typer
from enum import Enum
class Level(str, Enum):
    low = "low"
    high = "high"
main = typer.Typer(pretty_exceptions_enable=False)
deep = typer.Typer()
main.add_typer(deep, name="deep")
def shown(value: bool):
    if value:
        print("1.2.3")
        raise typer.Exit()
@main.callback()
def begin(level: Level = Level.low, color: bool = False, version: bool = typer.Option(False, "--version", callback=shown, is_eager=True)): pass
@deep.callback()
def below(): pass
@deep.command()
def dive(name: str, secret: str = ""): END
"""
ARGPARSE = """
import argparse, os, signal, sys, time
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--version", action="version", version="1.2.3")
    parser.add_argument("--level", choices=["low", "high"], default="low")
    parser.add_argument("--color", action=argparse.BooleanOptionalAction, default=False)
    deep = parser.add_subparsers(required=True).add_parser("deep", aliases=["d"]).add_subparsers(required=True)
    dive = deep.add_parser("dive", aliases=["plunge"])
    dive.add_argument("name")
    dive.add_argument("--secret")
    parser.parse_args()
    END
"""
DECLARED = """\
spans:
  - type: cli.run
    attributes:
      - {ref: otel_bridge.command, annotations: {privacy: {values: [deep, deep dive, again]}}}
      - {ref: otel_bridge.options, annotations: {privacy: {values: [--level, --color, --secret]}}}
      - {ref: probe.option.level}
      - {ref: probe.option.color}
  - type: probe.phase
    kind: client
    brief: A phase.
    attributes: [{ref: probe.step}, {ref: probe.word}, {ref: error.type}]
attributes:
  - key: probe.option.level
    type: string
    annotations: {privacy: {policy: enum, values: [low, high], purpose: "Which level?", category: usage, owner: telemetry@example.org}}
  - key: probe.option.color
    type: boolean
    annotations: {privacy: {policy: boolean, purpose: "How often?", category: usage, owner: telemetry@example.org}}
"""
PROGRAMS = {"click": CLICK, "typer": TYPER, "argparse": ARGPARSE}
Started = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def start(world: World, probe: Callable[[str], list[str]]) -> Started:
    """Runs a program text as the installed script `probe`."""
    source = world.root / "probe-src/telemetry.yaml"
    toml = source.with_name("pyproject.toml")
    toml.write_text(toml.read_text().replace("[tool.", '[project.scripts]\nprobe = "otel_bridge.auto.probe.cli:main"\n[tool.'))
    source.write_text(source.read_text().replace("attributes:\n", DECLARED, 1))
    compile_once(world, source.parent)

    def run(program: str, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        script = world.root / "probe"
        script.write_text(f"#!{BIN}/python\n" + probe(program)[-1])
        script.chmod(0o755)
        return world.run(str(script), *words, ok=None, **{"PROBE_TELEMETRY": "on", **more})

    return run


def spans(world: World) -> list[dict]:
    """The recorded spans as whole objects, without what is random or a time."""
    found = []
    for item in world.waiting("probe"):
        if item.signal == "traces":
            body = {**item.body, "attributes": attributes(item)}
            assert re.fullmatch(r"[0-9a-f-]{36}", body["attributes"].pop("session.id"))
            assert int(body.pop("endTimeUnixNano")) >= int(body.pop("startTimeUnixNano")) > 0
            assert len(body.pop("traceId")) == 32 and len(body.pop("spanId")) == 16
            found.append(body)
    return found


def span(code: int, kind: str | None = None, command: str = "", options: tuple[str, ...] = (), **more: object) -> dict:
    """What a span of the program probe is expected to be."""
    told: dict[str, object] = {"otel_bridge.sequence": 1, "process.executable.name": "probe", "process.exit.code": code, **more}
    told |= {"otel_bridge.command": command} if command else {}
    told |= {"otel_bridge.options": list(options)} if options or "probe.option.level" in more else {}
    told |= {"error.type": kind} if kind else {}
    return {"name": "cli.run", "kind": 1, "flags": 256, "attributes": told, "status": {"code": 2} if code else {}}


SET = {"probe.option.level": "low", "probe.option.color": False}
ENDINGS = {
    "exit code": ("sys.exit(3)", 3, "_OTHER"),
    "success": ("pass", 0, None),
    "exception": ("raise ValueError('PLANTED')", 1, "ValueError"),
    "exit for an error": ("\n    try:\n        {}['PLANTED']\n    except KeyError:\n        sys.exit(4)", 4, "KeyError"),
    "handled SIGTERM": (
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)); os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)",
        143,
        "_OTHER",
    ),
}


@pytest.mark.parametrize("parser", PROGRAMS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_how_a_command_ends(world: World, start: Started, parser: str, ending: str) -> None:
    """Exit code, class of error and status; the command by its path, options by their names, nothing that was typed."""
    line, code, kind = ENDINGS[ending]
    start(PROGRAMS[parser].replace("END", line), "--level=high", "--color", "deep", "dive", "PLANTED", "--secret", "PLANTED")
    more = {"probe.option.level": "high", "probe.option.color": True}
    assert spans(world) == [span(code, kind, "deep dive", ("--color", "--level", "--secret"), **more)]
    assert b"PLANTED" not in world.bytes_in()


@pytest.mark.parametrize("parser", PROGRAMS)
def test_an_interrupt(world: World, start: Started, parser: str) -> None:
    """Ctrl-C: 130 where nobody handles it; click and typer leave in their own ways, and it is told in their words."""
    start(PROGRAMS[parser].replace("END", "os.kill(os.getpid(), signal.SIGINT); time.sleep(9)"), "deep", "dive", "x")
    code, kind = {"click": (1, "Abort"), "typer": (130, "KeyboardInterrupt"), "argparse": (130, "KeyboardInterrupt")}[parser]
    assert spans(world) == [span(code, kind, "deep dive", **SET)]


@pytest.mark.parametrize("parser", PROGRAMS)
@pytest.mark.parametrize(
    ("words", "kind", "command"),
    [
        (["deep", "dive", "x", "--PLANTED"], "UsageError", "deep dive"),
        (["deep", "dive"], "UsageError", "deep dive"),
        (["--level", "PLANTED", "deep"], "UsageError", ""),
        (["PLANTED"], "NoSuchCommand", ""),
        (["deep", "PLANTED", "x"], "NoSuchCommand", "deep"),
    ],
)
def test_mistakes_on_the_command_line(world: World, start: Started, parser: str, words: list[str], kind: str, command: str) -> None:
    """Exit code 2 and what kind of mistake it was, in which command; never the word that was typed."""
    assert start(PROGRAMS[parser].replace("END", "pass"), *words).returncode == 2
    (told,) = spans(world)
    known = {key: told["attributes"].get(key) for key in ("error.type", "process.exit.code", "otel_bridge.command")}
    assert known == {"error.type": kind, "process.exit.code": 2, "otel_bridge.command": command or None}
    assert told["status"] == {"code": 2}
    assert b"PLANTED" not in world.bytes_in()


@pytest.mark.parametrize("parser", PROGRAMS)
def test_a_usage_error_and_an_unknown_command_as_whole_objects(world: World, start: Started, parser: str) -> None:
    """Two spans, and nothing in them but this."""
    start(PROGRAMS[parser].replace("END", "pass"), "--color", "deep", "dive", "PLANTED", "--PLANTED=PLANTED")
    start(PROGRAMS[parser].replace("END", "pass"), "deep", "PLANTED")
    set_color = {**SET, "probe.option.color": True}
    assert spans(world) == [
        span(2, "UsageError", "deep dive", ("--color",), **set_color),
        span(2, "NoSuchCommand", "deep", (), **SET),
    ]


ASIDES = [
    ({}, ["--help"], "help"),
    ({}, ["deep", "dive", "--help"], "help"),
    ({}, ["--version"], "version"),
    ({"_PROBE_COMPLETE": "complete_bash", "COMP_WORDS": "probe PLANTED", "COMP_CWORD": "1"}, [], "completion"),
]


@pytest.mark.parametrize("parser", PROGRAMS)
@pytest.mark.parametrize("declared", [False, True])
@pytest.mark.parametrize(("more", "words", "kind"), ASIDES)
def test_help_and_its_like(
    world: World, start: Started, parser: str, declared: bool, more: dict[str, str], words: list[str], kind: str
) -> None:
    """Recorded as such where the declaration has a place for it, else not at all."""
    if declared:
        source = world.root / "probe-src/telemetry.yaml"
        source.write_text(
            source.read_text().replace(
                "      - {ref: probe.option.level}", "      - {ref: otel_bridge.help}\n      - {ref: probe.option.level}"
            )
        )
        compile_once(world, source.parent)
    if parser == "argparse" and kind == "completion":
        more = {"_ARGCOMPLETE": "1"}
        words = ["deep", "dive", "x"]
    if parser == "click" and kind == "completion":
        more = {**more, "_PROBE_COMPLETE": "bash_complete"}
    start(PROGRAMS[parser].replace("END", "pass"), *words, **more)
    assert [told["attributes"].get("otel_bridge.help") for told in spans(world)] == ([kind] if declared else [])


def test_an_alias_counts_as_the_command_itself(world: World, start: Started) -> None:
    """argparse: the first name of a sub-command, however it was called, and joined short options one by one."""
    start(ARGPARSE.replace("END", "pass"), "--no-color", "d", "plunge", "PLANTED")
    assert spans(world) == [span(0, None, "deep dive", ("--color",), **SET)]


def test_options_of_another_command_behind_a_remainder_are_not_ours(world: World, start: Started) -> None:
    """argparse: what a sub-command passes on to another program is neither an option of ours nor told."""
    program = ARGPARSE.replace('dive.add_argument("--secret")', 'dive.add_argument("rest", nargs=argparse.REMAINDER)')
    start(program.replace("END", "pass"), "deep", "dive", "ls", "--level", "high", "--color")
    assert spans(world) == [span(0, None, "deep dive", (), **SET)]


def test_a_parser_that_is_imported_while_the_program_runs(world: World, start: Started) -> None:
    """httpie does so: `argparse` is heard from the moment of its import, and nothing of ours is left in `sys.meta_path`."""
    body = ARGPARSE.replace("import argparse, os", "import os").replace("def main():", "def main():\n    import argparse")
    start(
        body.replace(
            "END",
            "print([one for one in sys.meta_path if 'otel_bridge' in repr(one)], argparse.__loader__, argparse.__spec__.loader)",
        ),
        "deep",
        "dive",
        "x",
    )
    assert spans(world) == [span(0, None, "deep dive", (), **SET)]


def test_a_callback_of_an_option_is_not_the_end_of_parsing(world: World, start: Started) -> None:
    """click enters the context again around each callback; the options that follow count all the same."""
    program = CLICK.replace(
        '@click.option("--color', '@click.option("--first", callback=lambda ctx, one, value: value)\n@click.option("--color'
    )
    start(
        program.replace("def main(level, color)", "def main(level, color, first)").replace("END", "pass"),
        "--first=x",
        "--color",
        "deep",
        "dive",
        "x",
    )
    assert spans(world) == [span(0, None, "deep dive", ("--color", "__other__"), **{**SET, "probe.option.color": True})]


def test_a_command_that_calls_another_is_itself(world: World, start: Started) -> None:
    """click: `ctx.invoke` is a call of a function, not of a command line."""
    start(CLICK.replace("END", "pass"), "again")
    assert spans(world) == [span(0, None, "again", (), **SET)]


def lost(world: World) -> dict[str, int]:
    """What was lost of the probe, by reason."""
    told = world.json("otel-bridge", "lost", "--product", "probe", "--json")
    return {reason: row["lost"] for reason, row in told["reasons"].items()}


def test_a_parser_for_each_command(world: World, start: Started) -> None:
    """argparse in two stages, as twine has it: the second parser's `prog` says which command it is."""
    program = """
import argparse
def main():
    parser = argparse.ArgumentParser(prog="probe")
    parser.add_argument("command")
    parser.add_argument("args", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    argparse.ArgumentParser(prog="probe " + given.command).parse_args(given.args)
"""
    start(program, "deep")
    start(program, "PLANTED")
    assert [told["attributes"].get("otel_bridge.command") for told in spans(world)] == ["deep", "__other__"]


def test_a_run_that_was_killed_is_counted(world: World, start: Started) -> None:
    """SIGTERM and SIGKILL on the spot, `os._exit` and exec: no span, for nobody may handle a signal in the host's place; `lost` knows."""
    ends = (
        "os.kill(os.getpid(), signal.SIGTERM)",
        "os.kill(os.getpid(), signal.SIGKILL)  # at once",
        "os._exit(0)",
        "os.execl('/bin/true', 'true')",
    )
    codes = [start(f"import os, signal\ndef main():\n    {end}\n").returncode for end in ends]
    assert codes == [-signal.SIGTERM, -signal.SIGKILL, 0, 0]
    assert spans(world) == []
    assert lost(world) == {"unfinished": 4}
    start("def main():\n    pass\n")
    assert lost(world) == {"unfinished": 4}
    assert list((world.state / "probe/running").iterdir()) == []


def test_a_run_that_goes_on_is_not_lost(world: World, start: Started) -> None:
    """A mark whose process is there belongs to a run that has not ended yet."""
    start("def main():\n    pass\n")
    words = [str(world.root / "probe")]
    (world.root / "probe-src/probe/cli.py").write_text("def main():\n    input()\n")
    with subprocess.Popen(words, env=world.environment(PROBE_TELEMETRY="on"), stdin=subprocess.PIPE, cwd=world.work) as child:
        until = time.monotonic() + 20
        while not list((world.state / "probe/running").iterdir()) and time.monotonic() < until:
            time.sleep(0.02)
        assert lost(world) == {}
        child.communicate(b"\n")
    assert len(spans(world)) == 2


STEPS = """
import otel_bridge, os, subprocess, sys
def main():
    with otel_bridge.action("probe.phase", {"probe.word": "red"}) as phase:
        otel_bridge.event("probe.step", {"probe.step": 1})
        for attempt in range(1, 4):
            phase.set_attribute("probe.step", attempt)
        with otel_bridge.action("probe.phase"):
            pass
    try:
        with otel_bridge.action("probe.phase"):
            raise OSError("PLANTED")
    except OSError:
        pass
    with otel_bridge.action("probe.PLANTED", {"PLANTED": "PLANTED"}):
        pass
    otel_bridge.event("probe.step", **{"probe.step": 2})
"""


def test_steps_of_a_run_are_spans_below_it(world: World, start: Started) -> None:
    """Nested, with attributes set later, failed, undeclared; an event belongs to the step that is open."""
    start(STEPS)
    items = world.waiting("probe")
    ids = {item.body.get("spanId"): item.body for item in items if item.signal == "traces"}
    (run,) = [one for one in ids.values() if one["name"] == "cli.run"]
    phases = [one for one in ids.values() if one["name"] == "probe.phase"]
    inner, outer, failed = phases
    assert [one.get("parentSpanId") for one in (run, outer, inner, failed)] == [None, run["spanId"], outer["spanId"], run["spanId"]]
    told = [attributes(item) for item in items if item.body.get("name") == "probe.phase"]
    assert [{key: one[key] for key in one if key not in ("session.id", "otel_bridge.sequence")} for one in told] == [
        {},
        {"probe.step": 3, "probe.word": "red"},
        {"error.type": "OSError"},
    ]
    assert [(one["kind"], one["status"]) for one in phases] == [(3, {}), (3, {}), (3, {"code": 2})]
    assert [item.body["spanId"] for item in items if item.signal == "logs"] == [outer["spanId"], run["spanId"]]
    assert len({item.body["traceId"] for item in items}) == 1
    assert lost(world) == {"undeclared_span": 1}
    assert b"PLANTED" not in world.bytes_in()


def test_steps_leave_as_they_were_recorded(world: World, start: Started) -> None:
    """`preview` sends the steps of a run with their kind and the span above, as they stand in the spool."""
    start(STEPS)
    world.on("probe")
    start(STEPS)
    preview = world.run(
        "otel-bridge",
        "preview",
        "--product",
        "probe",
        "--format",
        "json",
        PROBE_TELEMETRY="on",
        OTEL_BRIDGE_ENDPOINT="http://127.0.0.1:9",
    )
    requests = [json.loads(line) for line in preview.stdout.splitlines()]
    found = [
        one
        for request in requests
        if "resourceSpans" in request
        for resource in request["resourceSpans"]
        for scope in resource["scopeSpans"]
        for one in scope["spans"]
    ]
    written = {item.body["spanId"]: item.body for item in world.waiting("probe") if item.signal == "traces"}
    assert len(found) >= 4
    for one in found:
        same = ("name", "kind", "traceId", "parentSpanId")
        assert {key: one.get(key) for key in same} == {key: written[one["spanId"]].get(key) for key in same}


def test_the_decorator_of_a_program_of_its_own(world: World, start: Started) -> None:
    """`@otel_bridge.command` records each call; below `otel_bridge.auto` it is still one run."""
    program = "import otel_bridge\n@otel_bridge.command\ndef main(*words):\n    '''Text.'''\n    return 3\n"
    assert start(program).returncode == 3
    assert spans(world) == [span(3, "_OTHER")]
    code = f"import sys; sys.path.insert(0, {str(world.root / 'probe-src')!r})\nfrom probe.cli import main\nprint(main(), main('x'), main.__doc__, main.__name__)"
    assert world.run(str(BIN / "python"), "-c", code, PROBE_TELEMETRY="on").stdout == "3 3 Text. main\n"
    assert len(spans(world)) == 3


@pytest.mark.parametrize("mode", ["on", "off"])
def test_every_shape_of_an_entry_point(world: World, probe: Callable[[str], list[str]], mode: str) -> None:
    """A method by its path, an instance, a class method, `functools.partial`, a package's `__main__`, a zip application's call."""
    program = """
import functools
class Tool:
    @classmethod
    def run(cls): return 5
    def __call__(self): return 6
    def go(self): return 7
tool = Tool()
part = functools.partial(int, "8")
def main(): return 9
"""
    probe(program)
    folder = world.root / "probe-src"
    (folder / "probe/__main__.py").write_text("def main():\n    return 10\n")
    calls = {"Tool.run": 5, "tool": 6, "tool.go": 7, "part": 8, "main": 9}
    for call, code in calls.items():
        start = f"import sys; sys.path.insert(0, {str(folder)!r})\nfrom otel_bridge.auto.probe.cli import {call.partition('.')[0]}\nsys.exit({call}())"
        assert world.run(str(BIN / "python"), "-c", start, ok=None, PROBE_TELEMETRY=mode).returncode == code, call
    whole = f"import sys; sys.path.insert(0, {str(folder)!r})\nimport otel_bridge.auto.probe.__main__\nsys.exit(otel_bridge.auto.probe.__main__.main())"
    assert world.run(str(BIN / "python"), "-c", whole, ok=None, PROBE_TELEMETRY=mode).returncode == 10
    part = f"import sys; sys.path.insert(0, {str(folder)!r})\nfrom otel_bridge.auto.probe import cli\nsys.exit(cli.main())"
    assert world.run(str(BIN / "python"), "-c", part, ok=None, PROBE_TELEMETRY=mode).returncode == 9
    told = [one["attributes"]["process.exit.code"] for one in spans(world)] if mode == "on" else []
    assert told == ([*calls.values(), 10, 9] if mode == "on" else [])


def test_a_zip_application_and_python_m(world: World, probe: Callable[[str], list[str]]) -> None:
    """A zip application and `python -m` record like an installed script, and the sender reads the registry in the archive."""
    probe("def main():\n    return 3\n")
    folder = world.root / "probe-src"
    (folder / "probe/__main__.py").write_text("import sys\nfrom otel_bridge.auto.probe.cli import main\nsys.exit(main())\n")
    assert world.run(str(BIN / "python"), "-m", "probe", ok=None, PYTHONPATH=str(folder), PROBE_TELEMETRY="on").returncode == 3
    target = str(world.root / "probe.pyz")
    world.run(str(BIN / "python"), "-m", "zipapp", str(folder), "-o", target, "-m", "otel_bridge.auto.probe.cli:main")
    world.run(str(BIN / "python"), target, ok=None, PROBE_TELEMETRY="on")
    assert len(spans(world)) == 2
    (world.state / "probe/spool/traces.jsonl").unlink()
    world.on("probe")
    world.run(str(BIN / "python"), target, ok=None)
    assert "pyz" in (world.state / "probe/writer").read_text()
    preview = world.run(
        "otel-bridge", "preview", "--product", "probe", "--format", "json", OTEL_BRIDGE_ENDPOINT="http://127.0.0.1:9"
    )
    assert '"cli.run"' in preview.stdout


TREE = """\
verifier:
  name: shell
  script: cd ../.. && {child}
"""


def test_a_child_of_the_family_joins_the_trace(world: World) -> None:
    """`kitchen test` that runs `kitchen converge`: one trace, the child below the parent, one session; TRACEPARENT is the person's."""
    world.on()
    theirs = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    (world.work / ".kitchen.yml").write_text(TREE.format(child="echo $TRACEPARENT > seen && kitchen converge other"))
    (world.work / ".kitchen.yml").write_text(
        (world.work / ".kitchen.yml").read_text() + "suites: [{name: default}, {name: other}]\n"
    )
    world.run("kitchen", "test", "default", TRACEPARENT=theirs)
    items = world.waiting()
    runs = {attributes(item)["otel_bridge.command"]: item.body for item in items if item.signal == "traces"}
    assert set(runs) == {"test", "converge"}
    assert (runs["test"].get("parentSpanId"), runs["converge"]["parentSpanId"]) == (None, runs["test"]["spanId"])
    assert len({item.body["traceId"] for item in items}) == 1
    assert len({attributes(item)["session.id"] for item in items}) == 1
    of_child = [
        item.body["spanId"] for item in items if item.signal == "logs" and attributes(item)["otel_bridge.command"] == "converge"
    ]
    assert of_child and set(of_child) == {runs["converge"]["spanId"]}
    assert (world.work / "seen").read_text() == theirs + "\n"
    assert theirs.split("-")[1].encode() not in world.bytes_in(".local")


def test_a_child_of_another_family_has_a_trace_of_its_own(world: World, probe: Callable[[str], list[str]]) -> None:
    """Neither trace nor parent nor session is shared with another family; TRACEPARENT is untouched there, too."""
    words = probe("import os\ndef main():\n    open(os.environ['SEEN'], 'w').write(os.environ['TRACEPARENT'])\n")
    script = world.root / "probe-script"
    script.write_text(f"#!{BIN}/python\n{words[-1]}")
    script.chmod(0o755)
    world.on()
    world.on("probe")
    theirs = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    (world.work / ".kitchen.yml").write_text(TREE.format(child=str(script)))
    world.run("kitchen", "test", TRACEPARENT=theirs, SEEN=str(world.work / "seen"))
    (run,) = [item for item in world.waiting() if item.signal == "traces"]
    (other,) = world.waiting("probe")
    assert other.body["traceId"] != run.body["traceId"] and "parentSpanId" not in other.body
    assert attributes(other)["session.id"] != attributes(run)["session.id"]
    assert (world.work / "seen").read_text() == theirs


def test_a_child_of_a_step_is_below_that_step(world: World, start: Started) -> None:
    """A run that is started while a step is open is part of the step."""
    program = (
        "import otel_bridge, os, subprocess, sys\ndef main():\n    if len(sys.argv) > 1:\n        return\n"
        "    with otel_bridge.action('probe.phase'):\n        subprocess.run([sys.argv[0], 'inner'], check=True)\n"
    )
    start(program)
    inner, phase, outer = [item.body for item in world.waiting("probe")]
    assert [one["name"] for one in (inner, phase, outer)] == ["cli.run", "probe.phase", "cli.run"]
    assert (inner["parentSpanId"], phase["parentSpanId"]) == (phase["spanId"], outer["spanId"])


def test_off_is_inherited(world: World, probe: Callable[[str], list[str]]) -> None:
    """What a program starts that is off is off, in another folder and as another product; DO_NOT_TRACK speaks for itself."""
    world.on()
    world.on("probe")
    words = probe(
        "import os, subprocess\ndef main():\n    subprocess.run(['kitchen', 'list'], cwd='/', check=True)\n    print(os.environ.get('OTEL_BRIDGE_RUN'))\n"
    )
    for said in ({"PROBE_TELEMETRY": "off"}, {"DO_NOT_TRACK": "1"}):
        assert world.run(*words, **said).stdout.endswith("None\n")
    assert world.waiting() == []
    world.run(*words)
    assert len(world.waiting()) == 1


def test_a_file_of_python_beside_its_bytecode_decides(world: World, tmp_path: Path) -> None:
    """Bytecode that was made for another source is not used, with whatever it has in it."""
    code = """
import importlib.util, marshal, os, pathlib, shutil, sys
import otel_bridge
place = pathlib.Path(sys.argv[1], 'otel_bridge')
shutil.copytree(pathlib.Path(otel_bridge.__file__).parent, place, ignore=shutil.ignore_patterns('__pycache__'))
for file in place.rglob('*.py'):
    cached = pathlib.Path(importlib.util.cache_from_source(str(file)))
    cached.parent.mkdir(exist_ok=True)
    rubbish = marshal.dumps(compile('raise SystemExit("stale bytecode")', 'x', 'exec'))
    cached.write_bytes(importlib.util.MAGIC_NUMBER + bytes(4) + bytes(8) + rubbish)
"""
    world.run(str(BIN / "python"), "-c", code, str(tmp_path / "copy"))
    start = "import otel_bridge, sys\nfrom otel_bridge.auto.kitchen.cli import main\nprint(otel_bridge.__file__)\nsys.argv[1:] = ['list']\nmain()"
    done = world.run(str(BIN / "python"), "-c", start, PYTHONPATH=str(tmp_path / "copy"), KITCHEN_TELEMETRY="on")
    assert done.stdout.startswith(str(tmp_path / "copy"))
    assert len(world.waiting()) == 1
    assert spool.SIGNALS
