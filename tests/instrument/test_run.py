"""The host program is never changed; what its parser knows is recorded."""

import re
import signal
import subprocess
from collections.abc import Callable

import pytest
from conftest import BIN, World, attributes

Words = Callable[[str], list[str]]

ENDINGS = {
    "returns": "def main():\n    print('out')\n    return 3\n",
    "returns nothing": "def main():\n    print('out')\n",
    "exits": "import sys\ndef main():\n    sys.exit(7)\n",
    "exits with a text": "import sys\ndef main():\n    sys.exit('no more')\n",
    "exits with none": "import sys\ndef main():\n    sys.exit()\n",
    "raises": "def inner():\n    raise ValueError('secret text')\ndef main():\n    inner()\n",
    "raises from": "def main():\n    try:\n        {}['a']\n    except KeyError as e:\n        raise RuntimeError('b') from e\n",
    "raises in a group": "def main():\n    raise ExceptionGroup('g', [ValueError(1), TypeError(2)])\n",
    "prints its own traceback": "import traceback\ndef main():\n    try:\n        1 / 0\n    except ZeroDivisionError:\n        traceback.print_exc()\n",
    "has a hook": "import sys\nsys.excepthook = lambda k, e, t: print('hook', k.__name__, e, t.tb_next.tb_frame.f_code.co_name)\n"
    "def main():\n    raise ValueError(1)\n",
    "is interrupted": "import os, signal\ndef main():\n    os.kill(os.getpid(), signal.SIGINT)\n    import time; time.sleep(5)\n",
    "is terminated": "import os, signal\ndef main():\n    os.kill(os.getpid(), signal.SIGTERM)\n    import time; time.sleep(5)\n",
    "leaves at once": "import os\ndef main():\n    print('out', flush=True)\n    os._exit(4)\n",
    "recurses without end": "def f():\n    f()\ndef main():\n    f()\n",
    "fails to import": "import no_such_module\ndef main():\n    pass\n",
    "has no main": "def other():\n    pass\n",
}


def both(world: World, words: list[str], **more: str) -> list[tuple[int, str, str]]:
    """Exit code, output and errors of a program with telemetry and without."""
    bare = [*words[:-1], words[-1].replace("from otel_bridge.auto.probe.cli", "from probe.cli")]
    return [
        (done.returncode, done.stdout, plain(done.stderr)) for done in (world.run(*one, ok=None, **more) for one in (words, bare))
    ]


def plain(traceback: str) -> str:
    """A traceback in which the one changed line reads as it did before: Python 3.13 prints the source of `-c` as well."""
    return re.sub(r"^\s*[~^]+\n", "", traceback.replace("from otel_bridge.auto.probe", "from probe"), flags=re.MULTILINE)


