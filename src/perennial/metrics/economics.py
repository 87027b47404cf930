"""What a customer brings and costs: R04 and E04 to E07 of the reference.

Costs are known for the whole workspace only. A segment bears them by its share of
the customers (of the new ones, for what winning them costs), so that the parts add
up; the cost of one customer is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.money import SCALE
from perennial.metrics.inputs import Inputs
from perennial.metrics.lifetimes import (
    CAPPED,
    MARGIN_CAVEAT,
    MARGIN_READS,
    leaving_share,
    margin_parts,
    margins,
    value_spans,
    values,
)
from perennial.metrics.movements import Span, period_spans
from perennial.metrics.parts import (
    HAS,
    STAYS,
    Parts,
    costs,
    customer_days,
    moves,
    of_all,
    part,
    payments,
    recurring,
    together,
)
from perennial.metrics.query import Query
from perennial.metrics.registry import metric
from perennial.metrics.stretches import (
    MONTH_PARTS,
    Piece,
    alive,
    apart,
    days_within,
    joined,
    paid,
    piece_table,
    pieces,
    position,
)

#: What keeping customers costs: payroll, programs, services, training, marketing.
RETENTION = (
    "cs_payroll",
    "support_payroll",
    "adoption_programs",
    "professional_services",
    "training",
    "customer_marketing",
)
ACQUISITION = ("sales", "marketing")
#: A life shorter than this is a short one.
_SHORT_MONTHS = 2
_SEGMENTS = ("any account attribute",)
_COSTS_CAVEAT = (
    "Insufficient where a month with customers has no costs of these categories; a "
    "part of a month bears its share of them. Split by an attribute, the costs go by "
    "the number of customers."
)


# Revenue per user


def _lengths(q: Query) -> pl.DataFrame:
    """One row per period: `days` that are over, and how many `months_long` they are."""
    rows = [
        (period.start, done.days)
        for period in q.periods
        if (done := q.complete(period))
    ]
    long = pl.DataFrame(
        [(piece.period_start, piece.share) for piece in pieces(q)],
        schema={"period_start": pl.Date, "share": pl.Float64},
        orient="row",
    )
    long = long.group_by("period_start", maintain_order=True).agg(
        months_long=pl.col("share").sum()
    )
    schema = {"period_start": pl.Date, "days": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").join(long, on="period_start")


def _per_user(q: Query, raw: pl.DataFrame) -> pl.DataFrame:
    found = Parts(q, raw)
    rows = found.sums("revenue").join(found.sums("users"), on=q.keys, how="left")
    rows = rows.join(_lengths(q), on="period_start")
    return rows.select(
        *q.keys,
        numerator="revenue",
        denominator=pl.col("users") / pl.col("days"),
        n="users_n",
        insufficient="revenue_lacks",
    )


@metric(
    title="Average revenue per user",
    theme="revenue",
    unit="money",
    formula="recurring and usage revenue of the period / licensed users of paying accounts on an average day",
    example="revenue of 12000, and 380 and 420 licensed users on two days: 12000 / ((380 + 420) / 2) = 30",
    source="R04",
    reads=("mrr_ledger", "payments"),
    scale=SCALE,
    window_days=30,
    conclude=_per_user,
    variants={
        "recognized": "recurring revenue day by day as it is earned, usage as it is paid",
        "cash": "payments for subscriptions and usage, less refunds, without tax",
    },
    caveats=(
        "Licensed users have a live membership of an account that pays that day; free "
        "and trial users are on neither side. At the closing rate of each month."
    ),
)
def arpu(t: Inputs, q: Query) -> ir.Table:
    """What an average licensed user brings in the period."""
    spans = pieces(q)
    if q.variant == "cash":
        kinds = ("recurring", "usage", "refund")
        revenue = [payments(t, q, spans, kinds, "revenue")]
    else:
        revenue = [
            recurring(t, q, spans, "revenue"),
            payments(t, q, spans, ("usage",), "revenue"),
        ]
    return together(q, [*revenue, _licensed_days(t, q, spans)])


def _licensed_days(t: Inputs, q: Query, spans: Sequence[Piece]) -> ir.Table:
    """The part `users`: days of licensed users together; a user of two accounts
    counts once."""
    pays = joined(paid(t, q), [*q.by, "account_id"])
    seats = t.assignments.select("account_id", "user_id", "date_from", "date_to")
    held = pays.join(seats, "account_id")
    held = held.select(
        *q.by,
        "user_id",
        since=ibis.greatest(held.since, held.date_from.fill_null(held.since)),
        until=ibis.least(held.until, held.date_to.fill_null(held.until)),
    )
    held = held.filter(held.since < held.until)
    days = days_within(apart(held, [*q.by, "user_id"]), piece_table(spans))
    users = days.group_by(q.keys).agg(
        days=days.days.sum(), users=days.user_id.nunique()
    )
    return part(q, "users", users, amount=users.days, count=users.users)


# What keeping them costs


def _spent(found: Parts, categories: Iterable[str], customers: str) -> pl.DataFrame:
    """One row per period with costs of these categories: `cost`, and `cost_lacks`:
    rates, and months for which no costs are known though there were `customers`."""
    by_month = ["period_start", "month"]
    known = found.sums(*categories, keys=by_month)
    known = known.rename(dict(zip(known.columns[2:], _COST, strict=True)))
    both = found.sums(customers, keys=by_month).join(
        known, on=by_month, how="full", coalesce=True
    )
    periods = both.sort(by_month).group_by("period_start", maintain_order=True)
    spent = periods.agg(
        pl.col("cost").sum(),
        cost_lacks=pl.col("cost_lacks").sum() + pl.col("cost").is_null().sum(),
        months=pl.col("cost").count(),
    )
    return spent.filter(pl.col("months") > 0).drop("months")


_COST = ("cost", "cost_n", "cost_lacks")


def _present(t: Inputs, q: Query, spans: Sequence[Piece]) -> list[ir.Table]:
    """The parts `present` and `all_present`: customer days, by month."""
    return [
        customer_days(t, q, spans, "present"),
        *of_all(t, q, lambda w, asked: customer_days(w, asked, spans, "all_present")),
    ]


def _kept(found: Parts) -> pl.DataFrame:
    """One row per period and group with customers: `keeping`, what it costs to keep
    them, `customers` there on an average day, and `keeping_lacks`."""
    everybody = found.sums("all_present", keys=["period_start"])
    everybody = everybody.select("period_start", everybody="all_present")
    rows = found.sums("present").join(everybody, on="period_start")
    rows = rows.join(_lengths(found.q), on="period_start")
    rows = rows.join(_spent(found, RETENTION, "all_present"), on="period_start")
    return rows.with_columns(
        keeping=pl.col("cost") * pl.col("present") / pl.col("everybody"),
        customers=pl.col("present") / pl.col("days"),
        keeping_lacks="cost_lacks",
    )


def _retention_cost(q: Query, raw: pl.DataFrame) -> pl.DataFrame:
    found = Parts(q, raw)
    rows = _kept(found)
    lacks = pl.col("keeping_lacks")
    denominator = pl.col("customers")
    if q.variant in _COUNTED:
        counted = found.moved("counted", _COUNTED[q.variant])
        rows = rows.join(counted, on=q.keys, how="left")
        denominator = pl.col("counted_n").fill_null(0)
    elif q.variant == "crc_ratio":
        rows = rows.join(found.sums("revenue"), on=q.keys, how="left")
        denominator = pl.col("revenue") / SCALE
        lacks = lacks + pl.col("revenue_lacks").fill_null(0)
    return rows.select(
        *q.keys,
        numerator="keeping",
        denominator=denominator,
        n="present_n",
        insufficient=lacks,
    )


#: Variants of the retention cost that count customers at the period's end: by how
#: they moved within it.
_COUNTED = {"crc_per_customer_end": HAS, "crc_per_retained": STAYS}


@metric(
    title="Customer retention cost",
    theme="revenue",
    unit="money",
    formula="costs of customer success, service, adoption, training and customer marketing / customers on an average day of the period",
    example="100000 spent on 200 customers: 100000 / 200 = 500",
    source="E04",
    reads=("mrr_ledger", "costs"),
    good="down",
    scale=SCALE,
    window_days=30,
    conclude=_retention_cost,
    variants={
        "crc": "per customer of an average day",
        "crc_per_customer_end": "per customer of the period's last day",
        "crc_per_retained": "per customer who was there at the start and at the end",
        "crc_ratio": "as a share of the recurring revenue of the period",
    },
    units={"crc_ratio": "ratio"},
    caveats=_COSTS_CAVEAT,
)
def crc(t: Inputs, q: Query) -> ir.Table:
    """What it costs to keep a customer for the length of the period. Sales, marketing
    for new customers and discounts are not in it."""
    spans = pieces(q)
    parts = [*_present(t, q, spans), costs(t.whole, t.whole.query, spans)]
    if q.variant in _COUNTED:
        parts.append(moves(t, q, period_spans(q)))
    elif q.variant == "crc_ratio":
        parts.append(recurring(t, q, spans, "revenue"))
    return together(q, parts)


# What winning them costs


def _moved(t: Inputs, q: Query, spans: Sequence[Span]) -> list[ir.Table]:
    """How accounts moved, of the groups and of the whole workspace."""
    paid = None
    if q.variant == "paid":
        paid = t.leads.filter(t.leads.source.isin(q.listed("paid_sources")))
    return [
        moves(t, q, spans, of=paid),
        *of_all(t, q, lambda w, asked: moves(w, asked, spans, "all_", of=paid)),
    ]


def _won(found: Parts) -> pl.DataFrame:
    """One row per period with costs and new customers: `cac`, `cac_lacks`."""
    new = found.moved("new", ("new",), "all_")
    rows = new.join(_spent(found, ACQUISITION, "all_revenue"), on="period_start")
    return rows.select(
        "period_start", cac=pl.col("cost") / pl.col("new_n"), cac_lacks="cost_lacks"
    )


def _acquisition_cost(q: Query, raw: pl.DataFrame) -> pl.DataFrame:
    found = Parts(q, raw)
    rows = found.moved("new", ("new",)).join(_won(found), on="period_start")
    return rows.select(
        *q.keys,
        numerator=pl.col("cac") * pl.col("new_n"),
        denominator="new_n",
        n="new_n",
        insufficient="cac_lacks",
    )


@metric(
    title="Customer acquisition cost",
    theme="revenue",
    unit="money",
    formula="sales and marketing cost of the period / new customers of the period",
    example="30000 of sales and marketing for 20 new customers: 30000 / 20 = 1500",
    source="E05",
    reads=("mrr_ledger", "costs", "leads"),
    good="down",
    scale=SCALE,
    window_days=90,
    conclude=_acquisition_cost,
    variants={
        "blended": "all new customers",
        "paid": "only new customers whose lead came from one of `paid_sources`",
    },
    params={
        "lag_months": "how many months earlier the costs are taken, about a sales cycle",
        "paid_sources": "sources of leads that are paid for, separated by commas",
    },
    caveats=f"Customers who come back are not new. {_COSTS_CAVEAT}",
)
def cac(t: Inputs, q: Query) -> ir.Table:
    """What it costs to win a customer."""
    spans = pieces(q, months_before=q.count("lag_months", 0))
    return together(q, [*_moved(t, q, period_spans(q)), *margin_parts(t, q, spans)])


def _value_to_cost(q: Query, raw: pl.DataFrame) -> pl.DataFrame:
    found = Parts(q, raw)
    rows = values(found).join(_won(found), on="period_start", how="left")
    return rows.select(
        *q.keys,
        numerator=_per(pl.col("monthly"), leaving_share(q)),
        denominator="cac",
        n="customers",
        insufficient=pl.col("insufficient") + pl.col("cac_lacks").fill_null(0),
    )


def _per(top: pl.Expr, bottom: pl.Expr) -> pl.Expr:
    """A quotient that is null where it is by nothing (G1)."""
    return pl.when(bottom != 0).then(top / bottom)


@metric(
    title="Lifetime value to acquisition cost",
    theme="revenue",
    unit="index",
    formula="customer lifetime value / customer acquisition cost",
    example="a lifetime value of 5000 for 1500: 5000 / 1500 = 3.333",
    source="E06",
    reads=MARGIN_READS,
    scale=SCALE,
    denominator_scale=SCALE,
    window_days=90,
    entity="segment",
    dimensions=_SEGMENTS,
    conclude=_value_to_cost,
    variants=CAPPED,
    caveats=f"{MARGIN_CAVEAT} {_COSTS_CAVEAT}",
)
def ltv_cac(t: Inputs, q: Query) -> ir.Table:
    """How often a customer's margin over its lifetime pays for winning it."""
    return together(q, [*_moved(t, q, value_spans(q)), *margin_parts(t, q, pieces(q))])


