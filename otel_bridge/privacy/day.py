"""Reduce a moment to its UTC date or week."""

from datetime import UTC, date, datetime, timezone
from zoneinfo import ZoneInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import Facts, Parameters, Scalar

YEARS = range(1970, 2100)  # the rest is no moment that a tool would tell, but a number in disguise
_ZONES = (type(None), timezone, ZoneInfo)


def reduce(value: object, parameters: "Parameters", facts: "Facts") -> "Scalar | None":
    """(resolution): the UTC date `2026-11-22`, or the ISO 8601 week `2026-W47`, of a date, a datetime or Unix seconds.

    A datetime without a zone is local. Nothing remains of a text, not even of one that is a date: it may be anybody's.
    """
    try:
        day = _day(value)
    except (ValueError, OverflowError, OSError):
        return None
    if day is None or day.year not in YEARS:
        return None
    if parameters[0] == "day":
        return day.isoformat()
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def _day(value: object) -> date | None:
    if type(value) is date:
        return value
    if type(value) is datetime and type(value.tzinfo) in _ZONES:
        return value.astimezone(UTC).date()
    if type(value) is int or type(value) is float:
        return datetime.fromtimestamp(value, UTC).date()
    return None