@pytest.mark.parametrize("mode", ["on", "off"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_program_ends_as_it_would_without(world: World, probe: Words, ending: str, mode: str) -> None:
    """Exit code, standard output and standard error, traceback included, are those of the bare program."""
    ours, bare = both(world, probe(ENDINGS[ending]), PROBE_TELEMETRY=mode)
    assert ours == bare


@pytest.mark.parametrize(
    ("ending", "code", "kind"),
    [
        ("returns", 3, "_OTHER"),
        ("returns nothing", 0, None),
        ("exits", 7, "_OTHER"),
        ("exits with a text", 1, "_OTHER"),
        ("exits with none", 0, None),
        ("raises", 1, "ValueError"),
        ("raises from", 1, "RuntimeError"),
        ("raises in a group", 1, "_OTHER"),
        ("is interrupted", 130, "KeyboardInterrupt"),
    ],
)
def test_how_it_ended_is_recorded(world: World, probe: Words, ending: str, code: int, kind: str | None) -> None:
    """One span a run, with its exit code and, when it failed, a listed error class; never a message."""
    world.run(*probe(ENDINGS[ending]), ok=None, PROBE_TELEMETRY="on")
    (span,) = world.waiting("probe")
    told = attributes(span)
    assert (told["process.exit.code"], told.get("error.type")) == (code, kind)
    assert span.body["status"] == ({"code": 2} if code else {})
    assert b"secret text" not in world.bytes_in()


def test_a_broken_installation_of_ours_is_silent(world: World, probe: Words) -> None:
    """Without a compiled registry, and with one that is rubbish, the program runs as ever."""
    words = probe(ENDINGS["returns"])
    compiled = world.root / "probe-src/probe/_telemetry.py"
    for content in ("PRODUCT = 'probe'\n", "rubbish rubbish", None):
        if content is None:
            compiled.unlink()
        else:
            compiled.write_text(content)
        ours, bare = both(world, words, PROBE_TELEMETRY="on")
        assert ours == bare
    told = world.run(*words, ok=None, PROBE_TELEMETRY="on", OTEL_BRIDGE_DEBUG="1").stderr
    assert "otel-bridge: ModuleNotFoundError" in told


def test_a_fork_that_comes_back_is_not_another_run(world: World, probe: Words) -> None:
    """A child that returns through main writes no second span; its events count."""
    program = "import os, otel_bridge\ndef main():\n    pid = os.fork()\n    otel_bridge.event('probe.step', {'probe.step': 1})\n"
    world.run(*probe(program + "    if pid: os.waitpid(pid, 0)\n"), PROBE_TELEMETRY="on")
    assert sorted(item.signal for item in world.waiting("probe")) == ["logs", "logs", "traces"]


def test_no_descriptor_thread_or_child_is_left(world: World, probe: Words) -> None:
    """After an event the process has the descriptors, threads and children that it had before."""
    program = """
import os, threading, otel_bridge
def main():
    before = sorted(os.listdir('/proc/self/fd')), threading.active_count()
    for _ in range(5):
        otel_bridge.event('probe.step', {'probe.step': 1})
    assert (sorted(os.listdir('/proc/self/fd')), threading.active_count()) == before
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        print('no child')
"""
    assert world.run(*probe(program), PROBE_TELEMETRY="on").stdout == "no child\n"


def test_two_entry_points_in_one_process(world: World, probe: Words) -> None:
    """The finder comes back for another module, and is gone from `sys.meta_path` while programs run."""
    probe("def main():\n    import sys\n    print([f for f in sys.meta_path if 'otel_bridge.auto' in repr(f)])\n")
    (world.root / "probe-src/probe/other.py").write_text("def main():\n    print('other')\n")
    code = (
        f"import sys; sys.path.insert(0, {str(world.root / 'probe-src')!r})\n"
        "from otel_bridge.auto.probe.cli import main\nmain()\n"
        "from otel_bridge.auto.probe.other import main\nmain()\n"
        "from otel_bridge.auto.json.tool import main as third\nprint(third.__module__)\n"
        "try:\n    import otel_bridge.auto.no_such.module\n    otel_bridge.auto.no_such.module.main\n"
        "except ModuleNotFoundError as e:\n    print(e)\n"
    )
    done = world.run(str(BIN / "python"), "-c", code, PROBE_TELEMETRY="on")
    assert done.stdout.splitlines() == ["[]", "other", "json.tool", "No module named 'no_such'"]


CLICK = """
import click, otel_bridge
@click.group()
@click.option('--verbose', '-v', is_flag=True)
@click.option('--level', type=click.Choice(['low', 'high']), default='low')
def main(verbose, level): pass
@main.group()
def deep(): pass
@deep.command()
@click.argument('name')
@click.option('--color', type=click.Choice(['red', 'blue']), envvar='COLOR')
@click.option('--secret')
def dive(name, color, secret):
    otel_bridge.event('probe.step', {'probe.step': 1})
"""
ARGPARSE = """
import argparse, otel_bridge
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('-v', '--verbose', action='store_true')
    parser.add_argument('--level', choices=['low', 'high'], default='low')
    deep = parser.add_subparsers().add_parser('deep').add_subparsers()
    dive = deep.add_parser('dive')
    dive.add_argument('name')
    dive.add_argument('--color', choices=['red', 'blue'])
    dive.add_argument('--secret')
    parser.parse_args()
    otel_bridge.event('probe.step', {'probe.step': 1})
"""
DECLARED = """
spans:
  - type: cli.run
    attributes:
      - {ref: otel_bridge.command, annotations: {privacy: {values: [deep, deep dive]}}}
      - {ref: otel_bridge.options, annotations: {privacy: {values: [--verbose, --level, --color, --secret]}}}
      - {ref: probe.option.level}
      - {ref: probe.option.verbose}
attributes:
  - key: probe.option.level
    type: string
    annotations: {privacy: {policy: enum, values: [low, high], purpose: "Which level?", category: usage, owner: telemetry@example.org}}
  - key: probe.option.verbose
    type: boolean
    annotations: {privacy: {policy: boolean, purpose: "How often?", category: usage, owner: telemetry@example.org}}
"""


@pytest.fixture
def parsed(world: World, probe: Words) -> Callable[..., dict]:
    """Runs a program text with words, and tells the attributes of its span."""

    def told(program: str, *words: str, **more: str) -> dict:
        source = world.root / "probe-src/telemetry.yaml"
        if "cli.run" not in source.read_text():
            source.write_text(source.read_text().replace("attributes:\n", DECLARED.lstrip(), 1))
            world.run("otel-bridge", "compile", str(source))
        world.run(*probe(program), *words, ok=None, PROBE_TELEMETRY="on", **more)
        span = [item for item in world.waiting("probe") if item.signal == "traces"][-1]
        return {key: value for key, value in attributes(span).items() if "option" in key or key.endswith(("command", "code"))}

    return told


@pytest.mark.parametrize("program", [CLICK, ARGPARSE], ids=["click", "argparse"])
def test_command_options_and_closed_values(parsed: Callable[..., dict], program: str) -> None:
    """The path of commands, the long names of options that were set, values only where the parser closes the set."""
    told = parsed(program, "-v", "--level", "high", "deep", "dive", "deep", "--secret", "dive", "--color=red")
    assert told == {
        "otel_bridge.command": "deep dive",
        "otel_bridge.options": ["--color", "--level", "--secret", "--verbose"],
        "probe.option.level": "high",
        "probe.option.verbose": True,
        "process.exit.code": 0,
    }


@pytest.mark.parametrize("program", [CLICK, ARGPARSE], ids=["click", "argparse"])
def test_a_usage_error_is_known_with_its_command(parsed: Callable[..., dict], program: str) -> None:
    """What was typed wrongly is not recorded; that it failed, and in which command, is."""
    told = parsed(program, "deep", "dive", "x", "--no-such-option")
    assert (told["otel_bridge.command"], told["process.exit.code"]) == ("deep dive", 2)


def test_an_abbreviated_option_counts_as_itself(parsed: Callable[..., dict]) -> None:
    """argparse's abbreviations are resolved by argparse itself."""
    assert parsed(ARGPARSE, "--lev", "high", "deep", "dive", "x")["otel_bridge.options"] == ["--level"]


def test_an_option_set_by_the_environment_counts(parsed: Callable[..., dict]) -> None:
    """click's provenance: a value from an environment variable is the person's own."""
    assert parsed(CLICK, "deep", "dive", "x", COLOR="red")["otel_bridge.options"] == ["--color"]


def test_sigpipe_and_signals_are_the_hosts(world: World, probe: Words) -> None:
    """A program killed by a signal has been killed by that signal."""
    words = probe("import os, signal\ndef main():\n    os.kill(os.getpid(), signal.SIGTERM)\n    signal.pause()\n")
    done = subprocess.run(words, env=world.environment(PROBE_TELEMETRY="on"), cwd=world.work)
    assert done.returncode == -signal.SIGTERM


def test_argparse_is_heard_beside_a_click_that_is_only_imported(parsed: Callable[..., dict]) -> None:
    """A library that imports click does not make an argparse program deaf."""
    told = parsed("import click\n" + ARGPARSE, "--level", "high", "deep", "dive", "x")
    assert (told["otel_bridge.command"], told["otel_bridge.options"]) == ("deep dive", ["--level"])


def test_an_entry_point_that_runs_another_keeps_its_events(world: World, probe: Words) -> None:
    """The inner run ends, the outer goes on: the events of both are recorded."""
    words = probe(
        "import otel_bridge\ndef main():\n    otel_bridge.event('probe.step')\n    from otel_bridge.auto.probe.other import main\n"
        "    main()\n    otel_bridge.event('probe.step')\n"
    )
    (world.root / "probe-src/probe/other.py").write_text("import otel_bridge\ndef main():\n    otel_bridge.event('probe.step')\n")
    world.run(*words, PROBE_TELEMETRY="on")
    recorded = world.waiting("probe")
    assert sorted(item.signal for item in recorded) == ["logs"] * 3 + ["traces"] * 2
    assert len({item.body["traceId"] for item in recorded}) == 2


def test_a_closed_standard_error_changes_nothing(world: World, probe: Words) -> None:
    """Even with OTEL_BRIDGE_DEBUG=1 and a stream that cannot be written to, nothing is raised."""
    program = "import sys, otel_bridge\ndef main():\n    sys.stderr.close()\n    otel_bridge.event(['x'])\n    print('fine')\n"
    done = world.run(*probe(program), PROBE_TELEMETRY="on", OTEL_BRIDGE_DEBUG="1")
    assert done.stdout == "fine\n"
