"""The person is told once, on a terminal, before anything could leave; and again when it becomes more."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import PROBE, World, attributes

INVITED = "collects usage data."
MORE = """
  - key: probe.size
    type: int
    stability: development
    brief: How large it was.
    examples: [1]
    annotations: {privacy: {policy: count, max: 10, purpose: "How large?", category: interaction, owner: telemetry@example.org}}
events:"""
PROGRAM = (
    "import otel_bridge\ndef main(): otel_bridge.event('probe.step', {'probe.step': 1, 'probe.size': 3, 'probe.word': 'red'})\n"
)


def declare(world: World, registry: str = PROBE, default: str = "opt_in") -> None:
    """Compile the small product anew."""
    folder = world.root / "probe-src"
    (folder / "telemetry.yaml").write_text(registry)
    pyproject = folder / "pyproject.toml"
    text = re.sub(r"\ndefault = .*|\nnotice = .*|\ndocumentation = .*", "", pyproject.read_text().rstrip())
    pyproject.write_text(
        f'{text}\ndefault = "{default}"\nnotice = "It counts steps."\ndocumentation = "https://example.org/probe"\n'
    )
    world.run("otel-bridge", "compile", str(folder / "telemetry.yaml"))


def larger() -> str:
    """The registry with one attribute more."""
    return PROBE.replace("\nevents:", MORE, 1).replace(
        "{ref: probe.word, requirement_level: recommended}",
        "{ref: probe.word, requirement_level: recommended}, {ref: probe.size, requirement_level: recommended}",
    )


@pytest.fixture
def run(world: World, probe: Callable[[str], list[str]]) -> Callable[..., str]:
    """Runs the small product on a terminal, and gives what the person sees."""
    words = probe(PROGRAM)

    def on_terminal(*more: str, **variables: str) -> str:
        done = world.terminal(*words, *more, **variables).wait()
        assert done.process.returncode == 0
        return done.text

    return on_terminal


def test_it_invites_once(world: World, run: Callable[..., str]) -> None:
    """Opt-in: one invitation with the exact commands; it stays off, and nothing was recorded."""
    declare(world)
    assert run() == (
        "\nprobe collects usage data.\nIt counts steps.\n"
        "It is off, and stays off until you turn it on.\n"
        "  what and why:  otel-bridge list --product probe\n"
        "  turn it on:    otel-bridge on --product probe\n"
        "  turn it off:   otel-bridge off --product probe\n"
        "  more:          https://example.org/probe\n"
    )
    assert run() == ""
    told = world.json("otel-bridge", "status", "--product", "probe", "--json")
    assert (told["mode"], told["source"], bool(told["notice_shown"])) == ("off", "default", True)
    assert told["reason"] == f"nobody has chosen since the invitation of {told['notice_shown']}"
    assert not (world.state / "probe/spool").exists() and not (world.state / "probe/secret").exists()


def test_opt_out_is_off_until_the_notice_and_on_after_it(world: World, run: Callable[..., str]) -> None:
    """The run that shows the notice records nothing; the next one does, and says since when."""
    declare(world, default="opt_out")
    assert "It will be on from the next run" in run()
    assert not (world.state / "probe/spool").exists()
    assert run() == ""
    told = world.json("otel-bridge", "status", "--product", "probe", "--json")
    assert (told["mode"], told["source"]) == ("on", str(world.state / "probe/notice"))
    assert told["since"] == told["notice_shown"]
    assert told["pending"] == {"logs": 1, "traces": 1}


@pytest.mark.parametrize("variables", [{"CI": "true"}, {"CLAUDECODE": "1"}, {"TOX_ENV_NAME": "py"}, {"container": "podman"}])
def test_machines_are_not_invited(world: World, run: Callable[..., str], variables: dict[str, str]) -> None:
    """Not in CI, under an agent, a test runner or in a container, though a terminal be there."""
    declare(world)
    assert run(**variables) == ""
    assert not (world.state / "probe").exists()


@pytest.mark.parametrize("words", [("--json",), ("--format", "json"), ("-ojson",)])
def test_it_stays_away_from_json(world: World, run: Callable[..., str], words: tuple[str, ...]) -> None:
    """Who asks for JSON gets JSON."""
    declare(world)
    assert run(*words) == ""


def test_it_stays_away_from_pipes_and_from_who_has_chosen(world: World, run: Callable[..., str], probe) -> None:
    """No terminal, no notice; and none after a choice, or under DO_NOT_TRACK."""
    declare(world)
    done = world.run(*probe(PROGRAM))
    assert (done.stdout, done.stderr) == ("", "")
    assert run(DO_NOT_TRACK="1") == ""
    world.run("otel-bridge", "off", "--product", "probe")
    assert run() == ""


def test_it_is_shown_again_when_more_is_collected(world: World, run: Callable[..., str]) -> None:
    """More is shown; the same, or less, is not."""
    declare(world)
    assert INVITED in run()
    declare(world, larger())
    assert "and now more than before" in run()
    assert run() == ""
    declare(world)
    assert run() == ""
    declare(world, PROBE.replace("values: [red, blue]", "values: [red]"))
    assert run() == ""
    declare(world, PROBE.replace("values: [red, blue]", "values: [red, blue, green]"))
    assert "and now more than before" in run()


def test_what_was_not_shown_is_not_recorded(world: World, run: Callable[..., str], probe) -> None:
    """Somebody who said on keeps what they agreed to; what is new waits for the notice, even without a terminal."""
    declare(world)
    world.on("probe")
    world.run(*probe(PROGRAM))
    declare(world, larger())
    world.run(*probe(PROGRAM))
    assert "and now more than before" in run()
    world.run(*probe(PROGRAM))
    sizes = [attributes(item).get("probe.size") for item in world.waiting("probe") if item.signal == "logs"]
    words = [attributes(item).get("probe.word") for item in world.waiting("probe") if item.signal == "logs"]
    assert sizes == [None, None, None, 3]
    assert words == ["red"] * 4


def test_saying_on_again_agrees_to_what_is_new(world: World, probe) -> None:
    """Where no terminal ever is, `on` is how to agree."""
    declare(world)
    world.on("probe")
    world.run(*probe(PROGRAM))
    declare(world, larger())
    world.on("probe")
    world.run(*probe(PROGRAM))
    sizes = [attributes(item).get("probe.size") for item in world.waiting("probe") if item.signal == "logs"]
    assert sizes == [None, 3]


def test_what_was_off_by_default_does_not_become_on_unseen(world: World, run: Callable[..., str]) -> None:
    """A product that turns from opt-in to opt-out shows its notice again, and is on only from then."""
    declare(world)
    assert "It is off" in run()
    declare(world, default="opt_out")
    assert "It will be on from the next run" in run()
    assert not (world.state / "probe/spool").exists()
    assert run() == ""
    assert (world.state / "probe/spool").exists()


def test_saying_on_twice_forgets_nothing(world: World, probe) -> None:
    """What was agreed to stays known, so what comes later is still left out."""
    declare(world)
    for _ in range(2):
        world.on("probe")
        world.run(*probe(PROGRAM))
    declare(world, larger())
    world.run(*probe(PROGRAM))
    assert [attributes(item).get("probe.size") for item in world.waiting("probe") if item.signal == "logs"] == [None] * 3


def test_the_command_that_chooses_is_not_followed_by_an_invitation(world: World) -> None:
    """`kitchen telemetry off` as the very first command, on a terminal."""
    assert world.terminal("kitchen", "telemetry", "off").wait().text.count("\n") == 1


def test_fifty_terminals_show_it_once(world: World, probe) -> None:
    """Fifty first runs on fifty terminals: one person sees it, once."""
    declare(world)
    words = probe(PROGRAM)
    terminals = [world.terminal(*words) for _ in range(50)]
    texts = [terminal.wait().text for terminal in terminals]
    assert [terminal.process.returncode for terminal in terminals] == [0] * 50
    assert sum(text.count(INVITED) for text in texts) == 1
    assert sum(map(bool, texts)) == 1


def test_a_notice_that_cannot_be_kept_is_not_shown(world: World, run: Callable[..., str]) -> None:
    """Or it would be shown every time: a file stands where the folder should be."""
    declare(world)
    world.state.parent.mkdir(parents=True)
    world.state.write_text("")
    assert run() == ""


def test_the_exit_of_the_host_is_the_same(world: World, probe) -> None:
    """Exit codes and exceptions pass; after a crash nobody is invited."""
    declare(world)
    words = probe("import sys\ndef main(): sys.exit(7)\n")
    assert world.terminal(*words).wait().process.returncode == 7
    assert (world.state / "probe/notice").exists()
    (world.state / "probe/notice").unlink()
    crashed = world.terminal(*probe("def main(): raise OSError('marker')\n")).wait()
    assert crashed.process.returncode == 1
    assert "marker" in crashed.text and INVITED not in crashed.text
    assert "otel_bridge" not in crashed.text.replace("from otel_bridge.auto.probe.cli import main", "")


@pytest.mark.parametrize(("typed", "mode"), [("y\n", "on"), ("yes\n", "on"), ("n\n", "off"), ("\n", "off")])
def test_a_product_may_ask(world: World, probe, typed: str, mode: str) -> None:
    """`otel_bridge.ask()` in a set-up command: asked once, the answer is the person's choice; anything but yes is no."""
    program = "import otel_bridge\ndef main(): print('mode', otel_bridge.ask('probe'))\n"
    declare(world)
    asked = world.terminal(*probe(program)).wait(typed=typed, after="[y/N] ")
    assert "what and why:" in asked.text and f"mode {mode}\n" in asked.text
    assert world.json("otel-bridge", "status", "--product", "probe", "--json")["mode"] == mode
    again = world.terminal(*probe(program)).wait()
    assert "[y/N]" not in again.text and f"mode {mode}\n" in again.text