def _payback(q: Query, raw: pl.DataFrame) -> pl.DataFrame:
    found = Parts(q, raw)
    rows = found.moved("new", ("new",)).join(_won(found), on="period_start")
    rows = rows.join(margins(found), on="period_start", how="left")
    monthly = pl.col("new") / pl.col("new_n") * pl.col("margin")
    lacks = pl.col("cac_lacks") + pl.col("new_lacks")
    return rows.select(
        *q.keys,
        numerator="cac",
        denominator=pl.when(monthly > 0).then(monthly),
        n="new_n",
        insufficient=lacks + pl.col("margin_lacks").fill_null(0),
    )


@metric(
    title="CAC payback",
    theme="revenue",
    unit="months",
    formula="customer acquisition cost / (ARPA of the new customers · gross margin)",
    example="1500 to win a customer of 125 a month at a margin of 0.8: 1500 / (125 * 0.8) = 15",
    source="E06",
    reads=MARGIN_READS,
    good="down",
    scale=SCALE,
    denominator_scale=SCALE,
    window_days=90,
    entity="segment",
    dimensions=_SEGMENTS,
    conclude=_payback,
    caveats=f"{MARGIN_CAVEAT} {_COSTS_CAVEAT}",
)
def cac_payback(t: Inputs, q: Query) -> ir.Table:
    """Months until a new customer's margin has paid for winning it."""
    return together(q, [*_moved(t, q, period_spans(q)), *margin_parts(t, q, pieces(q))])


