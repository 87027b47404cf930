"""Whether use falls at a certain age of accounts: U13 of the reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from math import fsum

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.windows import DAY, Period, add_months, month_end
from perennial.metrics.activity import active_user_days
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import ACCOUNT_DIMENSIONS, metric

#: A month is compared with the mean of so many before it, and survivors are those
#: still there so many later.
_BEFORE = 3
_DAYS_OF_MONTH = 31


def changes(curve: Mapping[int, float | None]) -> dict[int, float | None]:
    """Change of each month against the mean of the three before, as a fraction.

    `curve` is use by month of tenure. Null where one of the four is not known, or
    the three are zero.
    """
    return {k: _change(now, _before(curve, k)) for k, now in curve.items()}


def dips(curve: Mapping[int, float | None], threshold: float) -> list[int]:
    """Months whose use fell by the threshold, a negative fraction, or more."""
    found = changes(curve).items()
    return [k for k, change in found if change is not None and change <= threshold]


def _before(curve: Mapping[int, float | None], k: int) -> float | None:
    known = [
        y for back in range(1, _BEFORE + 1) if (y := curve.get(k - back)) is not None
    ]
    return fsum(known) / _BEFORE if len(known) == _BEFORE else None


def _change(now: float | None, before: float | None) -> float | None:
    return now / before - 1 if now is not None and before else None


def _concluded(query: Query, raw: pl.DataFrame) -> pl.DataFrame:
    """One row per period, group and month of tenure, from rows by account."""
    least = query.count("min_accounts", query.settings.dip_min_accounts)
    if query.variant == "survivors":
        later = raw.select("account_id", k=pl.col("k") - _BEFORE).unique()
        raw = raw.join(later, on=["account_id", "k"], how="semi")
    raw = raw.drop_nulls("period_start")
    shares = raw.with_columns(share=pl.col("users") / pl.col("seats"))
    by_month = shares.group_by([*query.keys, "k"]).agg("share").sort(*query.keys, "k")
    rows = []
    for key, months in by_month.group_by(query.keys, maintain_order=True):
        counts = {
            k: len(values) for k, values in months.select("k", "share").iter_rows()
        }
        curve = {
            k: fsum(values) / len(values) if len(values) >= least else None
            for k, values in months.select("k", "share").iter_rows()
        }
        for k, change in changes(curve).items():
            rows.append(
                {
                    **dict(zip(query.keys, key, strict=True)),
                    "k": k,
                    "value": change,
                    "numerator": curve[k],
                    "denominator": _before(curve, k),
                    "n": counts[k],
                    "insufficient": int(change is None),
                }
            )
    whole, real = pl.Int64(), pl.Float64()
    keys = {key: raw.schema[key] for key in query.keys}
    own = {"value": real, "numerator": real, "denominator": real, "n": whole}
    return pl.DataFrame(rows, schema={**keys, "k": whole, **own, "insufficient": whole})


@metric(
    title="Usage dip",
    theme="usage",
    unit="ratio",
    formula="active users per seat in month k after onboarding / mean of the three months before − 1; each the mean of accounts",
    example="0.61, 0.60 and 0.61 active users per seat in months 3 to 5, 0.42 in month 6: 0.42 / ((0.61 + 0.60 + 0.61) / 3) - 1 = -0.308",
    source="U13",
    reads=("user_days",),
    dimensions=ACCOUNT_DIMENSIONS,
    makes=("k",),
    fills=False,
    grains=("total", "quarter", "year"),
    window_days=730,
    conclude=_concluded,
    variants={
        "all": "all accounts that were there for the whole month",
        "survivors": "of those only accounts still there three months later",
    },
    params={
        "min_accounts": "accounts a month of tenure needs; else the setting `dip_min_accounts`"
    },
    caveats="A fall by a fifth or more is a dip: a reason to talk a month before. Months of tenure run from the end of onboarding and count where they end. The numerator is the month's use, the denominator that of the three before. Accounts without seats, or that stopped paying, are left out.",
)
def usage_dip(t: Inputs, q: Query) -> ir.Table:
    """How use changes with the age of accounts (column `k`, whole months since
    onboarding): where it falls, people tire of the product."""
    months = _months(q)
    accounts = t.onboarded()
    accounts = accounts.filter(accounts.onboarded.notnull()).select(
        "account_id",
        born=_month_of(accounts.onboarded),
        day=accounts.onboarded.day().cast("int64"),
    )
    rows = accounts.join(
        months, [accounts.day == months.on, accounts.born <= months.month]
    )
    rows = rows.mutate(k=rows.month - rows.born)
    rows = _there(t, rows)
    users = _users(t, q, accounts)
    found = rows.left_join(users, ["account_id", "month"], rname="{name}_u")
    found = found.mutate(users=found.users.fill_null(0))
    columns = dict.fromkeys([*q.keys, "account_id", "k", "seats", "users"])
    return t.split(found).select(*columns)


def _months(q: Query) -> ir.Table:
    """Months of tenure by the day of the month they begin on.

    One row per calendar month a tenure month begins in and such day: month (its
    number), on (the day), date (first day), last, and period_start, the period the
    last day falls in, null where it is in none of them.
    """
    schema = {
        "month": pl.Int64,
        "on": pl.Int64,
        "date": pl.Date,
        "last": pl.Date,
        "period_start": pl.Date,
    }
    frame = pl.DataFrame(list(_month_rows(q)), schema=schema, orient="row")
    return ibis.memtable(frame.to_arrow())


def _span(q: Query) -> tuple[date, date] | None:
    """The first day a month of tenure can begin on, and the first day after all.

    Survivors are told by months after the periods.
    """
    if q.span is None:
        return None
    first = add_months(q.span.start.replace(day=1), -1)
    return first, min(add_months(q.span.end, _BEFORE + 1), q.horizon)


def _month_rows(q: Query) -> Iterator[tuple[int, int, date, date, date | None]]:
    span = _span(q)
    if span is None:
        return
    first, end = span
    while first < end:
        for day in range(1, _DAYS_OF_MONTH + 1):
            begins, ends = _on(first, day), _on(add_months(first, 1), day)
            if ends <= end:
                yield _number(first), day, begins, ends - DAY, _period(q, ends - DAY)
        first = add_months(first, 1)


def _period(q: Query, day: date) -> date | None:
    """The first day of the period a day falls in."""
    for period in q.periods:
        done = q.complete(period)
        if done and done.start <= day < done.end:
            return period.start
    return None


def _number(day: date) -> int:
    """The number of a day's month."""
    return day.year * 12 + day.month - 1


