"""Recurring revenue: R01, R03 and R04 of the reference.

Money stays in integers of 1/10,000 until the last step, so that sums are exact
and the same on every engine.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from perennial.core.windows import DAY
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.rates import closing_rates, converted
from perennial.metrics.registry import metric

_LEDGER = ("mrr_ledger",)
_MONEY = 10_000


def priced_ledger(t: Inputs, q: Query, *, days_before: int = 0) -> ir.Table:
    """One row per period, account and currency that pays: `amount`, 1/10,000.

    What held at the period's last day, or so many days before it, in the workspace
    currency at the period's closing rate: the rate of its last month's end, or the
    last one before (G7). `amount` is null where that is over 7 days older.
    """
    at = t.mrr_ledger.cross_join(t.ends)
    day = (at["last"] - ibis.interval(days=days_before)).cast("date")
    live = (at.date_from <= day) & (at.date_to.isnull() | (at.date_to > day))
    at = at.filter(live & (at.mrr_e4 > 0))
    rates = ibis.memtable(closing_rates(t, t.month_ends()).to_arrow())
    priced = at.left_join(rates, ["period_start", "currency"], rname="{name}_r")
    return priced.mutate(
        amount=converted(q, priced.mrr_e4, priced.currency, priced.rate)
    )


def totals(t: Inputs, q: Query) -> ir.Table:
    """One row per period and group: `mrr`, `customers`, and rows without a rate."""
    priced = priced_ledger(t, q)
    return priced.group_by(q.keys).agg(
        mrr=priced.amount.sum(),
        customers=priced.account_id.nunique(),
        insufficient=priced.amount.isnull().cast("int64").sum(),
    )


@metric(
    title="Customers",
    theme="revenue",
    unit="count",
    formula="accounts with MRR above zero at the period's last instant",
    example="two accounts pay, one is on trial, one is paused: 1 + 1 + 0 + 0 = 2",
    source="G5",
    reads=_LEDGER,
    empty=0,
    window_days=1,
    stock=True,
)
def customers(t: Inputs, q: Query) -> ir.Table:
    """Accounts that pay: trials, free plans and full discounts are no customers."""
    total = totals(t, q)
    return total.select(
        *q.keys,
        numerator=total.customers,
        denominator=ibis.null("int64"),
        n=total.customers,
    )


@metric(
    title="Monthly recurring revenue",
    theme="revenue",
    unit="money",
    formula="what all active subscriptions pay, normalized to a month, at the period's last instant",
    example="1200 a year, 30 a week and 100 a month less 10: 1200 / 12 + 30 * 52 / 12 + 100 - 10 = 320",
    source="R01",
    reads=_LEDGER,
    empty=0,
    scale=_MONEY,
    window_days=1,
    stock=True,
)
def mrr(t: Inputs, q: Query) -> ir.Table:
    """Recurring revenue a month, in the workspace currency; no trials, taxes,
    one-time or usage amounts."""
    return _money(totals(t, q), q, factor=1)


@metric(
    title="Annual recurring revenue",
    theme="revenue",
    unit="money",
    formula="12 · MRR",
    example="320 a month: 12 * 320 = 3840",
    source="R03",
    reads=_LEDGER,
    empty=0,
    scale=_MONEY,
    window_days=1,
    stock=True,
    variants={
        "recurring": "what is paid for",
        "contracted": "with what is agreed and has not started yet",
    },
    caveats="What is contracted can only be told of now: facts do not say when something that starts later was signed.",
)
def arr(t: Inputs, q: Query) -> ir.Table:
    """Twelve times MRR at the period's last instant. What is contracted of an account
    is the most it has agreed to, from then on."""
    total = _agreed(t, q) if q.variant == "contracted" else totals(t, q)
    return _money(total, q, factor=12)


def _agreed(t: Inputs, q: Query) -> ir.Table:
    """`totals` of the most that each account has agreed to pay, now or later."""
    at = t.mrr_ledger.cross_join(t.ends)
    ahead = at.date_to.isnull() | (at.date_to > at["last"])
    at = at.filter(ahead & (at.mrr_e4 > 0))
    most = at.group_by([*dict.fromkeys([*q.keys, "account_id", "currency"]), "last"])
    most = most.agg(mrr_e4=at.mrr_e4.max())
    rates = ibis.memtable(closing_rates(t, t.month_ends()).to_arrow())
    priced = most.left_join(rates, ["period_start", "currency"], rname="{name}_r")
    amount = converted(q, priced.mrr_e4, priced.currency, priced.rate)
    priced = priced.mutate(amount=amount)
    now = q.today - DAY
    untold = (priced.amount.isnull() | (priced["last"] < now)).cast("int64")
    return priced.group_by(q.keys).agg(
        mrr=priced.amount.sum(),
        customers=priced.account_id.nunique(),
        insufficient=untold.sum(),
    )


@metric(
    title="Average revenue per account",
    theme="revenue",
    unit="money",
    formula="MRR / customers, both at the period's last instant",
    example="MRR of 12500 from 50 customers: 12500 / 50 = 250",
    source="R04",
    reads=_LEDGER,
    scale=_MONEY,
    window_days=1,
    stock=True,
)
def arpa(t: Inputs, q: Query) -> ir.Table:
    """MRR of an average customer; null without customers."""
    total = totals(t, q)
    return total.select(
        *q.keys,
        numerator=total.mrr,
        denominator=total.customers,
        n=total.customers,
        insufficient=total.insufficient,
    )


def _money(total: ir.Table, q: Query, *, factor: int) -> ir.Table:
    return total.select(
        *q.keys,
        numerator=total.mrr * factor,
        denominator=ibis.null("int64"),
        n=total.customers,
        insufficient=total.insufficient,
    )
