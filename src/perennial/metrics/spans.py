"""The periods of a question as tables, and the local days of instants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.windows import DAY, day_start, month_end, offsets
from perennial.metrics.query import Query

_FIRST = datetime(1990, 1, 1, tzinfo=UTC)
#: Changes of a zone's offset are followed for this long; before, the last one holds.
_ZONE_YEARS = timedelta(days=366 * 15)


class Spans:
    """What a question says of time."""

    def __init__(self, query: Query) -> None:
        self.query = query

    @cached_property
    def days(self) -> ir.Table:
        """One row per finished day: date, period_start."""
        rows = [
            (day, period.start)
            for period in self.query.periods
            for day in self.query.complete(period) or ()
        ]
        return _memtable(rows, ("date", "period_start"))

    @cached_property
    def ends(self) -> ir.Table:
        """One row per period: period_start, last (its last finished day), days.

        `low` and `high` are its first instant and the first one after it (UTC).
        """
        tz = self.query.settings.tz
        rows = [
            (
                period.start,
                done.end - DAY,
                done.days,
                day_start(done.start, tz),
                day_start(done.end, tz),
            )
            for period in self.query.periods
            if (done := self.query.complete(period))
        ]
        return _memtable(rows, ("period_start", "last", "days", "low", "high"))

    def trailing(self, days: int, *, skip: int = 0) -> ir.Table:
        """One row per day of each period's trailing window: date, period_start.

        The window ends with the period, or `skip` days before that.
        """
        rows = [
            (day - DAY * skip, period.start)
            for period in self.query.periods
            if (done := self.query.complete(period))
            for day in done.trailing(days)
        ]
        return _memtable(rows, ("date", "period_start"))

    def within_trailing(self, table: ir.Table, days: int) -> ir.Table:
        """Rows of a dated table that some period's trailing window can hold."""
        done = [d for p in self.query.periods if (d := self.query.complete(p))]
        if not done:
            return table.filter(ibis.literal(value=False))
        low = min(p.end for p in done) - DAY * days
        high = max(p.end for p in done)
        return table.filter((table.date >= low) & (table.date < high))

    def month_ends(self) -> pl.DataFrame:
        """One row per period: period_start, due (last day of its last month)."""
        rows = [
            (
                period.start,
                # The month's end is still to come in the current month.
                min(month_end(done.end - DAY), self.query.today - DAY),
            )
            for period in self.query.periods
            if (done := self.query.complete(period))
        ]
        return _frame(rows, ("period_start", "due"))

    def in_periods(self, table: ir.Table, days: ir.Table | None = None) -> ir.Table:
        """Rows of a dated table with the period they fall in."""
        calendar = self.days if days is None else days
        # Plain bounds let the engine skip files and row groups; a join cannot.
        longest = 366 if calendar is not self.days else 0
        spans = [d for p in self.query.periods if (d := self.query.complete(p))]
        if not spans:
            return table.filter(ibis.literal(value=False)).join(calendar, "date")
        low = min(span.start for span in spans) - DAY * longest
        high = max(span.end for span in spans)
        bounded = table.filter((table.date >= low) & (table.date < high))
        return bounded.join(calendar, "date")

    def local_date(self, instant: ir.TimestampColumn) -> ir.DateColumn:
        """The local day of an instant, by the zone's offsets (see core.windows)."""
        now = self.query.now
        known = offsets(
            self.query.settings.tz, _FIRST, datetime(now.year + 1, 1, 1, tzinfo=UTC)
        )
        changes = [c for c in known if c.since <= now]
        recent = [c for c in changes if c.since > now - _ZONE_YEARS]
        before = changes[len(changes) - len(recent) - 1] if recent else changes[-1]
        shifted = [
            (
                instant >= ibis.literal(c.since),
                instant + ibis.interval(seconds=c.seconds),
            )
            for c in reversed(recent)
        ]
        base = instant + ibis.interval(seconds=before.seconds)
        return (ibis.cases(*shifted, else_=base) if shifted else base).cast("date")


def _memtable(rows: Sequence[tuple[object, ...]], names: tuple[str, ...]) -> ir.Table:
    return ibis.memtable(_frame(rows, names).to_arrow())


def _frame(rows: Sequence[tuple[object, ...]], names: tuple[str, ...]) -> pl.DataFrame:
    types: dict[str, pl.DataType | type[pl.DataType]] = {
        "date": pl.Date,
        "period_start": pl.Date,
        "last": pl.Date,
        "days": pl.Int64,
        "due": pl.Date,
        "low": pl.Datetime("us", "UTC"),
        "high": pl.Datetime("us", "UTC"),
    }
    return pl.DataFrame(rows, schema={n: types[n] for n in names}, orient="row")
