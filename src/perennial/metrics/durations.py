"""How long things take: by the clock and in hours of work, mean, median, percentiles.

All of it in whole numbers, so that every engine gives the same.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.windows import DAY, Period, Schedule, day_start
from perennial.metrics.inputs import Inputs

#: How far back hours of work are known.
_YEARS = timedelta(days=366 * 15)


def seconds_between(
    first: ir.TimestampValue, second: ir.TimestampValue
) -> ir.IntegerValue:
    """Whole seconds from one instant to another, both cut to the second."""
    return second.truncate("s").delta(first.truncate("s"), unit="second")


def milliseconds_between(
    first: ir.TimestampValue, second: ir.TimestampValue
) -> ir.IntegerValue:
    """Whole milliseconds from one instant to another, both cut to the millisecond."""
    fraction = second.millisecond().cast("int64") - first.millisecond().cast("int64")
    return seconds_between(first, second) * 1000 + fraction


def with_worked(t: Inputs, table: ir.Table, since: str, until: str) -> ir.Table:
    """The table with `worked`: seconds of work from instant `since` to `until`.

    Work is the workspace's schedule without its holidays. Null where one of the
    instants is null, ahead, or over 15 years ago.
    """
    begun = _worked_by(t, table, since, "worked_before")
    both = _worked_by(t, begun, until, "worked_after")
    return both.mutate(worked=both.worked_after - both.worked_before).drop(
        "worked_after", "worked_before"
    )


def _worked_by(t: Inputs, table: ir.Table, at: str, name: str) -> ir.Table:
    """The table with `name`: seconds of work from the first day known to `at`."""
    settings = t.query.settings
    today = t.query.today
    days = _work_days(settings.schedule, settings.tz, today - _YEARS, today + DAY)
    calendar = ibis.memtable(days.to_arrow())
    rows = table.mutate(work_day=t.local_date(table[at]))
    found = rows.left_join(calendar, rows.work_day == calendar.day)
    since_opening = seconds_between(found.opens, found[at])
    today_s = ibis.greatest(ibis.least(since_opening, found.length), 0)
    return found.mutate(**{name: found.before + today_s}).select(*table.columns, name)


@lru_cache(maxsize=4)
def _work_days(
    schedule: Schedule, tz: ZoneInfo, first: date, last: date
) -> pl.DataFrame:
    """One row a local day: when it opens, its seconds of work, those of all before."""
    rows, before = [], 0
    for day in Period(first, last):
        opens, closes = schedule.hours(day, tz) or (day_start(day, tz),) * 2
        length = max(0, round((closes - opens).total_seconds()))
        rows.append((day, before, opens, length))
        before += length
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "day": pl.Date,
        "before": pl.Int64,
        "opens": pl.Datetime("us", "UTC"),
        "length": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def summary(
    rows: ir.Table,
    keys: list[str],
    column: str,
    statistic: str,
    *,
    unit: int = 1,
    weight: str = "",
) -> ir.Table:
    """Of whole numbers in `column` by `keys`: numerator, denominator, n, and `value`
    where it is not the mean.

    - `statistic` is mean, median, or p and a percentage: by nearest rank, so that
      the value was observed. The median of an even number is the mean of two.
    - `unit` is how many of the stored numbers make one of the answer.
    - `weight` is a column that says how often each row stands for.

    Rows without a number are left out.
    """
    known = rows.filter(rows[column].notnull())
    times = known[weight].sum() if weight else known.count()
    counted = known.group_by([*keys, column]).agg(times=times)
    if statistic != "mean":
        counted = _with_ranks(counted, keys, column, statistic)
    n = counted.times.sum()
    sums = {
        "numerator": (counted[column] * counted.times).sum().cast("float64") / unit,
        "denominator": n,
        "n": n,
    }
    if statistic != "mean":
        low = counted[column].min(where=counted.upto >= counted.low)
        high = counted[column].min(where=counted.upto >= counted.high)
        sums["value"] = (low + high).cast("float64") / (2 * unit)
    return counted.group_by(keys).agg(**sums)


def _with_ranks(
    counted: ir.Table, keys: list[str], column: str, statistic: str
) -> ir.Table:
    """With `upto`, the values up to each, and the ranks `low` and `high` asked for."""
    upto = counted.times.sum().over(
        ibis.cumulative_window(group_by=keys, order_by=column)
    )
    n = counted.times.sum().over(ibis.window(group_by=keys))
    counted = counted.mutate(upto=upto, every=n)
    n = counted.every
    if statistic == "median":
        return counted.mutate(low=(n + 1) // 2, high=n // 2 + 1)
    rank = (n * int(statistic.removeprefix("p")) + 99) // 100
    return counted.mutate(low=rank, high=rank)
