"""The expressions of Splunk's `eval` and `where`, as far as the app of this repository uses them: parsed strictly, and run.

A field that is missing is None; what is compared, added or joined with None is None. Text that looks like a number is one.
Source: https://docs.splunk.com/Documentation/Splunk/latest/SearchReference/Eval
"""

import re
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
Run = Callable[[Row], Any]
_TOKEN = re.compile(r"""\s*(?:(\d+(?:\.\d+)?)|"((?:[^"\\]|\\.)*)"|'([^']+)'|([A-Za-z_]\w*)|(<=|>=|!=|==|[-+*/.,()=<>]))""")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


class SearchError(ValueError):
    """A search that Splunk would refuse, or that this small reading of it does not know."""


def number(value: Any) -> float | None:
    """A value as a number, None when it is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def shown(value: Any) -> str:
    """A value as text: whole numbers without a point."""
    found = number(value)
    return f"{found:g}" if found is not None and not isinstance(value, str) else str(value)


def equal(left: Any, right: Any) -> bool:
    """Equality as Splunk has it: numbers by value, all else as text."""
    if number(left) is not None and number(right) is not None:
        return number(left) == number(right)
    return shown(left) == shown(right)


def _round(value: Any, digits: Any = 0) -> Any:
    found = number(value)
    return None if found is None else round(found, int(digits))


FUNCTIONS: dict[str, tuple[int, int, Callable[..., Any]]] = {
    "coalesce": (1, 9, lambda *values: next((one for one in values if one is not None), None)),
    "if": (3, 3, lambda test, yes, no: yes if test is True else no),
    "isnotnull": (1, 1, lambda value: value is not None),
    "isnull": (1, 1, lambda value: value is None),
    "match": (2, 2, lambda value, pattern: value is not None and re.search(pattern, shown(value)) is not None),
    "round": (1, 2, _round),
}


class Expression:
    """One expression: `run` computes it for a row, `reads` are the fields that it names."""

    def __init__(self, text: str) -> None:
        self.reads: set[str] = set()
        self._tokens = self._split(text)
        self._at = 0
        self.run = self._or()
        if self._at != len(self._tokens):
            raise SearchError(f"`{text}`: nothing expected at {self._tokens[self._at]}")

    @staticmethod
    def _split(text: str) -> list[tuple[str, str]]:
        found, at, text = [], 0, text.strip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if not match:
                raise SearchError(f"`{text}`: cannot be read at `{text[at:]}`")
            kind = ("number", "text", "field", "word", "sign")[match.lastindex - 1]  # type: ignore[operator]
            found.append((kind, match[match.lastindex or 0]))
            at = match.end()
        return found

    def _next(self, *wanted: str) -> str:
        if self._at < len(self._tokens):
            kind, text = self._tokens[self._at]
            if kind in ("sign", "word") and (text in wanted or (kind == "word" and text.upper() in wanted)):
                self._at += 1
                return text
        return ""

    def _or(self) -> Run:
        parts = [self._and()]
        while self._next("OR"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) is True for part in parts)

    def _and(self) -> Run:
        parts = [self._not()]
        while self._next("AND"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) is True for part in parts)

    def _not(self) -> Run:
        if self._next("NOT"):
            inner = self._not()
            return lambda row: inner(row) is not True
        return self._compared()

    def _compared(self) -> Run:
        left = self._sum()
        sign = self._next("=", "==", "!=", "<", ">", "<=", ">=")
        if not sign:
            return left
        right = self._sum()
        return lambda row: _compare(sign, left(row), right(row))

    def _sum(self) -> Run:
        found = self._product()
        while sign := self._next("+", "-", "."):
            found = _joined(sign, found, self._product())
        return found

    def _product(self) -> Run:
        found = self._one()
        while sign := self._next("*", "/"):
            found = _joined(sign, found, self._one())
        return found

    def _one(self) -> Run:
        if self._next("("):
            inner = self._or()
            self._close()
            return inner
        if self._at >= len(self._tokens):
            raise SearchError("an expression ends too early")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return lambda row: float(text)
        if kind == "text":
            plain = text.replace('\\"', '"')
            return lambda row: plain
        if kind == "word" and self._next("("):
            return self._call(text)
        if kind == "sign" or text.upper() in ("AND", "OR", "NOT"):
            raise SearchError(f"`{text}` where a value should be")
        self.reads.add(text)
        return lambda row: row.get(text)

    def _call(self, name: str) -> Run:
        given: list[Run] = []
        while not self._next(")"):
            if given and not self._next(","):
                raise SearchError(f"{name}(: `,` or `)` expected")
            given.append(self._or())
        if name not in FUNCTIONS or not FUNCTIONS[name][0] <= len(given) <= FUNCTIONS[name][1]:
            raise SearchError(f"{name}( with {len(given)} arguments is not known")
        return lambda row: FUNCTIONS[name][2](*(one(row) for one in given))

    def _close(self) -> None:
        if not self._next(")"):
            raise SearchError("`)` expected")


def _compare(sign: str, left: Any, right: Any) -> bool | None:
    if left is None or right is None:
        return None
    if sign in ("=", "==", "!="):
        return equal(left, right) is (sign != "!=")
    pair = (number(left), number(right))
    low, high = (shown(left), shown(right)) if None in pair else pair
    return {"<": low < high, ">": low > high, "<=": low <= high, ">=": low >= high}[sign]  # type: ignore[operator]


def _joined(sign: str, left: Run, right: Run) -> Run:
    def run(row: Row) -> Any:
        one, two = left(row), right(row)
        if one is None or two is None:
            return None
        if sign == ".":
            return shown(one) + shown(two)
        low, high = number(one), number(two)
        if low is None or high is None or (sign == "/" and high == 0):
            return None
        return {"+": low + high, "-": low - high, "*": low * high, "/": low / high if high else None}[sign]

    return run
