"""Part b: a program tells an event and is killed by SIGKILL right after. How many of its events arrive in the end?

The end is after one more ordinary run of the same program, and for ours after the next drain: what was on disk has had its chance.
"""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from contenders import Contender
from counting import settle
from measuring import OURS, end, sink
from run_cost import drain, once


def measured(contenders: Sequence[Contender], options: Namespace, place: Path) -> dict[str, object]:
    """For each contender the number of killed runs and of those whose event arrived."""
    found: dict[str, object] = {}
    for one in contenders:
        if one.name == "otel-bridge-due":  # nothing of a killed run starts a sender: the same as otel-bridge
            continue
        home = place / one.name
        home.mkdir(parents=True)
        with sink("up", place) as where:
            runs = [f"run-{one.name}-{number}-" for number in range(options.kills)]
            told = [once(one, home, where, run, options.here, BENCH_KILL="1") for run in runs]
            killed = sum(each.code == -9 and not each.killed for each in told)
            if one.own:
                drain(home, where.http + "/ours")
                arrived = where.wait(OURS, one.below, killed)
            else:
                told.append(once(one, home, where, "run-after", options.here))
                where.wait(runs[-1], patience=3.0)
                arrived = sum(where.count(run)["count"] > 0 for run in runs)
            for each in told:
                end(each.group)
            settle(home)
        found[one.name] = {"killed": killed, "arrived": arrived}
        print(f"b: {one.title:42}{arrived} of {killed} arrived", flush=True)
    return {"contenders": found}
