"""Splunk searches, as far as the app of this repository uses them: every command parsed strictly, and run on events.

This is no Splunk. It shows that the searches are well formed, that each field they name is there or made before, and that they
answer what they say on events that a genuine splunk_hec exporter sent. Anything it does not know is an error.
Source: https://docs.splunk.com/Documentation/Splunk/latest/SearchReference
"""

import fnmatch
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aggregates import NAME, aggregates_of, bare, grouped, values
from expressions import Expression, Row, SearchError, number, shown

_TERM = re.compile(rf"""\s*(?:({NAME})\s*=\s*("[^"]*"|[^\s"]+)|("[^"]*"|[^\s="]+))""")
Step = Callable[[list[Row]], list[Row]]


@dataclass
class Command:
    """One command: what it does, which fields it names, which it makes; `only` when nothing else is left after it."""

    name: str
    run: Step
    reads: set[str] = field(default_factory=set)
    makes: set[str] = field(default_factory=set)
    only: bool = False


def split(text: str, at: str = "|") -> list[str]:
    """The parts of a text, cut where `at` stands outside quotes and parentheses."""
    parts, quote, depth = [""], "", 0
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        depth += (sign == "(") - (sign == ")") if not quote else 0
        if sign == at and not quote and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    if quote or depth:
        raise SearchError(f"`{text}`: a quote or a parenthesis is not closed")
    return [part.strip() for part in parts]


def expanded(text: str, macros: dict[str, str]) -> str:
    """A search with the text of its macros in their places."""
    while found := re.search(r"`([^`]*)`", text):
        if found[1] not in macros:
            raise SearchError(f"`{found[1]}` is no macro of the app")
        text = text.replace(found[0], macros[found[1]])
    return text


def parse(text: str, macros: dict[str, str]) -> list[Command]:
    """The commands of a search; raises SearchError for what cannot be read."""
    first, *rest = split(expanded(text, macros))
    if not first:
        raise SearchError("only searches that begin with events are known")
    found = [_search(first)]
    for part in rest:
        name, _, words = part.partition(" ")
        if name not in COMMANDS:
            raise SearchError(f"`{name}` is not known here")
        found.append(COMMANDS[name](words.strip()))
    return found


def unknown(commands: Iterable[Command], fields: set[str]) -> set[str]:
    """The fields that a command names and that neither an event has nor a command before it made."""
    have, found = set(fields), set()
    for one in commands:
        found |= one.reads - have
        have = one.makes if one.only else have | one.makes
    return found


def answer(commands: Iterable[Command], rows: list[Row]) -> list[Row]:
    """What a search finds in events."""
    for one in commands:
        rows = one.run(rows)
    return rows


def _search(words: str) -> Command:
    tests: list[Callable[[Row], bool]] = []
    reads: set[str] = set()
    at = 0
    words = words.removeprefix("search ").strip()
    while at < len(words):
        found = _TERM.match(words, at)
        if not found or (found[3] or "").upper() in ("OR", "NOT", "AND", "("):
            raise SearchError(f"search: cannot be read at `{words[at:]}`")
        at = found.end()
        if found[1]:
            reads.add(bare(found[1]))
        tests.append(_term(bare(found[1] or "_raw"), bare(found[2] or f"*{bare(found[3])}*")))
    return Command("search", lambda rows: [row for row in rows if all(test(row) for test in tests)], reads)


def _term(name: str, pattern: str) -> Callable[[Row], bool]:
    def test(row: Row) -> bool:
        value = row.get(name)
        return any(fnmatch.fnmatchcase(shown(one).lower(), pattern.lower()) for one in values(value))

    return test


def _where(words: str) -> Command:
    test = Expression(words)
    return Command("where", lambda rows: [row for row in rows if test.run(row) is True], test.reads)


def _eval(words: str) -> Command:
    made: list[tuple[str, Expression]] = []
    reads: set[str] = set()
    for part in split(words, ","):
        name, equals, text = part.partition("=")
        if not equals:
            raise SearchError(f"eval {part}: no `=`")
        made.append((bare(name), Expression(text)))
        reads |= made[-1][1].reads - {name for name, _ in made[:-1]}

    def run(rows: list[Row]) -> list[Row]:
        found = []
        for row in rows:
            changed = dict(row)
            for name, expression in made:
                changed[name] = expression.run(changed)
            found.append({name: value for name, value in changed.items() if value is not None})
        return found

    return Command("eval", run, reads, {name for name, _ in made})


def _stats(words: str) -> Command:
    aggregates, by = aggregates_of(words)
    reads = {name for _, name, _ in aggregates if name} | {*by}
    return Command("stats", lambda rows: grouped(rows, aggregates, by), reads, {*by, *(one[2] for one in aggregates)}, True)


def _timechart(words: str) -> Command:
    span = re.match(r"span=(\d+)([dhm])\s+", words)
    if not span:
        raise SearchError("timechart: write span= first")
    size = int(span[1]) * {"d": 86400, "h": 3600, "m": 60}[span[2]]
    aggregates, by = aggregates_of(words[span.end() :])
    if len(by) > 1 or (by and len(aggregates) > 1):
        raise SearchError("timechart: one field behind `by`, and then one aggregate")

    def run(rows: list[Row]) -> list[Row]:
        floored = [{**row, "_time": row["_time"] // size * size} for row in rows]
        found: dict[float, Row] = {}
        for group in grouped(floored, aggregates, ["_time", *by]):
            row = found.setdefault(group["_time"], {"_time": group["_time"]})
            row |= {shown(group[by[0]]): group[aggregates[0][2]]} if by else group
        return list(found.values())

    return Command("timechart", run, {"_time", *by, *(one[1] for one in aggregates if one[1])}, {"_time"}, True)


def _sort(words: str) -> Command:
    found = re.fullmatch(rf"(\d+\s+)?((?:[-+]?\s*{NAME}[, ]*)+)", words)
    if not found:
        raise SearchError(f"sort {words}: cannot be read")
    keys = [(sign == "-", bare(name)) for sign, name in re.findall(rf"([-+]?)\s*({NAME})", found[2])]

    def run(rows: list[Row]) -> list[Row]:
        for down, name in reversed(keys):
            rows = sorted(rows, key=lambda row: (number(row.get(name)) or 0.0, shown(row.get(name, ""))), reverse=down)
        return rows[: int(found[1])] if found[1] else rows

    return Command("sort", run, {name for _, name in keys})


def _dedup(words: str) -> Command:
    names = [bare(name) for name in re.findall(NAME, words)]

    def run(rows: list[Row]) -> list[Row]:
        seen: dict[tuple[str, ...], Row] = {}
        for row in rows:
            if all(row.get(name) is not None for name in names):
                seen.setdefault(tuple(shown(row[name]) for name in names), row)
        return list(seen.values())

    return Command("dedup", run, {*names})


def _table(words: str) -> Command:
    names = [bare(name) for name in re.findall(NAME, words)]
    return Command("table", lambda rows: [{name: row.get(name) for name in names} for row in rows], {*names}, {*names}, True)


def _delete(words: str) -> Command:
    if words:
        raise SearchError("delete takes nothing")
    return Command("delete", lambda rows: [{"deleted": len(rows)}], set(), {"deleted"}, True)


COMMANDS: dict[str, Callable[[str], Command]] = {
    "dedup": _dedup,
    "delete": _delete,
    "eval": _eval,
    "search": _search,
    "sort": _sort,
    "stats": _stats,
    "table": _table,
    "timechart": _timechart,
    "where": _where,
}
