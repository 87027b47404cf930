"""Accounts that had to decide, and whether they stayed: the unit of P02.

An account with contracts decides at the end of each term. One without decides at the
end of each term of its subscription, as long as its longest billing interval. Where
terms are months, every month is a decision, so only an account's last one counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.windows import DAY, add_months
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.renewals import decided
from perennial.metrics.stretches import alive, joined

#: Intervals that are no month, in months.
_MONTHS = {"quarter": 3, "half_year": 6, "year": 12}
#: A term of at most so many days is a month.
_MONTH_DAYS = 31
#: Terms are as long as each other that differ by no more than this share.
_ALIKE = 0.1
SCHEMA = {
    "account_id": pl.String,
    "term_start": pl.Date,
    "decided_on": pl.Date,
    "renewed": pl.Boolean,
    "term_days": pl.Int64,
}


def of_contracts(t: Inputs, q: Query) -> ir.Table:
    """One row per contract whose term ended within the periods and whose outcome is
    known (P01): account_id, term_start, decided_on (its end), renewed, term_days."""
    kinds = [decided(t, replace(q, variant=v)) for v in ("count", "monthly")]
    return ibis.union(
        *(
            kind.select(
                "account_id",
                "term_start",
                decided_on="term_end",
                renewed="is_renewed",
                term_days=kind.term_end.delta(kind.term_start, unit="day"),
            )
            for kind in kinds
        )
    )


def of_subscriptions(t: Inputs, q: Query) -> ir.Table:
    """One row per stretch as a customer of an account that never had a contract:
    account_id, since, until (first day after it), months (of a term)."""
    terms = _billed(t)
    stretches = joined(alive(t, q), ["account_id"])
    stretches = stretches.anti_join(t.rows("contracts"), "account_id")
    return stretches.left_join(terms, "account_id").select(
        "account_id", "since", "until", months=terms.months.fill_null(1)
    )


def monthly(t: Inputs) -> ir.Table:
    """One row per account that may leave every month: account_id. It was never billed
    for longer, and never had a contract for longer."""
    billed = _billed(t)
    contracts = t.rows("contracts")
    days = contracts.term_end.delta(contracts.term_start, unit="day")
    bound = contracts.filter(days > _MONTH_DAYS)
    return billed.filter(billed.months == 1).anti_join(bound, "account_id")


def _billed(t: Inputs) -> ir.Table:
    """One row per account with a subscription: months of its longest interval."""
    items = t.rows("subscription_items")
    long = ibis.cases(
        *((items.interval == name, months) for name, months in _MONTHS.items()),
        else_=1,
    )
    return items.group_by("account_id").agg(
        months=(long * items.interval_count.fill_null(1)).max()
    )


def terms(stretches: pl.DataFrame, *, horizon: date, grace_days: int) -> pl.DataFrame:
    """The terms of stretches that ended before `horizon`, as `of_contracts`.

    Stretches no further apart than the days of grace are one. An end within the days
    of grace before the horizon is not decided yet: `renewed` is null.
    """
    rows: list[tuple[str, date, date, bool | None, int]] = []
    for account, since, until, months in _whole(stretches, grace_days):
        for first, last in _ends(since, months, min(until, horizon)):
            rows.append((account, first, last, True, (last - first).days))
        if until < horizon:
            is_over = until + DAY * grace_days < horizon
            first, last = _last(since, months, until)
            said = False if is_over else None
            rows.append((account, first, until, said, (last - first).days))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _whole(
    stretches: pl.DataFrame, grace_days: int
) -> Iterator[tuple[str, date, date, int]]:
    open_: tuple[str, date, date, int] | None = None
    for account, since, until, months in stretches.sort(
        "account_id", "since"
    ).iter_rows():
        if open_ and open_[0] == account and since <= open_[2] + DAY * grace_days:
            open_ = (account, open_[1], max(open_[2], until), months)
            continue
        if open_:
            yield open_
        open_ = (account, since, until, months)
    if open_:
        yield open_


def _ends(since: date, months: int, until: date) -> Iterator[tuple[date, date]]:
    """First day of each whole term before `until`, and first day after it."""
    nth = 0
    while (last := add_months(since, (nth + 1) * months)) < until:
        yield add_months(since, nth * months), last
        nth += 1


def _last(since: date, months: int, until: date) -> tuple[date, date]:
    """The term in which a stretch ended: first day, and first day after it."""
    nth = len(list(_ends(since, months, until)))
    return add_months(since, nth * months), add_months(since, (nth + 1) * months)


def counted(decisions: pl.DataFrame) -> pl.DataFrame:
    """Terms that were decided, oldest first, with is_monthly (at most 31 days) and
    `counts`: of monthly terms only the last one of an account does.
    """
    marked = decisions.with_columns(is_monthly=pl.col("term_days") <= _MONTH_DAYS)
    last = pl.col("decided_on") == pl.col("decided_on").max().over("account_id")
    known = marked.with_columns(counts=~pl.col("is_monthly") | last)
    known = known.filter(pl.col("renewed").is_not_null())
    return known.unique(
        ["account_id", "decided_on"], keep="last", maintain_order=True
    ).sort("decided_on", "account_id")


def of_usual_terms(cases: pl.DataFrame) -> pl.Series:
    """Which decisions (segment, term_days) are about a term as long as most of their
    segment: a quarter is renewed more often than a year, whatever is used."""
    usual = pl.col("term_days").mode().max().over("segment")
    off = (pl.col("term_days") - usual).abs()
    return cases.select(off <= _ALIKE * usual).to_series()


def with_mrr(t: Inputs, rows: ir.Table, rates: ir.Table, home: str) -> ir.Table:
    """Decisions with `mrr_e4`: what the account paid on the day before, in 1/10,000
    of the workspace currency at the rates given (currency, rate); null without one."""
    ledger = t.everything("mrr_ledger").select(
        "account_id", "currency", "date_from", "date_to", "mrr_e4"
    )
    day = (rows.decided_on - ibis.interval(days=1)).cast("date")
    held = rows.mutate(day=day).join(ledger, "account_id")
    held = held.filter(
        (held.date_from <= held.day)
        & (held.date_to.isnull() | (held.date_to > held.day))
    )
    priced = held.left_join(rates, "currency", rname="{name}_r")
    own = priced.currency == home
    foreign = (priced.mrr_e4.cast("float64") * priced.rate).round().cast("int64")
    priced = priced.mutate(amount=ibis.cases((own, priced.mrr_e4), else_=foreign))
    money = priced.group_by(["account_id", "decided_on"]).agg(
        mrr_e4=priced.amount.sum()
    )
    found = rows.left_join(money, ["account_id", "decided_on"], rname="{name}_m")
    return found.drop("account_id_m", "decided_on_m")