def _return(q: Query, raw: pl.DataFrame) -> pl.DataFrame:
    found = Parts(q, raw)
    if q.variant == "short_lived":
        rows = found.sums("left")
        short = found.sums("short").select(*q.keys, "short")
        rows = rows.join(short, on=q.keys, how="left")
        return rows.select(
            *q.keys,
            # Not money: the answer divides both by the scale of money.
            numerator=pl.col("short").fill_null(0) * SCALE,
            denominator=pl.col("left") * SCALE,
            n=pl.col("left").cast(pl.Int64),
        )
    kept = _kept(found).select(
        *q.keys,
        a_month=pl.col("keeping") / pl.col("customers") / pl.col("months_long"),
        kept_lacks="keeping_lacks",
    )
    rows = values(found).join(_won(found), on="period_start", how="left")
    rows = rows.join(kept, on=q.keys, how="left")
    share = leaving_share(q)
    cost = pl.col("cac") + _per(pl.col("a_month"), share)
    lacks = pl.col("cac_lacks").fill_null(0) + pl.col("kept_lacks").fill_null(0)
    return rows.select(
        *q.keys,
        numerator=_per(pl.col("monthly"), share) - cost,
        denominator=cost,
        n="customers",
        insufficient=pl.col("insufficient") + lacks,
    )


