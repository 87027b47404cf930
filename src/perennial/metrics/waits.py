"""How long until something happens, when for some it has not happened yet.

The engine counts waits by their length in days; the Kaplan-Meier curve of these
counts is small work for plain code, and the same on every engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

import ibis.expr.types as ir
import polars as pl

from perennial.core import survival
from perennial.core.survival import Spell
from perennial.metrics.query import Query

#: The share of the waiting that has ended at the value of a variant.
SHARES = {"median": 0.5, "p25": 0.25, "p75": 0.75}


def counted(q: Query, waits: ir.Table) -> ir.Table:
    """Waits added up: one row per period, group, `days` and `ended` (0 or 1).

    `waits` has one row a wait: the query's keys, `start`, `reached` (the day it
    happened, or null) and `until` (the last day it was watched).
    """
    last = waits.reached.coalesce(waits.until)
    rows = waits.mutate(
        days=last.delta(waits.start, unit="day").cast("int64"),
        ended=waits.reached.notnull().cast("int64"),
    )
    # What happened before the wait began took no time at all.
    rows = rows.mutate(days=(rows.days > 0).ifelse(rows.days, 0))
    return rows.group_by([*q.keys, "days", "ended"]).agg(count=rows.count())


def conclude(query: Query, raw: pl.DataFrame) -> pl.DataFrame:
    """One row per period and group: the variant's number of days.

    Numerator is how many got there, denominator of how many. Waits that are not
    over count by Kaplan-Meier; in variants that are no share of `SHARES` they are
    left out. Not reached: null and insufficient.
    """
    rows = [
        {**dict(zip(query.keys, key, strict=True)), **_row(query.variant, waits)}
        for key, waits in _groups(query, raw)
    ]
    return pl.DataFrame(rows, schema=_schema(query, raw), orient="row")


def _groups(
    query: Query, raw: pl.DataFrame
) -> Iterator[tuple[tuple[object, ...], list[Spell]]]:
    width = len(query.keys)
    columns = [*query.keys, "days", "ended", "count"]
    ordered = raw.select(columns).sort(query.keys).iter_rows()
    for key, rows in groupby(ordered, key=itemgetter(slice(0, width))):
        yield (
            key,
            [
                Spell(days, bool(ended), count=n)
                for days, ended, n in (row[width:] for row in rows)
            ],
        )


def _row(variant: str, waits: list[Spell]) -> dict[str, object]:
    share = SHARES.get(variant)
    if share is None:
        value = naive_median(waits)
    else:
        value = survival.quantile(survival.curve(waits), share)
    total = sum(wait.count for wait in waits)
    return {
        "value": None if value is None else float(value),
        "numerator": sum(wait.count for wait in waits if wait.ended),
        "denominator": total,
        "n": total,
        "insufficient": int(value is None),
    }


def naive_median(waits: Iterable[Spell]) -> float | None:
    """The median of those that ended, as if the others were none; null without any."""
    ended = sorted((wait.duration, wait.count) for wait in waits if wait.ended)
    total = sum(count for _, count in ended)
    if not total:
        return None
    return (_at(ended, (total - 1) // 2) + _at(ended, total // 2)) / 2


def _at(ended: list[tuple[int, int]], rank: int) -> int:
    """The duration at a rank, from 0, of durations with their counts."""
    seen = 0
    for duration, count in ended:
        seen += count
        if rank < seen:
            return duration
    raise IndexError(rank)


def _schema(query: Query, raw: pl.DataFrame) -> dict[str, pl.DataType]:
    whole, real = pl.Int64(), pl.Float64()
    own = {"numerator": whole, "denominator": whole, "n": whole, "insufficient": whole}
    return {**{key: raw.schema[key] for key in query.keys}, "value": real, **own}
