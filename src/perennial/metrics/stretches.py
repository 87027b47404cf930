"""Stretches of time: while an account pays, is a customer, holds a license.

Rows `[since, until)` of days; what is open ends on the last day there is. Rows of
one group may overlap, as those of two currencies do: added up, no day counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.windows import Period, add_months
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query

_FAR = date(9999, 12, 31)
#: Calendar months are counted in parts of 1/31: whole months come out whole.
MONTH_PARTS = 31


class Piece(NamedTuple):
    """The finished days `[low, high)` of a period that lie in one calendar month."""

    period_start: date
    month: date
    low: date
    high: date

    @property
    def length(self) -> int:
        """Days of the whole month."""
        return (add_months(self.month, 1) - self.month).days

    @property
    def share(self) -> float:
        """How much of its month the piece is."""
        return (self.high - self.low).days / self.length


def pieces(q: Query, *, months_before: int = 0) -> list[Piece]:
    """Every period asked for, or the same so many months before, month by month."""
    found = []
    for period in q.periods:
        done = q.complete(period)
        if done is None:
            continue
        low = add_months(done.start, -months_before)
        high = add_months(done.end, -months_before)
        found += [Piece(period.start, *part) for part in _months(Period(low, high))]
    return found


def _months(span: Period) -> Iterator[tuple[date, date, date]]:
    month = span.start.replace(day=1)
    while month < span.end:
        after = add_months(month, 1)
        yield month, max(month, span.start), min(after, span.end)
        month = after


def piece_table(spans: Sequence[Piece]) -> ir.Table:
    """One row per piece: its fields, `after` (first day of the month after), `length`
    of the month, and `share` of it."""
    dates = dict.fromkeys((*Piece._fields, "after"), pl.Date)
    rows = [
        (*piece, add_months(piece.month, 1), piece.length, piece.share)
        for piece in spans
    ]
    schema = {**dates, "length": pl.Int64, "share": pl.Float64}
    return ibis.memtable(pl.DataFrame(rows, schema=schema, orient="row").to_arrow())


def paid(t: Inputs, q: Query) -> ir.Table:
    """One row per group, account and run that pays: since, until, mrr_e4, currency,
    and `pays`, which is true."""
    ledger = t.mrr_ledger.filter(t.mrr_ledger.mrr_e4 > 0)
    columns = dict.fromkeys((*q.by, "account_id", "currency", "mrr_e4"))
    return ledger.select(
        *columns,
        since="date_from",
        until=ledger.date_to.fill_null(_FAR),
        pays=ibis.literal(value=True),
    )


def alive(t: Inputs, q: Query) -> ir.Table:
    """The same for the time as a customer: a pause is part of it, as far as it is not
    so long that it is churn (G5). `pays` says which runs are paid."""
    ledger = t.mrr_ledger
    ledger = ledger.filter((ledger.mrr_e4 > 0) | ledger.is_paused)
    until = ledger.date_to.fill_null(_FAR)
    longest = ibis.interval(days=q.settings.pause_churn_days)
    rested = ibis.least(until, (ledger.date_from + longest).cast("date"))
    return ledger.select(
        *dict.fromkeys((*q.by, "account_id")),
        since="date_from",
        until=ibis.cases((ledger.is_paused, rested), else_=until),
        pays=ledger.mrr_e4 > 0,
    )


def apart(table: ir.Table, keys: Iterable[str]) -> ir.Table:
    """The same days, each in one row only: what an earlier row covers is cut off."""
    before = ibis.window(
        group_by=list(keys), order_by=["since", "until"], rows=(None, -1)
    )
    cut = table.mutate(since=ibis.greatest(table.since, _latest(table, before)))
    return cut.filter(cut.since < cut.until)


def joined(table: ir.Table, keys: Sequence[str]) -> ir.Table:
    """One row per unbroken stretch of a group: keys, since, until.

    Rows with a column `pays` begin with their first paid day; without any they are
    none.
    """
    order = {"group_by": list(keys), "order_by": ["since", "until"]}
    earlier = _latest(table, ibis.window(**order, rows=(None, -1)))
    begins = (table.since > earlier).cast("int64")
    marked = table.mutate(begins=begins)
    marked = marked.mutate(
        nth=marked.begins.sum().over(ibis.window(**order, rows=(None, 0)))
    )
    first = marked.since.min(where=marked.pays)
    runs = marked.group_by([*keys, "nth"]).agg(since=first, until=marked.until.max())
    return runs.filter(runs.since.notnull()).drop("nth")


def _latest(table: ir.Table, window: ibis.expr.builders.WindowBuilder) -> ir.DateColumn:
    return table.until.max().over(window).fill_null(date(1, 1, 1))


def days_within(table: ir.Table, spans: ir.Table) -> ir.Table:
    """Each stretch with each piece it touches: `days`, how many they share."""
    pairs = table.cross_join(spans)
    pairs = pairs.filter((pairs.since < pairs.high) & (pairs.until > pairs.low))
    low = ibis.greatest(pairs.since, pairs.low)
    high = ibis.least(pairs.until, pairs.high)
    return pairs.mutate(days=high.delta(low, unit="day"))


def position(day: ir.DateColumn) -> ir.IntegerColumn:
    """A day's place on a line on which every month is 31 parts long."""
    months = day.year() * 12 + day.month()
    return (months * MONTH_PARTS + day.day()).cast("int64")
