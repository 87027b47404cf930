"""What is left of the customers who began together, and of their revenue: K02."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import ibis
import ibis.expr.types as ir
import polars as pl
from ibis import _

from perennial.core.money import SCALE
from perennial.core.windows import DAY, Grain, floor, following, periods
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.rates import closing_rates, converted
from perennial.metrics.registry import metric

_LEDGER = ("mrr_ledger",)
_YEAR = 366
_GRAINS = ("total", "month", "quarter", "year")
_CAVEATS = (
    "A cohort is a month, or a quarter or year where that is the grain, and holds "
    "whoever first paid in it. It is followed by whole periods up to today, or to the "
    "day asked for. Those who leave within their first month are in it, and a pause "
    "counts as absence while it lasts."
)

#: Columns of `_steps`.
_STEPS = {
    "period_start": pl.Date,
    "cohort": pl.Date,
    "joined_from": pl.Date,
    "joined_to": pl.Date,
    "due": pl.Date,
    "k": pl.Int64,
    "last": pl.Date,
}


def _steps(q: Query) -> Iterator[tuple[date, date, date, date, date, int, date]]:
    """For each cohort of the periods asked for, the last day of each of its own
    periods `k` that is over by the horizon."""
    unit = q.grain if q.grain in (Grain.QUARTER, Grain.YEAR) else Grain.MONTH
    calendar = q.settings.calendar
    for period in q.periods:
        done = q.complete(period)
        if done is None:
            continue
        for part in periods(done.start, done.end, unit, calendar):
            cohort = floor(part.start, unit, calendar)
            due = following(cohort, unit) - DAY
            end, k = following(cohort, unit), 0
            while end <= q.horizon:
                yield period.start, cohort, part.start, part.end, due, k, end - DAY
                end, k = following(end, unit), k + 1


def _cells(t: Inputs, q: Query) -> ir.Table:
    """One row per cohort, account and `k`: its `mrr` at the end of that period.

    In 1/10,000 of the workspace currency at the closing rate of the cohort's own
    period, so that no change of rates is one of revenue; `lacks` counts amounts
    without a rate. Accounts that pay nothing then have a row, too.
    """
    frame = pl.DataFrame(list(_steps(q)), schema=_STEPS, orient="row")
    steps = ibis.memtable(frame.to_arrow())
    ledger = t.mrr_ledger.join(t.first_paid(), "account_id")
    began = ledger.filter((ledger.date_from == ledger.paid) & (ledger.mrr_e4 > 0))
    members = began.select(*q.by, "account_id", "paid").distinct()
    cells = members.join(
        steps, [members.paid >= steps.joined_from, members.paid < steps.joined_to]
    )
    keys = [*q.keys, "cohort", "account_id", "k"]
    paid = _paid(t, q, cells).group_by(keys)
    paid = paid.agg(mrr=_.amount.sum(), lacks=_.amount.isnull().sum())
    found = cells.select(keys).left_join(paid, keys, rname="{name}_p")
    return found.select(
        *keys,
        mrr=found.mrr.fill_null(0),
        pays=found.lacks.notnull(),
        lacks=found.lacks.fill_null(0),
    )


def _paid(t: Inputs, q: Query, cells: ir.Table) -> ir.Table:
    """Runs of the ledger that hold at the end of a cell's period, as `amount`.

    Customers stay in the group they began in: to change segment is not to leave (G6).
    """
    runs = t.meeting(t.whole.mrr_ledger, "currency").filter(ibis._.mrr_e4 > 0)
    runs = runs.select("account_id", "currency", "date_from", "date_to", "mrr_e4")
    held = cells.join(runs, ["account_id", *({*q.by} & {"currency"})])
    last = held["last"]
    live = (held.date_from <= last) & (held.date_to.isnull() | (held.date_to > last))
    dues = pl.DataFrame(list(_steps(q)), schema=_STEPS, orient="row")
    rates = closing_rates(t, dues.select("cohort", "due").unique())
    priced = held.filter(live).left_join(
        ibis.memtable(rates.to_arrow()), ["cohort", "currency"], rname="{name}_r"
    )
    amount = converted(q, priced.mrr_e4, priced.currency, priced.rate)
    return priced.mutate(amount=amount)


@metric(
    title="Logo cohort retention",
    theme="retention",
    unit="ratio",
    formula="customers of the cohort with MRR at the end of its period k / all customers of the cohort",
    example="of 3 customers who began in January two pay at the end of February: 2 / 3 = 0.667",
    source="K02",
    reads=_LEDGER,
    makes=("cohort", "k"),
    fills=False,
    grains=_GRAINS,
    window_days=_YEAR,
    caveats=_CAVEATS,
)
def logo_cohort_retention(t: Inputs, q: Query) -> ir.Table:
    """Share of the customers who began in the same month that pay at the end of each
    month since (column `k`, 0 for the first); those who came back count again."""
    cells = _cells(t, q)
    return cells.group_by([*q.keys, "cohort", "k"]).agg(
        numerator=cells.pays.sum(), denominator=cells.count(), n=cells.count()
    )


@metric(
    title="Revenue cohort retention",
    theme="retention",
    unit="ratio",
    formula="MRR of the cohort at the end of its period k / its MRR at the end of period 0",
    example="customers who began at 100, 200 and 100 pay 100, 0 and 80 a month later: (100 + 0 + 80) / 400 = 0.45",
    source="K02",
    reads=_LEDGER,
    makes=("cohort", "k"),
    fills=False,
    grains=_GRAINS,
    scale=SCALE,
    denominator_scale=SCALE,
    window_days=_YEAR,
    variants={
        "net": "with what they added and came back with",
        "gross": "each customer at most at the lowest MRR since the beginning",
    },
    caveats=f"{_CAVEATS} At the exchange rate of the end of the cohort's own period.",
)
def revenue_cohort_retention(t: Inputs, q: Query) -> ir.Table:
    """What the customers who began in the same month pay at the end of each month
    since (column `k`), as a share of what they paid at the end of the first."""
    cells = _cells(t, q)
    cohort = [*q.keys, "cohort"]
    first = cells.filter(cells.k == 0)
    opening = first.group_by(cohort).agg(
        opening=first.mrr.sum(), lacks0=first.lacks.sum()
    )
    if q.variant == "gross":
        so_far = ibis.cumulative_window(group_by=[*cohort, "account_id"], order_by="k")
        cells = cells.mutate(mrr=cells.mrr.min().over(so_far))
    found = cells.group_by([*cohort, "k"]).agg(
        numerator=cells.mrr.sum(), n=cells.count(), lacks=cells.lacks.sum()
    )
    rows = found.join(opening, cohort)
    return rows.select(
        *cohort,
        "k",
        "numerator",
        "n",
        denominator=rows.opening,
        insufficient=rows.lacks + rows.lacks0,
    )
