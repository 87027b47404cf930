"""Local days over stored months and instants: spans of them, and their SQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb

from perennial.core.windows import DAY, Grain, Period, add_months, offsets, periods

MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(instant: datetime) -> int:
    """Since 1970 in UTC."""
    return (instant - _EPOCH) // MICROSECOND


def local_months(partitions: Iterable[str]) -> list[Period]:
    """The local months that can lie in monthly partitions, oldest first."""
    firsts = {date.fromisoformat(f"{name}-01") for name in partitions}
    # A local month reaches up to 14 hours into its UTC neighbors.
    firsts |= {f - DAY for f in firsts} | {f + DAY * 31 for f in firsts}
    firsts = {first.replace(day=1) for first in firsts}
    return [Period(first, add_months(first, 1)) for first in sorted(firsts)]


def merged(spans: Iterable[Period]) -> list[Period]:
    """Spans of days in order, those that touch made one."""
    found: list[Period] = []
    for span in sorted(spans, key=lambda span: span.start):
        if found and span.start <= found[-1].end:
            last = found.pop()
            span = Period(last.start, max(last.end, span.end))
        found.append(span)
    return found


def local_days(utc_days: Iterable[date], tz: ZoneInfo) -> set[date]:
    """The local days that UTC days reach into."""
    found: set[date] = set()
    for day in utc_days:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        found |= {
            instant.astimezone(tz).date()
            for instant in (start, start + DAY - MICROSECOND)
        }
    return found


def month_names(span: Period) -> list[str]:
    """The calendar months `span` touches, as partitions are called."""
    return [
        f"{month.start:%Y-%m}" for month in periods(span.start, span.end, Grain.MONTH)
    ]


def define_local_day(
    duck: duckdb.DuckDBPyConnection, tz: ZoneInfo, start: datetime, end: datetime
) -> None:
    """Define `local_day(us)`: the local day of an instant in UTC microseconds.

    Good between two instants. Integer arithmetic over the zone's offsets, many
    times faster than asking the time zone library for every row.
    """
    first, *changes = offsets(tz, start, end)
    cases = "".join(
        f"WHEN us >= {microseconds(change.since)} THEN {change.seconds * _SECOND} "
        for change in reversed(changes)
    )
    shift = (
        f"CASE {cases}ELSE {first.seconds * _SECOND} END"
        if cases
        else first.seconds * _SECOND
    )
    duck.execute(
        "CREATE OR REPLACE TEMP MACRO local_day(us) AS "
        f"(DATE '1970-01-01' + ((us + {shift}) // {86_400 * _SECOND})::INT)"
    )
