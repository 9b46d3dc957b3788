"""Part a: what one run of a command line with one span and one event costs, library by library, whatever the sink does.

Each run stands beside the bare twin in the same environment, both started in random order, all contenders shuffled in every
round: figures are medians of the differences. A run is killed at 20 seconds. Instructions are those of the run's own process,
where the sink is up; memory is the peak of that process.
"""

import random
import shutil
import statistics
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import counting
from contenders import Contender
from counting import settle
from measuring import PATIENCE, Measured, Where, end, measure, plain, sink

CLOSE = ("otel-bridge", "otel-http")  # whose ratio is a target: measured more often than the others
COUNTS = 3  # of those: counts differ by some 40,000 instructions, 0.6 % of what a run of ours adds


def _ready(home: Path) -> Path:
    home.mkdir(parents=True, exist_ok=True)
    return home


def once(one: Contender, home: Path, where: Where, run: str, here: bool, bare: bool = False, **more: str) -> Measured:
    """One run, or one of its bare twin; whatever it left running is left to the caller."""
    words = one.bare(here) if bare else one.killed(here) if more else one.words(here)
    return measure(words, home, one.world(home, where, run, **more), PATIENCE)


def timed(contenders: Sequence[Contender], state: str, rounds: range, place: Path, here: bool) -> dict[str, object]:
    """Pairs of runs with the sink in one state: raw figures of each run and of its twin, and how many events arrived."""
    shuffle = random.Random(7)
    found: dict[str, dict[str, list[object]]] = {one.name: {"with": [], "bare": []} for one in contenders}
    arrived = dict.fromkeys(found, 0)
    with sink(state, place) as where:
        homes = {one.name: _ready(place / state / one.name) for one in contenders}
        for number in rounds:
            for one in shuffle.sample(contenders, len(contenders)):
                run, home = f"run-{state}-{one.name}-{number}-", homes[one.name]
                before = where.count(one.word(run), one.below)["count"] if state == "up" else 0
                for bare in shuffle.sample((True, False), 2):
                    told = once(one, home, where, run, here, bare)
                    if number >= 0:
                        found[one.name]["bare" if bare else "with"].append(plain(told))
                    if not bare:
                        if state == "up" and one.name != "otel-bridge":
                            came = where.wait(one.word(run), one.below, before + 1) > before
                            arrived[one.name] += came and number >= 0
                        end(told.group)
                        settle(home)
            print(f"  {state}: round {number + 1} of {rounds.stop}", flush=True)
        if state == "up" and "otel-bridge" in homes:
            arrived["otel-bridge"] = _drained(
                next(one for one in contenders if one.name == "otel-bridge"), homes, where, len(rounds)
            )
    return {name: {**runs, **({"arrived": arrived[name]} if state == "up" else {})} for name, runs in found.items()}


def _drained(one: Contender, homes: dict[str, Path], where: Where, rounds: int) -> int:
    """How many of the timed runs have arrived after one drain; the warming run is taken off."""
    drain(homes[one.name], where.http + "/ours")
    return where.wait(one.word(""), one.below, rounds) - 1


def drain(home: Path, endpoint: str, **more: str) -> Measured:
    """Send what waits in a home."""
    words = [counting.PYTHON, str(counting.BIN / "otel-bridge"), "drain", "--product", "kitchen", "--json"]
    told = {"KITCHEN_TELEMETRY": "on", "OTEL_BRIDGE_ENDPOINT": endpoint, **more}
    return measure(words, home, counting.environment(home, **told))


def instructions(contenders: Sequence[Contender], place: Path, here: bool) -> dict[str, object]:
    """Instructions of a run and of its bare twin, the sink being up; what callgrind said where it could not count."""
    found: dict[str, object] = {}
    with sink("up", place) as where:
        for one in contenders:
            home = _ready(place / "counted" / one.name)
            world = one.world(home, where, "counted-")
            try:
                times = range(COUNTS if one.name in CLOSE else 1)
                both = (one.words(here), one.bare(here))
                cost = [round(statistics.median(_counted(one, words, home, world) for _ in times)) for words in both]
                found[one.name] = {"instructions": cost[0], "bare": cost[1], "added": cost[0] - cost[1]}
                print(f"  {one.title:42}{cost[0] - cost[1]:14,} instructions added to {cost[1]:,}", flush=True)
            except AssertionError as problem:
                lines = str(problem).strip().splitlines()
                found[one.name] = {"failed": lines[-1][:200] if lines else "callgrind failed"}
                print(f"  {one.title:42}not counted: {found[one.name]}", flush=True)
    return found


def _counted(one: Contender, words: list[str], home: Path, world: dict[str, str]) -> int:
    """Instructions of one warm run, started as counting.py starts programs; a starter becomes the program by `exec`."""
    *before, python, script, command, only = words
    start = [*before, python, "-c", counting.START, script, command, only]
    return counting.counted(start, home, children=bool(before), **world)


def measured(contenders: Sequence[Contender], options: Namespace, place: Path) -> dict[str, object]:
    """The whole part; `options` are those of compare.py."""
    rounds, dead, here = options.rounds, options.dead_rounds, options.here
    states = {}
    for number, state in enumerate(options.states.split(",")):
        print(f"a: a run, sink {state}", flush=True)
        times = rounds if state == "up" else min(rounds, dead)
        warming = -1 if number == 0 or state == "up" else 0  # the first pair of all writes bytecode and warms caches
        states[state] = timed(contenders, state, range(warming, times), place, here)
        for one in contenders:
            print(f"  {one.title:42}{_summary(states[state][one.name])}", flush=True)
    found: dict[str, object] = {"patience": PATIENCE, "states": states}
    close = [one for one in contenders if one.name in CLOSE]
    if options.pairs and len(close) == 2:
        print("a: many pairs of ours and of the SDK's, sink up, for a difference of some milliseconds", flush=True)
        found["pairs"] = timed(close, "up", range(-1, options.pairs), place / "pairs", here)
    if shutil.which("valgrind") and not options.no_instructions:
        print("a: instructions", flush=True)
        found["instructions"] = instructions(contenders, place, here)
    return found


def _summary(told: dict[str, object]) -> str:
    pairs = zip(told["with"], told["bare"], strict=True)
    added = statistics.median(one["seconds"] - other["seconds"] for one, other in pairs) * 1000
    killed = sum(one["killed"] for one in told["with"])
    return f"+{added:,.0f} ms, {killed} killed, arrived {told.get('arrived', '-')}"
