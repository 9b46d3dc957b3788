"""docs/performance.md and its plots, from the raw figures in benchmarks/results; docs/generate.py writes them."""

import json
from collections.abc import Callable
from pathlib import Path

import explained
import verdicts
from charts import bars, lines
from contenders import CONTENDERS
from verdicts import added, burst_rates, drain_figures, median

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("run_cost", "survival", "burst", "drain", "growth")
OUR_WAYS = {way: f"otel-bridge, {way}" for way in ("http/protobuf", "http/json", "grpc")}
TITLES = {one.name: one.title for one in CONTENDERS} | OUR_WAYS
MISSING = "Not measured yet: `make bench-peers` does."


def pages(results: Path = ROOT / "benchmarks/results", root: Path = ROOT) -> dict[Path, str]:
    """The page and the plots, with what belongs into them; a part that has not been measured says so."""
    files = {name: results / f"{name}.json" for name in PARTS}
    found = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.exists()}
    plots: dict[str, str] = {}
    sections = []
    for name, (heading, text, render) in SECTIONS.items():
        body = render(found[name], plots) if name in found else [MISSING]
        about = ["", _machine(found[name], name)] if name in found else []
        sections += [f"## {heading}", "", text, "", *body, *about, ""]
    page = "\n".join([explained.INTRODUCTION, "", *_targets(found), "", *sections]).rstrip() + "\n"
    return {root / "docs/performance.md": page, **{root / "docs/figures" / file: text for file, text in plots.items()}}


def _targets(found: dict[str, dict]) -> list[str]:
    rows = ["| what | target | measured | |", "|--|--|--|--|"]
    return [*rows, *(f"| {one.what} | {one.target} | {one.measured} | {one.met} |" for one in verdicts.all_of(found))]


def _machine(part: dict, name: str) -> str:
    """One line of what a part ran on."""
    told = part["machine"]
    libraries = ", ".join(f"{library} {version}" for library, version in {**told["libraries"]}.items())
    pinned = ", ".join(sorted(set(part["versions"].values()))) if name in ("run_cost", "survival") else ""
    load = f"load {told['load_before']} when it began{_times(part, name)}"
    machine = f"{told['cpu']}, {told['cores']} cores, {told['memory_gib']} GiB, {told['kernel']}, Python {told['python']}, {load}"
    figures = f"[Raw figures](../benchmarks/results/{name}.json)"
    return f"{figures}: {machine}; {libraries}{'; ' + pinned if pinned else ''}."


def _times(part: dict, name: str) -> str:
    """How often it was measured, where that is not in the table."""
    if name == "run_cost":
        return ", rounds: " + ", ".join(
            f"{len(next(iter(told.values()))['with'])} {state}" for state, told in part["states"].items()
        )
    return f", {part['rounds']} rounds" if name in ("burst", "drain") else ""


def _ms(told: dict, patience: float) -> str:
    """The median time added by a contender in one state of the sink."""
    return f"> {patience:.0f} s" if verdicts.mostly_killed(told) else f"{added(told) * 1000:,.0f}"


def _run_cost(part: dict, plots: dict[str, str]) -> list[str]:
    states, patience = part["states"], part["patience"]
    names = list(next(iter(states.values())))
    counted = part.get("instructions", {})
    table = [f"| added milliseconds, sink | {' | '.join(states)} |", "|--" + "|--:" * len(states) + "|"]
    table += [f"| {TITLES[name]} | {' | '.join(_ms(told[name], patience) for told in states.values())} |" for name in names]
    table += ["", f"| | M instructions added | peak MB | arrived | bytes on stderr: {', '.join(states)} |", "|--|--:|--:|--:|--:|"]
    for name in names:
        cost = counted.get(name, {})
        shown = f"{cost['added'] / 1e6:,.1f}" if "added" in cost else "not counted"
        up = states.get("up", {}).get(name, {"with": []})
        peak = f"{median(one['peak'] for one in up['with']) / 1e6:.0f}" if up["with"] else "-"
        arrived = f"{up['arrived']} of {len(up['with'])}" if "arrived" in up else "-"
        said = ", ".join(f"{median(one['stderr'] for one in told[name]['with']):,.0f}" for told in states.values())
        table.append(f"| {TITLES[name]} | {shown} | {peak} | {arrived} | {said} |")
    table += [f"| {name} | cannot be installed: {why} | | | |" for name, why in part["not_installed"].items()]
    rows = {_plain(name): [_clamped(told[name], patience) for told in states.values()] for name in names}
    plots["run-time.svg"] = bars(
        "Milliseconds added to a run, by state of the sink", rows, list(states), "{:,.0f}", patience * 1000, True
    )
    costs = {_plain(name): [told["added"] / 1e6] for name, told in counted.items() if "added" in told}
    if costs:
        plots["run-instructions.svg"] = bars(
            "Million instructions added to a run, sink up", costs, ["added"], "{:,.1f}", logarithmic=True
        )
    return [*table, "", *(f"![{file}](figures/{file})" for file in ("run-time.svg", "run-instructions.svg") if file in plots)]