def _on(month: date, day: int) -> date:
    """A day of a month given by its first, or the last day of a shorter one."""
    return add_months(month.replace(month=1, day=day), month.month - 1)


def _month_of(day: ir.DateValue) -> ir.IntegerValue:
    return day.year().cast("int64") * 12 + day.month().cast("int64") - 1


def _there(t: Inputs, rows: ir.Table) -> ir.Table:
    """Months at whose end the account had seats and, if it ever paid, still paid."""
    seats = t.whole.seat_ledger.filter(t.whole.seat_ledger.seats > 0)
    held = rows.join(seats, "account_id")
    held = _live(held)
    held = held.left_join(t.first_paid(), "account_id", rname="{name}_f")
    paying = t.whole.mrr_ledger.filter(t.whole.mrr_ledger.mrr_e4 > 0)
    paid = _live(rows.join(paying, "account_id"))
    paid = paid.select("account_id", "last", pays=1).distinct()
    held = held.left_join(paid, ["account_id", "last"], rname="{name}_p")
    is_there = held.paid.isnull() | (held.paid > held["last"]) | held.pays.notnull()
    return held.filter(is_there).select(*rows.columns, "seats")


def _live(runs: ir.Table) -> ir.Table:
    """Rows of a ledger that hold on the day `last`."""
    return runs.filter(
        (runs.date_from <= runs["last"])
        & (runs.date_to.isnull() | (runs.date_to > runs["last"]))
    )


def _users(t: Inputs, q: Query, accounts: ir.Table) -> ir.Table:
    """Active users by account and month of tenure: account_id, month, users."""
    days = active_user_days(t.whole)
    span = _span(q)
    if span is not None:
        days = days.filter((days.date >= span[0]) & (days.date < span[1]))
    days = days.join(accounts, "account_id").join(_calendar(span), "date")
    begins = ibis.least(days.day, days.length)
    days = days.mutate(month=days.number - (days.of_month < begins).cast("int64"))
    return days.group_by(["account_id", "month"]).agg(users=days.user_id.nunique())


def _calendar(span: tuple[date, date] | None) -> ir.Table:
    """One row a day: date, `number` of its month, `of_month`, `length` of the month."""
    days = Period(*span) if span else ()
    rows = [(d, _number(d), d.day, month_end(d).day) for d in days]
    schema = {
        "date": pl.Date,
        "number": pl.Int64,
        "of_month": pl.Int64,
        "length": pl.Int64,
    }
    return ibis.memtable(pl.DataFrame(rows, schema=schema, orient="row").to_arrow())