def test_nobody_is_asked_without_a_terminal(world: World, probe) -> None:
    """It returns what holds, and decides nothing."""
    declare(world)
    program = "import otel_bridge\ndef main(): print(otel_bridge.ask('probe'))\n"
    assert world.run(*probe(program)).stdout == "off\n"
    assert not (world.state / "probe/choice").exists()


def test_log_shows_the_payload_and_records_nothing(world: World, probe) -> None:
    """`PROBE_TELEMETRY=log`: OTLP/JSON lines on standard error, for a person who has chosen and for one who has not."""
    for _ in range(2):
        done = world.run(*probe(PROGRAM), PROBE_TELEMETRY="log", DO_NOT_TRACK="1")
        (log,), (span,) = [json.loads(line) for line in done.stderr.splitlines()][:1], [json.loads(done.stderr.splitlines()[1])]
        assert log["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["eventName"] == "probe.step"
        assert span["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] == "cli.run"
        assert done.stdout == ""
        assert not (world.state / "probe/spool").exists() and not (world.state / "probe/secret").exists()
        world.on("probe")


def test_notice_text_is_for_eighty_columns(world: World, run: Callable[..., str]) -> None:
    """No line is longer than a terminal is wide."""
    declare(world, default="opt_out")
    assert max(map(len, run().splitlines())) < 80
    assert Path(world.state / "probe/notice").read_text().count("=") == 3
