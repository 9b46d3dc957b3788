"""`otel-bridge drain --watch`: whoever moves a backlog sees how far it has come."""

import re

import pytest
from conftest import World, lines_of
from test_otlp import answering

WATCH = ("otel-bridge", "drain", "--product", "kitchen", "--watch")


@pytest.fixture
def backlog(world: World) -> World:
    """1,001 records wait."""
    world.on()
    world.run("kitchen", "create", "debian")
    file = world.state / "kitchen/spool/logs.jsonl"
    file.write_text("".join(lines_of(file.read_text(), 1000)))
    return world


def test_lines_where_there_is_no_terminal(backlog: World) -> None:
    """Some lines on standard error, the last of them all of it; standard output is what it is without."""
    with answering(200, {}, b"") as server:
        done = backlog.run(*WATCH, OTEL_BRIDGE_ENDPOINT=server.endpoint)
    told = [re.fullmatch(r"kitchen: (\d+) of 1001", line) for line in done.stderr.splitlines()]
    numbers = [int(one[1]) for one in told if one is not None]
    assert numbers == sorted(set(numbers))
    assert (len(numbers), numbers[-1]) == (len(told), 1001)
    assert 3 <= len(numbers) <= 10
    assert done.stdout == "sent 1001, kept 0, lost 0\n"


def test_a_bar_on_a_terminal(backlog: World) -> None:
    """It ends at all of them, and the result stands below it."""
    with answering(200, {}, b"") as server:
        shown = backlog.terminal(*WATCH, OTEL_BRIDGE_ENDPOINT=server.endpoint, TERM="xterm").wait().text
    assert "1001/1001" in shown
    assert shown.endswith("sent 1001, kept 0, lost 0\n")


def test_nothing_waits(world: World) -> None:
    """No division by nothing: one line that says so."""
    world.on()
    world.run("kitchen", "list")
    with answering(200, {}, b"") as server:
        more = {"OTEL_BRIDGE_ENDPOINT": server.endpoint}
        world.run("otel-bridge", "drain", "--product", "kitchen", **more)
        done = world.run(*WATCH, **more)
    assert (done.stdout, done.stderr) == ("sent 0, kept 0, lost 0\n", "")
