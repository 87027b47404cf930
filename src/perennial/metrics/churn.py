"""What is left of the customers and the revenue of a period's start: R05 to R08.

Everybody who pays at the start is looked at again at the end, at the exchange rate
of the start; new and returned customers are on neither side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.money import SCALE
from perennial.core.windows import Period, add_months, months_between
from perennial.metrics.inputs import Inputs
from perennial.metrics.movements import account_ends, asked_spans
from perennial.metrics.query import Query
from perennial.metrics.registry import ACCOUNT_DIMENSIONS, metric

_LEDGER = ("mrr_ledger",)
_DAYS_A_YEAR = 365
_SPANS: Mapping[str, str] = {
    "period": "over the period itself",
    "trailing_12m": "over the 12 months up to the period's end",
}
_CONSTANT = "Both sides at the exchange rates the period began with."


def _opening_accounts(t: Inputs, q: Query) -> ir.Table:
    """Of the accounts, those that pay at the start."""
    ends = account_ends(t, q, asked_spans(q))
    return ends.filter(ends.had)


def _revenue(t: Inputs, q: Query) -> ir.Table:
    """One row per period and group: opening, left (of it), least (without growth)."""
    a = _opening_accounts(t, q)
    return a.group_by(q.keys).agg(
        opening=a.opening.sum(),
        left=a.kept.sum(),
        least=ibis.least(a.kept, a.opening).sum(),
        n=a.count(),
        insufficient=a.lacks0.sum(),
    )


def _share(q: Query, revenue: ir.Table, part: ir.IntegerColumn) -> ir.Table:
    return revenue.select(
        *q.keys,
        "n",
        "insufficient",
        numerator=part,
        denominator=revenue.opening,
    )


@metric(
    title="Gross MRR churn",
    theme="retention",
    unit="ratio",
    formula="(churn + contraction + pause) / opening MRR",
    example="of 1000 at the start 300 left and 50 was cut, 50 was added: (300 + 50) / 1000 = 0.35",
    source="R06",
    reads=_LEDGER,
    good="down",
    scale=SCALE,
    denominator_scale=SCALE,
    window_days=30,
    variants=_SPANS,
    caveats=_CONSTANT,
)
def gross_mrr_churn(t: Inputs, q: Query) -> ir.Table:
    """Share of the opening recurring revenue that was lost, whatever was gained."""
    revenue = _revenue(t, q)
    return _share(q, revenue, revenue.opening - revenue.least)


@metric(
    title="Net MRR churn",
    theme="retention",
    unit="ratio",
    formula="(churn + contraction + pause − expansion) / opening MRR",
    example="of 1000 at the start 300 left and 50 was cut, 50 was added: (300 + 50 - 50) / 1000 = 0.3",
    source="R06",
    reads=_LEDGER,
    good="down",
    scale=SCALE,
    denominator_scale=SCALE,
    window_days=30,
    variants=_SPANS,
    caveats=f"Customers who came back are not counted against it. {_CONSTANT}",
)
def net_mrr_churn(t: Inputs, q: Query) -> ir.Table:
    """Share of the opening recurring revenue that was lost, less what the same
    customers added; below zero where they grew more than was lost."""
    revenue = _revenue(t, q)
    return _share(q, revenue, revenue.opening - revenue.left)


@metric(
    title="Gross revenue retention",
    theme="retention",
    unit="ratio",
    formula="what the opening customers still pay, at most what they paid then / opening MRR",
    example="customers who paid 100, 200, 300 and 400 pay 100, 150, 0 and 450: (100 + 150 + 0 + 400) / 1000 = 0.65",
    source="R07",
    reads=_LEDGER,
    scale=SCALE,
    denominator_scale=SCALE,
    window_days=30,
    variants=_SPANS,
    caveats=_CONSTANT,
)
def gross_revenue_retention(t: Inputs, q: Query) -> ir.Table:
    """Share of the opening recurring revenue that was kept, growth left out: at
    most 100 %."""
    revenue = _revenue(t, q)
    return _share(q, revenue, revenue.least)


@metric(
    title="Net revenue retention",
    theme="retention",
    unit="ratio",
    formula="MRR of the opening customers at the end / opening MRR",
    example="customers who paid 100, 200, 300 and 400 pay 100, 150, 0 and 450: (100 + 150 + 0 + 450) / 1000 = 0.7",
    source="R08",
    reads=_LEDGER,
    scale=SCALE,
    denominator_scale=SCALE,
    window_days=30,
    variants=_SPANS,
    caveats=f"New customers and those who came back are not in it. {_CONSTANT}",
)
def net_revenue_retention(t: Inputs, q: Query) -> ir.Table:
    """What the customers of the start pay at the end, growth included, as a share of
    what they paid then."""
    revenue = _revenue(t, q)
    return _share(q, revenue, revenue.left)


_LOGOS: Mapping[str, str] = {
    **_SPANS,
    "churn_eligible": "only customers whose contract term ended in the period",
    "annualized": "as a rate a year: 1 − (1 − churn) to the power of 12 / months",
}


def _asked_accounts(t: Inputs, q: Query) -> ir.Table:
    """Customers of the start, or those of them the variant is about."""
    a = _opening_accounts(t, q)
    if q.variant != "churn_eligible":
        return a
    contracts = t.in_periods(t.facts("contracts", at="term_end"))
    due = contracts.select("period_start", "account_id").distinct()
    return a.semi_join(due, ["period_start", "account_id"])


def _customers(t: Inputs, q: Query) -> ir.Table:
    """One row per period and group: `start`, `churned`, `failed` (by a payment)."""
    a = _asked_accounts(t, q)
    left = ~a.has & ~a.rests
    return a.group_by(q.keys).agg(
        start=a.count(), churned=left.sum(), failed=(left & a.failed).sum()
    )


#: Why customers left (S2): a payment failed; a contract ran out that was not renewed;
#: the account was closed; or they ended the subscription without any of these.
CAUSES = ("failed_payment", "lost_contract", "closed_account", "canceled_subscription")
_CLOSED = ("closed", "account closed")


def _by_cause(t: Inputs, q: Query) -> ir.Table:
    """One row per period, group and cause, of all customers of the start."""
    keys = [key for key in q.keys if key != "cause"]
    a = _with_cause(t, q, _asked_accounts(t, replace(q, by=tuple(keys[1:]))))
    start = a.group_by(keys).agg(start=a.count())
    gone = a.filter(a.cause.notnull())
    gone = gone.group_by([*keys, "cause"]).agg(churned=gone.count())
    every = start.cross_join(ibis.memtable({"cause": list(CAUSES)}))
    rows = every.left_join(gone, [*keys, "cause"], rname="{name}_g")
    return rows.select(
        *q.keys,
        numerator=rows.churned.fill_null(0),
        denominator=rows.start,
        n=rows.start,
    )


def _with_cause(t: Inputs, q: Query, accounts: ir.Table) -> ir.Table:
    """Accounts with the `cause` for which they left; null where they did not."""
    closed = t.accounts.lifecycle_stage.strip().lower().isin(_CLOSED)
    closed = t.accounts.filter(closed.fill_null(False)).select(closed="account_id")
    lost = t.rows("contracts").filter(t.everything("contracts").outcome == "cancelled")
    lost = lost.select(lost="account_id", ended="term_end")
    grace = ibis.interval(days=q.settings.renewal_grace_days)
    a = accounts.left_join(closed, accounts.account_id == closed.closed)
    pairs = accounts.join(
        lost,
        [
            accounts.account_id == lost.lost,
            lost.ended > (accounts.before - grace).cast("date"),
            lost.ended <= (accounts["last"] + ibis.interval(days=1)).cast("date"),
        ],
    )
    ended = pairs.select("period_start", lost="account_id").distinct()
    a = a.left_join(
        ended, [a.period_start == ended.period_start, a.account_id == ended.lost]
    )
    failed, contract, account, subscription = CAUSES
    why = ibis.cases(
        (a.failed, failed),
        (a.lost.notnull(), contract),
        (a.closed.notnull(), account),
        else_=subscription,
    )
    return a.mutate(cause=ibis.cases((~a.has & ~a.rests, why)))


def _annualized(q: Query, raw: pl.DataFrame) -> pl.DataFrame:
    """The rate of a period as that of a year, where the variant says so."""
    if q.variant != "annualized":
        return raw
    times = pl.DataFrame(
        {
            "period_start": [p.start for p in q.periods],
            "times": [_in_a_year(p) for p in q.periods],
        },
        schema={"period_start": pl.Date, "times": pl.Float64},
    )
    part = pl.col("numerator") / pl.col("denominator")
    value = 1 - (1 - part) ** pl.col("times")
    if q.metric.key == "customer_retention_rate":
        value = part ** pl.col("times")
    return raw.join(times, on="period_start").with_columns(value=value).drop("times")


def _in_a_year(period: Period) -> float:
    """How often such a period fits into a year: 12 for a month, 4 for a quarter."""
    months = months_between(period.start, period.end)
    if months and add_months(period.start, months) == period.end:
        return 12 / months
    return _DAYS_A_YEAR / period.days


@metric(
    title="Customer churn rate",
    theme="retention",
    unit="ratio",
    formula="customers of the start who neither pay nor pause at the end / customers of the start",
    example="100 customers at the start, 11 cancel, one of whom joined since: (11 - 1) / 100 = 0.1",
    source="R05",
    reads=(*_LEDGER, "contracts"),
    dimensions=(*ACCOUNT_DIMENSIONS, "cause"),
    good="down",
    window_days=30,
    conclude=_annualized,
    variants={
        **_LOGOS,
        "voluntary": "only those who left of their own accord",
        "involuntary": "only those who left because a payment failed",
    },
    caveats=(
        "A pause is churn after 90 days, and only a period that began before it can "
        "tell. Those who join and leave within the period are not in it. Rates of "
        "months do not add up to one of a year: see the variants."
    ),
)
def customer_churn_rate(t: Inputs, q: Query) -> ir.Table:
    """Share of the customers of a period's start who had left at its end; split by
    cause, the shares of the causes add up to it."""
    if "cause" in q.by:
        return _by_cause(t, q)
    found = _customers(t, q)
    gone = {"involuntary": found.failed, "voluntary": found.churned - found.failed}
    return found.select(
        *q.keys,
        numerator=gone.get(q.variant, found.churned),
        denominator=found.start,
        n=found.start,
    )


@metric(
    title="Customer retention rate",
    theme="retention",
    unit="ratio",
    formula="1 − customer churn rate",
    example="100 customers at the start, 90 of them still pay: 90 / 100 = 0.9",
    source="R05",
    reads=(*_LEDGER, "contracts"),
    window_days=30,
    conclude=_annualized,
    variants=_LOGOS,
    caveats="Customers in a pause of up to 90 days are kept.",
)
def customer_retention_rate(t: Inputs, q: Query) -> ir.Table:
    """Share of the customers of a period's start who were still there at its end."""
    found = _customers(t, q)
    return found.select(
        *q.keys,
        numerator=found.start - found.churned,
        denominator=found.start,
        n=found.start,
    )
