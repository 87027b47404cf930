"""Numbers made of others: their parts counted in one query, put together after it.

A part is rows of `period_start, <groups>, part, month, amount, count, lacks, at`.
What the whole workspace has in common (costs, margin) is counted once, without
groups, and named `all_…`. Amounts of money are in 1/10,000 of the workspace
currency; `lacks` counts those without an exchange rate. Fewer parts make a faster
answer: to put a query into words takes longer than to run it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.money import SCALE
from perennial.core.windows import DAY, add_months, month_end
from perennial.metrics.dimensions import NOTHING
from perennial.metrics.inputs import Inputs
from perennial.metrics.movements import (
    Span,
    account_movements,
    period_spans,
)
from perennial.metrics.query import Query
from perennial.metrics.rates import rates_at
from perennial.metrics.stretches import Piece, apart, days_within, paid, piece_table

_PER = ["month", "currency"]
_COLUMNS = ("part", "month", "amount", "count", "lacks", "at")
#: Movements of accounts that pay at both ends of a span, at its start, at its end.
STAYS = ("", "expansion", "contraction")
HAD = (*STAYS, "churn", "pause")
HAS = (*STAYS, "new", "reactivation", "resume")


def part(
    q: Query,
    name: str | ir.StringValue,
    rows: ir.Table,
    *,
    amount: ir.NumericValue,
    count: ir.NumericValue | int = 0,
    lacks: ir.NumericValue | int = 0,
    at: ir.NumericValue | int = 0,
) -> ir.Table:
    """Rows as a part; by month and group where the rows are."""
    month = rows.month if "month" in rows.columns else ibis.null("date")
    return rows.select(
        "period_start",
        *(by for by in q.by if by in rows.columns),
        part=ibis.literal(name) if isinstance(name, str) else name,
        month=month,
        amount=amount.cast("float64"),
        count=_whole_number(count),
        lacks=_whole_number(lacks),
        at=_whole_number(at),
    )


def together(q: Query, parts: Sequence[ir.Table]) -> ir.Table:
    """All parts as one table, for one query."""
    same = [
        rows.mutate(
            **{by: ibis.literal(NOTHING) for by in q.by if by not in rows.columns}
        ).select("period_start", *q.by, *_COLUMNS)
        for rows in parts
    ]
    return ibis.union(*same)


def _whole_number(value: ir.NumericValue | int) -> ir.IntegerValue:
    given = ibis.literal(value) if isinstance(value, int) else value
    return given.cast("int64")


def priced(t: Inputs, q: Query, rows: ir.Table, pieces: Sequence[Piece]) -> ir.Table:
    """Rows with `rate`: of their currency to the workspace's, at their month's end."""
    rates = rates_at(t, q, (piece.month for piece in pieces))
    found = rows.left_join(
        ibis.memtable(rates.rename({"day": "month"}).to_arrow()), _PER, rname="{name}_r"
    )
    home = found.currency == q.settings.currency
    return found.mutate(rate=ibis.cases((home, 1.0), else_=found.rate))


def recurring(t: Inputs, q: Query, pieces: Sequence[Piece], name: str) -> ir.Table:
    """Recurring revenue as it was earned: every day a month's part of the MRR."""
    days = days_within(paid(t, q), piece_table(pieces))
    rows = days.group_by(list(dict.fromkeys([*q.keys, *_PER, "length"]))).agg(
        mrr_days=(days.mrr_e4 * days.days).sum()
    )
    rows = priced(t, q, rows, pieces)
    amount = rows.mrr_days.cast("float64") * rows.rate / rows.length
    return part(q, name, rows, amount=amount, lacks=rows.rate.isnull())


def payments(
    t: Inputs, q: Query, pieces: Sequence[Piece], kinds: Iterable[str], name: str
) -> ir.Table:
    """Payments received in the period, without tax; what was given back is negative."""
    rows = t.facts("payments", at="paid_at")
    rows = rows.filter(rows.kind.isin(list(kinds))).cross_join(piece_table(pieces))
    rows = rows.filter((rows.date >= rows.low) & (rows.date < rows.high))
    net = units(rows.amount) - units(rows.tax).fill_null(0)
    rows = rows.mutate(
        net=ibis.cases((rows.kind == "refund", -net), else_=net),
        currency=_code(q, rows.currency),
    )
    found = rows.group_by(list(dict.fromkeys([*q.keys, *_PER]))).agg(net=rows.net.sum())
    found = priced(t, q, found, pieces)
    amount = found.net.cast("float64") * found.rate
    return part(q, name, found, amount=amount, lacks=found.rate.isnull())


def costs(t: Inputs, q: Query, pieces: Sequence[Piece]) -> ir.Table:
    """Costs of whole months, spread evenly over their days: a part a category."""
    rows = t.costs.select("category", "amount", "currency", day="month")
    rows = rows.cross_join(piece_table(pieces))
    rows = rows.filter((rows.day >= rows.month) & (rows.day < rows.after))
    rows = rows.mutate(units=units(rows.amount), currency=_code(q, rows.currency))
    keys = ["period_start", "category", *_PER, "share"]
    rows = priced(t, q, rows.group_by(keys).agg(units=rows.units.sum()), pieces)
    amount = rows.units.cast("float64") * rows.rate * rows.share
    return part(q, rows.category, rows, amount=amount, lacks=rows.rate.isnull())


def _code(q: Query, currency: ir.StringColumn) -> ir.StringColumn:
    return currency.upper().nullif("").fill_null(q.settings.currency)


