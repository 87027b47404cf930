"""`request_days`: requests added up by local day, so that no metric reads them singly.

Durations are exact up to ten seconds and have four digits above, so that
percentiles and Apdex come out as from the requests themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from zoneinfo import ZoneInfo

import duckdb

from perennial.core.settings import Settings
from perennial.core.windows import DAY, Grain, Period, day_start, periods
from perennial.lake.local_days import (
    define_local_day,
    local_months,
    merged,
    month_names,
)
from perennial.lake.relations import empty
from perennial.lake.store import Lake

NAME = "request_days"
SOURCE = "requests"

_EXACT_MS, _DIGITS = 10_000, 4
#: No request takes over thirty years.
_LONGEST_MS = 10**12


def build(
    lake: Lake,
    duck: duckdb.DuckDBPyConnection,
    settings: Settings,
    progress: Mapping[str, int],
    days: Iterable[date] | None = None,
) -> None:
    """Build these local days, or all of them, a month at a time.

    `progress` is the version of each source the table speaks of. The last commit
    says so, those before that it speaks of none: a build that died is done again.
    """
    if days is None:
        spans = local_months({*lake.files_by_month(SOURCE), *lake.files_by_month(NAME)})
    else:
        spans = merged(Period(day, day + DAY) for day in days)
    months = sorted({name for span in spans for name in month_names(span)})
    for month in months:
        first = date.fromisoformat(f"{month}-01")
        inside = [part for span in spans if (part := within(span, first))]
        _collect(lake, duck, settings.tz, month, inside)
        is_last = month == months[-1]
        with lake.lock(NAME):
            lake.replace(
                duck,
                NAME,
                f"built_{NAME}",
                months=[month],
                progress=progress if is_last else dict.fromkeys(progress, 0),
            )
    if not months:
        lake.record(NAME, progress)


def within(span: Period, first: date) -> Period | None:
    """The part of a span in the calendar month that begins with `first`."""
    for month in periods(span.start, span.end, Grain.MONTH):
        if month.start.replace(day=1) == first:
            return month
    return None


def _collect(
    lake: Lake,
    duck: duckdb.DuckDBPyConnection,
    tz: ZoneInfo,
    month: str,
    spans: list[Period],
) -> None:
    """`built_request_days`: a month, these spans of it new and the rest as stored."""
    changed = " OR ".join(
        f"(date >= DATE '{span.start}' AND date < DATE '{span.end}')" for span in spans
    )
    duck.execute(f"CREATE OR REPLACE TEMP TABLE built_{NAME} AS {empty(NAME)}")
    duck.execute(
        f"INSERT INTO built_{NAME} "
        f"FROM {lake.source(NAME, months=[month])} WHERE NOT ({changed})"
    )
    for span in spans:
        _add(lake, duck, tz, span)


def _add(
    lake: Lake, duck: duckdb.DuckDBPyConnection, tz: ZoneInfo, span: Period
) -> None:
    low, high = day_start(span.start, tz), day_start(span.end, tz)
    define_local_day(duck, tz, low - DAY, high + DAY)
    utc = Period(low.date(), high.date() + DAY)
    duck.execute(
        f"""
        INSERT INTO built_{NAME}
        SELECT local_day(epoch_us("at")) AS date, account_id, endpoint,
               CASE WHEN status = 0 OR status BETWEEN 500 AND 599 THEN 'failed'
                    WHEN status BETWEEN 400 AND 499 THEN 'refused'
                    ELSE 'ok' END AS outcome,
               {_kept("duration_ms")} AS duration_ms, count(*) AS requests
        FROM {lake.source(SOURCE, months=month_names(utc))}
        WHERE "at" >= TIMESTAMPTZ '{low.isoformat()}'
          AND "at" < TIMESTAMPTZ '{high.isoformat()}'
        GROUP BY ALL
        """
    )


def _kept(duration: str) -> str:
    """SQL of a duration as it is stored; null where it cannot be one."""
    unit = f"pow(10, length({duration}::VARCHAR) - {_DIGITS})::BIGINT"
    return f"""CASE WHEN {duration} NOT BETWEEN 0 AND {_LONGEST_MS} THEN NULL
                    WHEN {duration} <= {_EXACT_MS} THEN {duration}
                    ELSE ({duration} + {unit} // 2) // {unit} * {unit} END"""
