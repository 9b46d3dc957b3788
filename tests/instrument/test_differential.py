"""A program that is instrumented is the program: the same bytes, the same end, the same files, whatever it does."""

import difflib
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from dialogue import HANG_UP, talk
from differences import KNOWN
from differential import PROGRAMS, VARIANTS, Case, Ground, How, cases, play, prepared, run

Compared = dict[Case, "Future[str]"]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with prepared(tmp_path_factory.mktemp("ground")) as made:
        yield made


def compare(ground: Ground, root: Path, case: Case, how: How = run) -> str:
    """Every difference between the bare run and the others, as text; empty when there is none."""
    ground.stage(root, case)
    bare = play(ground, root, case, "bare", how)
    if (bare.status, bare.recorded, bare.senders) != (case.status, (), 0):
        return f"the bare program does not end with {case.status}: {bare}"
    found: list[str] = []
    for variant in VARIANTS[1:]:
        ours = play(ground, root, case, variant, how)
        on = variant != "off" and case.recorded != ()
        expected = replace(bare, recorded=case.recorded if on else (), senders=int(on and variant == "due"))
        if variant != "off" and (not on or (case.lossy and ours.recorded == ())):  # it killed itself, or took away what we need
            ours = replace(ours, senders=expected.senders, recorded=ours.recorded if not on else expected.recorded)
        known = KNOWN.get(case.name)
        if known is not None and variant in known.variants:
            if (ours.out, ours.err) == (bare.out, bare.err):
                found.append(f"== {variant}: is equal by now: {known.reason}")
            ours = replace(ours, out=known.equal(ours.out), err=known.equal(ours.err))
            expected = replace(expected, out=known.equal(bare.out), err=known.equal(bare.err))
        for name, value in vars(ours).items():
            if value != vars(expected)[name]:
                found += [f"== {variant}: {name}", *difference(vars(expected)[name], value)]
    return "\n".join(found)


def difference(bare: object, ours: object) -> Iterator[str]:
    """The first lines of what differs."""
    return islice(difflib.unified_diff(lines(bare), lines(ours), "bare", "ours", n=1, lineterm=""), 60)


def lines(value: object) -> list[str]:
    """A value as lines that can be compared."""
    return value.decode(errors="backslashreplace").split("\n") if isinstance(value, bytes) else [repr(value)]


@pytest.fixture(scope="module")
def compared(request: pytest.FixtureRequest, ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compared]:
    """Plays all cases that were asked for ahead, as many at a time as there are processors."""
    calls = [item.callspec for item in request.session.items if item.path == request.path and hasattr(item, "callspec")]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        asked = [call.params["case"] for call in calls if "case" in call.params and not call.params["case"].missing]
        yield {case: pool.submit(compare, ground, tmp_path_factory.mktemp("stage"), case) for case in asked}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_program_is_what_it_was(compared: Compared, ground: Ground, tmp_path: Path, case: Case) -> None:
    """Exit status, both outputs, the files left: all as without us; and what is recorded is how it ended."""
    if case.missing:
        pytest.skip(f"{case.missing} is not installed")
    wrong = compared[case].result()
    for again in range(3 if ">head" in case.typed else 0):  # it races with a reader that leaves: what is no chance shows each time
        wrong = wrong and compare(ground, tmp_path / str(again), case)
    if wrong:
        pytest.fail(wrong, pytrace=False)


DIALOGUES = {  # words, what is typed once which text is on the screen, how the program ends, which exit code is recorded
    "interrupted": ("waits", [("ready", "\x03")], -signal.SIGINT, (130,)),
    "interrupted and caught": ("catches", [("ready", "\x03")], 7, (7,)),
    "interrupted and heard": ("hears", [("ready", "\x03")], 5, (5,)),
    "interrupted while it asks": ("asks", [("word", "\x03")], 1, (1,)),
    "interrupted while it reads": ("reads", [("> ", "\x03")], -signal.SIGINT, (130,)),
    "end of input": ("reads", [("> ", "\x04")], 1, (1,)),
    "answered": ("reads", [("> ", "a word\n")], 3, (3,)),
    "settings": ("tells", [("> ", "x\n")], 3, (3,)),
    "quit": ("waits", [("ready", "\x1c")], -signal.SIGQUIT, ()),
    "quit and heard": ("hears", [("ready", "\x1c")], 5, (5,)),
    "hung up": ("waits", [("ready", HANG_UP)], -signal.SIGHUP, ()),
    "hung up and heard": ("hears", [("ready", HANG_UP)], 5, (5,)),
    "hung up while it reads": ("reads", [("> ", HANG_UP)], -signal.SIGHUP, ()),
}
JOBS = {  # the same below a shell that has job control
    "stopped and continued": (
        "reads",
        [("> ", "\x1a"), ("topped", ""), ("$ ", "fg\n"), ("probe reads", "a word\n"), ("got", "")],
        3,
        (3,),
    ),
    "stopped and interrupted": ("waits", [("ready", "\x1a"), ("topped", ""), ("$ ", "fg\n"), ("probe waits", "\x03")], 130, (130,)),
    "stopped, heard": ("hears", [("ready", "\x1a")], 5, (5,)),
    "quit": ("waits", [("ready", "\x1c")], 131, ()),
    "in a pipe": ("reads | cat", [("ready", "\x04")], 0, (1,)),
}
SHELLS = {"bash": ("bash", "--norc", "--noprofile", "--noediting", "-i"), "dash": ("dash", "-i")}


def at_a_terminal(words: str, status: int, recorded: tuple[int, ...]) -> Case:
    return Case("at_a_terminal", (PROGRAMS / "at_a_terminal.py").read_text(), words, status, recorded)


@pytest.mark.parametrize("dialogue", DIALOGUES)
def test_a_person_at_a_terminal_sees_no_difference(ground: Ground, tmp_path: Path, dialogue: str) -> None:
    """Keys that interrupt or quit, a terminal that goes away, questions: the same screen, end and files."""
    words, turns, status, recorded = DIALOGUES[dialogue]
    if wrong := compare(ground, tmp_path, at_a_terminal(words, status, recorded), talk(turns)):
        pytest.fail(wrong, pytrace=False)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("job", JOBS)
def test_a_shell_sees_no_difference(ground: Ground, tmp_path: Path, needs: Callable[[str], str], shell: str, job: str) -> None:
    """Ctrl-Z and `fg` under job control: the same screen, and the same `$?`."""
    needs(shell)
    words, turns, status, recorded = JOBS[job]
    all_turns = [("$ ", f"probe {words}\n"), *turns, ("$ ", "echo code $?\n"), (f"code {status}", "exit\n")]
    if wrong := compare(ground, tmp_path, at_a_terminal(words, 0, recorded), talk(all_turns, SHELLS[shell])):
        pytest.fail(wrong, pytrace=False)