@metric(
    title="Customer ROI",
    theme="revenue",
    unit="ratio",
    formula="(customer lifetime value − C) / C, C = acquisition cost + retention cost a month · lifetime in months",
    example="a lifetime value of 5000, 1500 to win and 20 a month for 50 months to keep: (5000 - (1500 + 20 * 50)) / (1500 + 20 * 50) = 1",
    source="E07",
    reads=MARGIN_READS,
    scale=SCALE,
    denominator_scale=SCALE,
    window_days=90,
    entity="segment",
    dimensions=_SEGMENTS,
    conclude=_return,
    variants={
        **CAPPED,
        "short_lived": "of the customers who left in the period, those who had stayed less than two months",
    },
    goods={"short_lived": "down"},
    caveats=f"{MARGIN_CAVEAT} {_COSTS_CAVEAT}",
)
def customer_roi(t: Inputs, q: Query) -> ir.Table:
    """What a customer brings over its lifetime beyond what it costs to win and to
    keep it, as a share of those costs."""
    if q.variant == "short_lived":
        return _left(t, q)
    spans = pieces(q)
    parts = [*_moved(t, q, value_spans(q)), *_present(t, q, spans)]
    return together(q, [*parts, *margin_parts(t, q, spans)])


def _left(t: Inputs, q: Query) -> ir.Table:
    """The parts `left`, customers who left in the period, and `short`, those who had
    not stayed long."""
    lives = joined(alive(t, q), [*q.by, "account_id"])
    ended = lives.mutate(date=lives.until)
    ended = t.in_periods(ended)
    months = position(ended.until) - position(ended.since)
    is_short = months < _SHORT_MONTHS * MONTH_PARTS
    found = ended.group_by(q.keys).agg(left=ended.count(), short=is_short.sum())
    return together(
        q, [part(q, name, found, amount=found[name]) for name in ("left", "short")]
    )
