"""How many contracts were renewed: P01 of the reference."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.money import SCALE
from perennial.metrics.inputs import Inputs
from perennial.metrics.movements import period_spans
from perennial.metrics.query import Query
from perennial.metrics.rates import converted, rates_at
from perennial.metrics.registry import metric

#: A term of at most so many days is a monthly contract.
_MONTH_DAYS = 31
#: What tells one contract of a period from the others.
_CONTRACT = ("period_start", "account_id", "term_start")


@metric(
    title="Renewal rate",
    theme="retention",
    unit="ratio",
    formula="renewed contracts / (renewed + cancelled contracts), of those whose term ended in the period",
    example="7 contracts renewed, 2 canceled, 1 pending: 7 / (7 + 2) = 0.778",
    source="P01",
    reads=("contracts", "mrr_ledger"),
    window_days=90,
    variants={
        "count": "by the number of contracts",
        "value": "by annual value, a renewal for more counting as one for the same",
        "monthly": "by number, contracts of a month, for whom every month is a decision",
        "monthly_value": "by annual value, contracts of a month",
    },
    caveats=(
        "Contracts of at most 31 days are a variant of their own. What is still "
        "pending 30 days after the term is decided by what happened: a following "
        "contract or further payment renews it, an end of payment cancels it; where "
        "neither is known, it is left out. A renewal ahead of time counts at the end "
        "of the old term."
    ),
)
def renewal_rate(t: Inputs, q: Query) -> ir.Table:
    """Share of the contracts whose term ended in the period that were renewed;
    pending ones are left out."""
    found = decided(t, q)
    won = found.is_renewed
    if not q.variant.endswith("value"):
        return found.group_by(q.keys).agg(
            numerator=won.cast("int64").sum(),
            denominator=found.count(),
            n=found.count(),
        )
    valued = _valued(t, q, found)
    kept = ibis.cases((valued.is_renewed, ibis.least(valued.new, valued.old)), else_=0)
    return valued.group_by(q.keys).agg(
        numerator=kept.sum().cast("float64") / SCALE,
        denominator=valued.old.sum().cast("float64") / SCALE,
        n=valued.count(),
        insufficient=(valued.old.isnull() | kept.isnull()).cast("int64").sum(),
    )


def decided(t: Inputs, q: Query) -> ir.Table:
    """One row per contract whose term ended in a period and that was renewed or not:
    the contract, `is_renewed`, and its successor's `new_acv` and `new_currency`."""
    every = t.facts("contracts", at="term_end")
    longest = ibis.interval(days=_MONTH_DAYS)
    is_monthly = every.term_end <= (every.term_start + longest).cast("date")
    wanted = is_monthly if q.variant.startswith("monthly") else ~is_monthly
    ended = t.in_periods(every.filter(wanted & (every.term_end > every.term_start)))
    grace = ibis.interval(days=q.settings.renewal_grace_days)
    columns = [*q.keys, *_CONTRACT, "term_end", "acv", "currency", "outcome"]
    ended = ended.select(
        *dict.fromkeys(columns), until=(ended.term_end + grace).cast("date")
    )
    followed = _with_successor(ended, every)
    seen = _with_payment(followed, t)
    is_over = seen.until < ibis.literal(q.horizon)
    is_renewed = ibis.cases(
        (seen.starts.notnull() & (seen.starts >= seen.term_end), True),
        (seen.outcome == "renewed", True),
        (seen.outcome == "cancelled", False),
        (seen.starts.notnull(), True),
        (is_over & seen.pays, True),
        (is_over & seen.known & ~seen.rests, False),
        else_=ibis.null("boolean"),
    )
    found = seen.mutate(is_renewed=is_renewed)
    return found.filter(found.is_renewed.notnull())


def _with_successor(ended: ir.Table, every: ir.Table) -> ir.Table:
    """The account's next contract that goes on beyond this one, or nulls."""
    later = every.select(
        "account_id",
        starts="term_start",
        ends="term_end",
        new_acv="acv",
        new_currency="currency",
    )
    pairs = ended.join(later, "account_id")
    pairs = pairs.filter(
        (pairs.starts > pairs.term_start)
        & (pairs.starts <= pairs.until)
        & (pairs.ends > pairs.term_end)
    )
    first = ibis.window(group_by=list(_CONTRACT), order_by="starts")
    ranked = pairs.mutate(nth=ibis.row_number().over(first))
    next_ = ranked.filter(ranked.nth == 0).select(
        *_CONTRACT, "starts", "new_acv", "new_currency"
    )
    return ended.left_join(next_, list(_CONTRACT), rname="{name}_s")


def _with_payment(ended: ir.Table, t: Inputs) -> ir.Table:
    """Whether the account still paid or rested after the term, and is known to pay."""
    runs = t.mrr_ledger.select(
        "account_id", "date_from", "date_to", "mrr_e4", "is_paused"
    )
    pairs = ended.select(*_CONTRACT, "term_end", "until").join(runs, "account_id")
    pairs = pairs.filter(pairs.date_from <= pairs.until)
    after = pairs.date_to.isnull() | (pairs.date_to > pairs.term_end)
    seen = pairs.group_by(list(_CONTRACT)).agg(
        pays=(after & (pairs.mrr_e4 > 0)).any(),
        rests=(after & pairs.is_paused).any(),
        known=(pairs.mrr_e4 > 0).any(),
    )
    joined = ended.left_join(seen, list(_CONTRACT), rname="{name}_p")
    flags = {name: joined[name].fill_null(False) for name in ("pays", "rests", "known")}
    return joined.mutate(**flags)


def _valued(t: Inputs, q: Query, decided: ir.Table) -> ir.Table:
    """Decided contracts with a value: `old` and `new`, at the rate of the start."""
    found = rates_at(t, q, (span.before for span in period_spans(q)))
    after = pl.col("day").dt.offset_by("1d").alias("period_start")
    rates = ibis.memtable(found.with_columns(after).to_arrow())
    home = q.settings.currency
    old_money = _code(decided.currency).fill_null(home)
    rows = decided.mutate(
        old_currency=old_money,
        new_currency=_code(decided.new_currency).fill_null(old_money),
        new_acv=decided.new_acv.fill_null(decided.acv),
    )
    rows = rows.filter(rows.acv > 0)
    for side in ("old", "new"):
        code = f"{side}_currency"
        named = rates.select(
            "period_start", **{code: "currency", f"{side}_rate": "rate"}
        )
        rows = rows.left_join(named, ["period_start", code], rname=f"{{name}}_{side}")
    return rows.mutate(
        old=converted(q, _units(rows.acv), rows.old_currency, rows.old_rate),
        new=converted(q, _units(rows.new_acv), rows.new_currency, rows.new_rate),
    )


def _code(currency: ir.StringColumn) -> ir.StringColumn:
    return currency.upper().nullif("")


def _units(money: ir.DecimalColumn) -> ir.IntegerColumn:
    return (money * SCALE).cast("int64")