def customer_days(t: Inputs, q: Query, pieces: Sequence[Piece], name: str) -> ir.Table:
    """Days of all customers together; `count`: customers with any."""
    stretches = apart(paid(t, q), [*q.by, "account_id"])
    days = days_within(stretches, piece_table(pieces))
    rows = days.group_by([*q.keys, "month"]).agg(
        days=days.days.sum(), customers=days.account_id.nunique()
    )
    return part(q, name, rows, amount=rows.days, count=rows.customers)


def churn_months(q: Query) -> dict[date, list[Span]]:
    """The full months up to each period's end that a lifetime is taken from."""
    found = {}
    for period in q.periods:
        if done := q.complete(period):
            last = done.end.replace(day=1)
            back = range(1, q.settings.clv_churn_months + 1)
            months = [add_months(last, -n) for n in back]
            found[period.start] = [Span(m, m - DAY, month_end(m)) for m in months]
    return found


def moves(
    t: Inputs,
    q: Query,
    spans: Iterable[Span],
    prefix: str = "",
    *,
    of: ir.Table | None = None,
) -> ir.Table:
    """Accounts (`count`) and their closing MRR: a part a movement.

    `month` is the day before the span, `period_start` its last day. `of` are the only
    accounts that count.
    """
    distinct = sorted({(span.before, span.last) for span in spans})
    ends = account_movements(
        t, q, [Span(last, first, last) for first, last in distinct]
    )
    if of is not None:
        ends = ends.semi_join(of, "account_id")
    found = ends.group_by([*q.keys, "before", "movement"]).agg(
        closing=ends.closing.sum(), accounts=ends.count(), lacks=ends.lacks1.sum()
    )
    found = found.mutate(month=found.before, part=ibis.literal(prefix) + found.movement)
    return part(
        q,
        found.part,
        found,
        amount=found.closing,
        count=found.accounts,
        lacks=found.lacks,
    )


def units(money: ir.DecimalColumn) -> ir.IntegerColumn:
    """Money as whole 1/10,000."""
    return (money * SCALE).cast("int64")


def of_all(
    t: Inputs, q: Query, made: Callable[[Inputs, Query], ir.Table]
) -> list[ir.Table]:
    """A part of the whole workspace, where the groups do not add up to that."""
    return [] if _covers_all(q) else [made(t.whole, t.whole.query)]


def _covers_all(q: Query) -> bool:
    """Is every account in one group? One that pays in two currencies is in two."""
    return not q.where and "currency" not in q.by


@dataclass
class Parts:
    """What the engine counted, part by part."""

    q: Query
    raw: pl.DataFrame

    def rows(self, *names: str) -> pl.DataFrame:
        """Rows of these parts, in an order that does not depend on the engine.

        Where the groups cover the whole workspace, they stand for it.
        """
        if _covers_all(self.q):
            names = (*names, *(n.removeprefix("all_") for n in names))
        found = self.raw.filter(pl.col("part").is_in(names))
        return found.sort([*self.q.keys, "month", "at", "amount"])

    def sums(
        self, name: str, *names: str, keys: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Parts added up by period and group, or by `keys`, called after the first:
        `name`, `name_n`, `name_lacks`."""
        return _added(self.rows(name, *names), keys or self.q.keys, name)

    def moved(
        self, name: str, movements: Iterable[str], prefix: str = ""
    ) -> pl.DataFrame:
        """Accounts with one of these movements within each period: `name` (closing
        MRR), `name_n`, `name_lacks`."""
        spans = {span.key: [span] for span in period_spans(self.q)}
        keys = ["period_start"] if prefix else self.q.keys
        return _added(self._of_spans(spans, movements, prefix), keys, name)

    def stock(self) -> pl.DataFrame:
        """MRR and customers at the end of each period: `mrr`, `mrr_n`, `mrr_lacks`."""
        return self.moved("mrr", HAS)

    def churn(self) -> pl.DataFrame:
        """Mean customer churn of the months before each period's end, as `churn`, and
        `months`, how many of them began with customers."""
        spans = churn_months(self.q)
        keys = [*self.q.keys, "month"]
        start = _added(self._of_spans(spans, HAD, ""), keys, "start")
        gone = _added(self._of_spans(spans, ("churn",), ""), keys, "gone")
        rates = start.join(gone, on=keys, how="left").sort(keys)
        rates = rates.with_columns(
            rate=pl.col("gone_n").fill_null(0) / pl.col("start_n")
        )
        return rates.group_by(self.q.keys, maintain_order=True).agg(
            churn=pl.col("rate").sum() / pl.len(), months=pl.len()
        )

    def _of_spans(
        self,
        spans: Mapping[date, Sequence[Span]],
        movements: Iterable[str],
        prefix: str,
    ) -> pl.DataFrame:
        """The rows of these spans, under the period each span belongs to."""
        known = [(key, s.before, s.last) for key, many in spans.items() for s in many]
        schema = dict.fromkeys(("period", "month", "period_start"), pl.Date)
        of = pl.DataFrame(known, schema=schema, orient="row")
        rows = self.rows(*(f"{prefix}{movement}" for movement in movements))
        found = rows.join(of, on=["period_start", "month"])
        return found.with_columns(period_start="period").drop("period")


def _added(rows: pl.DataFrame, keys: Sequence[str], name: str) -> pl.DataFrame:
    grouped = rows.group_by(list(keys), maintain_order=True)
    return grouped.agg(
        pl.col("amount").sum().alias(name),
        pl.col("count").sum().alias(f"{name}_n"),
        pl.col("lacks").sum().alias(f"{name}_lacks"),
    )
