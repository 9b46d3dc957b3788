"""What the comparison aims for, beside what was measured: each target is met, not met, or not measured."""

import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

median = statistics.median
FULL_MB, GROWTH = 80, 0.02


@dataclass(frozen=True)
class Verdict:
    """A row of the table of targets."""

    what: str
    target: str
    measured: str
    met: str


def added(told: dict[str, Any], what: str = "seconds") -> float:
    """The median of what runs took more than their bare twins."""
    return median(one[what] - bare[what] for one, bare in zip(told["with"], told["bare"], strict=True))


def mostly_killed(told: dict[str, Any]) -> bool:
    """Whether the median run of these was killed for its time."""
    return median(one["killed"] for one in told["with"]) > 0.5


def burst_rates(runs: Iterable[dict[str, Any]]) -> tuple[float, float]:
    """Calls and kept events, for each second of the loop: medians."""
    found = list(runs)
    return median(one["calls"] / one["seconds"] for one in found), median(one["kept"] / one["seconds"] for one in found)


def drain_figures(runs: Iterable[dict[str, Any]]) -> dict[str, float]:
    """Delivered events a second, CPU seconds and peak memory: medians."""
    found = list(runs)
    rate = median(one["arrived"] / one["seconds"] for one in found)
    return {"rate": rate, "cpu": median(one["cpu"] for one in found), "peak": median(one["peak"] for one in found)}


def all_of(found: dict[str, Any]) -> Iterator[Verdict]:
    """Every target, in the order of the parts."""
    yield from _of_a_run(found.get("run_cost"))
    yield from _of_a_burst(found.get("burst"))
    yield from _of_draining(found.get("drain"))
    yield from _of_growth(found.get("growth"))


def _said(what: str, target: str, measured: str, met: bool | None) -> Verdict:
    words = {True: "met", False: "**not met**", None: "not measured"}
    return Verdict(what, target, measured, words[met])


def _of_a_run(part: dict[str, Any] | None) -> Iterator[Verdict]:
    name = "A run: instructions added, the SDK's (span and event over HTTP) by ours"
    counted = (part or {}).get("instructions", {})
    ours, theirs = (counted.get(who, {}).get("added") for who in ("otel-bridge", "otel-http"))
    shown = f"{theirs / 1e6:,.1f} M / {ours / 1e6:,.2f} M = {theirs / ours:.1f}x" if ours and theirs else "-"
    yield _said(name, ">= 90x", shown, theirs / ours >= 90 if ours and theirs else None)
    pairs = (part or {}).get("pairs", {})
    name, aside = "A run: time added, the SDK's by ours", "The same in CPU time, which other programs disturb less"
    if set(pairs) < {"otel-bridge", "otel-http"}:
        yield _said(name, ">= 60x", "-", None)
        return
    ratio, told = _ratio(pairs, "seconds")
    yield _said(name, ">= 60x", told, ratio >= 60)
    yield Verdict(aside, "", _ratio(pairs, "cpu")[1], "")


def _ratio(pairs: dict[str, Any], what: str) -> tuple[float, str]:
    """How many times more the SDK adds than ours, and how it was found; nothing where ours is lost in the noise."""
    ours, theirs = (added(pairs[who], what) * 1000 for who in ("otel-bridge", "otel-http"))
    told = f"{theirs:,.1f} ms / {ours:,.2f} ms, medians of {len(pairs['otel-bridge']['with'])} pairs"
    if ours <= 0:
        return 0.0, f"{told}: ours is below the noise of that machine"
    return theirs / ours, f"{told} = {theirs / ours:.0f}x"


def _of_a_burst(part: dict[str, Any] | None) -> Iterator[Verdict]:
    name, lost = "A burst: kept a second, ours by the SDK's", "A burst below the bound: events of ours that are lost"
    runs = (part or {}).get("contenders", {})
    if set(runs) < {"otel-bridge", "otel-http"}:
        yield _said(name, ">= 5x", "-", None)
        yield _said(lost, "0", "-", None)
        return
    (calls, ours), (their_calls, theirs) = burst_rates(runs["otel-bridge"]), burst_rates(runs["otel-http"])
    told = f"{ours:,.0f} / {theirs:,.0f} = {ours / theirs:.1f}x (calls: {calls / their_calls:.1f}x)"
    yield _said(name, ">= 5x", told, ours / theirs >= 5)
    worst = max(one["lost"] for one in runs["otel-bridge"])
    raised = part and part.get("raised")
    yield _said(lost, "0", f"{worst:,}" if raised else "its bound could not be raised", worst == 0 if raised else None)


def _of_draining(part: dict[str, Any] | None) -> Iterator[Verdict]:
    runs = (part or {}).get("contenders", {})
    sdk = drain_figures(runs["otel-http"]) if "otel-http" in runs else None
    for way, target in (("http/protobuf", 1), ("http/json", 4)):
        told = drain_figures(runs[way]) if way in runs and sdk else None
        shown = f"{told['rate']:,.0f} / {sdk['rate']:,.0f} = {told['rate'] / sdk['rate']:.2f}x" if told else "-"
        name = f"Draining by {way}: delivered a second, ours by the SDK's"
        yield _said(name, f">= {target}x", shown, told["rate"] / sdk["rate"] >= target if told else None)
        if way == "http/protobuf":
            shown = f"{told['peak'] / 1e6:.0f} MB / {sdk['peak'] / 1e6:.0f} MB = {told['peak'] / sdk['peak']:.2f}x" if told else "-"
            name = f"Draining by {way}: memory at the peak, ours by the SDK's"
            yield _said(name, "<= 0.5x", shown, told["peak"] / sdk["peak"] <= 0.5 if told else None)
    full = (part or {}).get("full")
    shown, met = (f"{full['peak'] / 1e6:.0f} MB", full["peak"] / 1e6 < FULL_MB) if full else ("-", None)
    yield _said("Draining a spool that is full: memory at the peak", f"< {FULL_MB} MB", shown, met)


def _of_growth(part: dict[str, Any] | None) -> Iterator[Verdict]:
    name, target = "A run costs the same whatever waits: largest difference of what it adds", f"<= {GROWTH:.0%}"
    sizes = (part or {}).get("sizes", [])
    if not sizes:
        yield _said(name, target, "-", None)
        return
    costs = [one["run"] - part["bare"] for one in sizes]
    apart = (max(costs) - min(costs)) / min(costs)
    yield _said(name, target, f"{apart:.2%}, from {sizes[0]['events']:,} to {sizes[-1]['events']:,} events", apart <= GROWTH)
