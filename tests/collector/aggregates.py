"""What Splunk's `stats` and `timechart` count, as far as the app of this repository uses it."""

import re
import statistics
from collections.abc import Callable
from typing import Any

from expressions import Row, SearchError, number, shown

NAME = r"""(?:"[^"]+"|[\w.{}]+)"""
_AGGREGATE = re.compile(rf"\s*,?\s*([a-z]+[0-9]*)(?:\(\s*({NAME})\s*\))?(?:\s+[Aa][Ss]\s+({NAME}))?")


def bare(name: str) -> str:
    return name.strip().strip('"')


def values(value: Any) -> list[Any]:
    """The values of a field: a list has several, None none."""
    return [] if value is None else value if isinstance(value, list) else [value]


def _percentile(part: int) -> Callable[[list[Any]], Any]:
    def run(found: list[Any]) -> Any:
        known = sorted(one for one in map(number, found) if one is not None)
        return known[min(len(known) - 1, len(known) * part // 100)] if known else None

    return run


AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "dc": lambda found: len({shown(one) for one in found}),
    "sum": lambda found: sum(one for one in map(number, found) if one is not None),
    "max": lambda found: max((one for one in map(number, found) if one is not None), default=None),
    "median": lambda found: statistics.median(known) if (known := [one for one in map(number, found) if one is not None]) else None,
    "perc95": _percentile(95),
}


def aggregates_of(words: str) -> tuple[list[tuple[str, str, str]], list[str]]:
    """Function, field and name of each aggregate, and the fields behind `by`."""
    text, *by = re.split(r"\s+[Bb][Yy]\s+", words)
    found, at = [], 0
    while at < len(text.rstrip()):
        match = _AGGREGATE.match(text, at)
        if not match or match[1] not in AGGREGATES or (match[1] != "count" and not match[2]):
            raise SearchError(f"an aggregate cannot be read at `{text[at:]}`")
        given = bare(match[2] or "")
        found.append((match[1], given, bare(match[3] or (f"{match[1]}({given})" if given else match[1]))))
        at = match.end()
    if not found or len(by) > 1:
        raise SearchError(f"`{words}`: aggregates, then at most one `by`")
    return found, [bare(name) for name in re.findall(NAME, by[0])] if by else []


def _keys(row: Row, by: list[str]) -> list[tuple[Any, ...]]:
    """The groups that a row belongs to: one for each value; none when it lacks a field."""
    found: list[tuple[Any, ...]] = [()]
    for name in by:
        found = [(*key, one) for key in found for one in values(row.get(name))]
    return found


def grouped(rows: list[Row], aggregates: list[tuple[str, str, str]], by: list[str]) -> list[Row]:
    groups: dict[tuple[Any, ...], list[Row]] = {} if by else {(): []}
    for row in rows:
        for key in _keys(row, by):
            groups.setdefault(key, []).append(row)
    found = []
    for key in sorted(groups, key=lambda key: [shown(one) for one in key]):
        made = dict(zip(by, key, strict=True))
        for function, name, called in aggregates:
            given = [one for row in groups[key] for one in values(row.get(name))] if name else groups[key]
            made[called] = AGGREGATES[function](given)
        found.append(made)
    return found