def _clamped(told: dict, patience: float) -> float:
    return patience * 1000 if verdicts.mostly_killed(told) else added(told) * 1000


def _plain(name: str) -> str:
    return TITLES[name].replace("`", "")


def _survival(part: dict, plots: dict[str, str]) -> list[str]:
    rows = [f"| {TITLES[name]} | {told['killed']} | {told['arrived']} |" for name, told in part["contenders"].items()]
    return ["| | killed | arrived in the end |", "|--|--:|--:|", *rows]


def _burst(part: dict, plots: dict[str, str]) -> list[str]:
    table = ["| | calls/s | kept/s | kept | lost | peak MB |", "|--|--:|--:|--:|--:|--:|"]
    rates = {}
    for name, runs in part["contenders"].items():
        calls, kept = burst_rates(runs)
        rates[_plain(name)] = [calls, kept]
        numbers = [f"{median(one[key] for one in runs):,.0f}" for key in ("kept", "lost")]
        peak = median(one["peak"] for one in runs) / 1e6
        table.append(f"| {TITLES[name]} | {calls:,.0f} | {kept:,.0f} | {numbers[0]} | {numbers[1]} | {peak:.0f} |")
    plots["burst.svg"] = bars(f"A burst of {part['events']:,} events, a second", rates, ["calls", "kept"])
    bound = [] if part.get("raised") else ["That build had no such setting yet: ours could keep what its default bound holds.", ""]
    return [*table, "", *bound, "![burst.svg](figures/burst.svg)"]


def _drain(part: dict, plots: dict[str, str]) -> list[str]:
    table = ["| | delivered/s | bytes an event | CPU s | peak MB | arrived, each round |", "|--|--:|--:|--:|--:|--:|"]
    rates = {}
    for name, runs in part["contenders"].items():
        told = drain_figures(runs)
        rates[_plain(name)] = [told["rate"]]
        size = part["bytes"].get(name, {}).get("each")
        came = ", ".join(f"{one['arrived']:,}" for one in runs)
        shown = f"{size:,.0f}" if size else "not counted"
        table.append(f"| {TITLES[name]} | {told['rate']:,.0f} | {shown} | {told['cpu']:.1f} | {told['peak'] / 1e6:.0f} | {came} |")
    table += [f"| {TITLES[name]} | not measured: {why.replace('|', '/')} | | | | |" for name, why in part["refused"].items()]
    plots["drain.svg"] = bars(f"{part['events']:,} events into a genuine collector, delivered a second", rates, ["delivered"])
    ended = []
    if full := part.get("full"):
        held = f"A spool that is full by default ({full['events']:,} events, {full['bytes'] / 2**20:.1f} MiB)"
        ended.append(f"{held} was drained with {full['peak'] / 1e6:.0f} MB at the peak; {full['arrived']:,} events arrived.")
    if part["events"] < part["wanted"]:
        ended.append(f"Only {part['events']:,} of {part['wanted']:,} events fitted into the spool.")
    return [*table, "", " ".join(ended), "", "![drain.svg](figures/drain.svg)"]


def _growth(part: dict, plots: dict[str, str]) -> list[str]:
    if "failed" in part:
        return [f"Not measured: {part['failed']}."]
    table = [
        "| events that wait | M instructions of a run, added to the bare one | M instructions of a drained event |",
        "|--:|--:|--:|",
    ]
    sizes = part["sizes"]
    runs = [(one["run"] - part["bare"]) / 1e6 for one in sizes]
    each = [one["drained"] / 1e6 for one in sizes]
    table += [f"| {one['events']:,} | {run:.2f} | {cost:.2f} |" for one, run, cost in zip(sizes, runs, each, strict=True)]
    short = [f"{one['events']:,} of {one['wanted']:,}" for one in sizes if one["events"] < one["wanted"]]
    rows = {"a run, added": runs, "a drained event": each}
    plots["growth.svg"] = lines("Million instructions, by number of events that wait", [one["events"] for one in sizes], rows)
    fitted = [f"Of what was told only so many fitted into the spool: {', '.join(short)}.", ""] if short else []
    return [*table, "", *fitted, "![growth.svg](figures/growth.svg)"]


SECTIONS: dict[str, tuple[str, str, Callable[[dict, dict[str, str]], list[str]]]] = {
    "run_cost": ("One run of a command line", explained.RUN_COST, _run_cost),
    "survival": ("Killed right after an event", explained.SURVIVAL, _survival),
    "burst": ("A burst", explained.BURST, _burst),
    "drain": ("Into a genuine collector", explained.DRAIN, _drain),
    "growth": ("A spool that grows", explained.GROWTH, _growth),
}
