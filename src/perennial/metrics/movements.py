"""How recurring revenue moves between two instants: R02 of the reference.

Every account is compared with itself at the two ends of a span, so whatever
happened in between, opening + movements + fx is closing, to 1/10,000. What was
there at the start moves at the rate of the start; what is new, at that of the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.money import SCALE
from perennial.core.windows import DAY, add_months
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.rates import converted, rates_at
from perennial.metrics.registry import metric

_LEDGER = ("mrr_ledger",)

GAINS = ("new", "expansion", "reactivation", "resume")
LOSSES = ("contraction", "churn", "pause")
LATE = "late_adjustment"
MOVEMENTS = (*GAINS, *LOSSES, LATE, "fx")
#: The whole bridge, in the order it is read.
BRIDGE = ("opening", *MOVEMENTS, "closing")

_ENDS = {"before": pl.Date, "last": pl.Date}


class Span(NamedTuple):
    """`key` names the span; what holds at the end of `before` and of `last` counts."""

    key: date
    before: date
    last: date


def period_spans(q: Query) -> list[Span]:
    """From the end of the day before each period to its last finished day."""
    return [
        Span(period.start, done.start - DAY, done.end - DAY)
        for period in q.periods
        if (done := q.complete(period))
    ]


def trailing_spans(q: Query, months: int) -> list[Span]:
    """The months up to the last finished day of each period."""
    return [
        Span(period.start, add_months(done.end, -months) - DAY, done.end - DAY)
        for period in q.periods
        if (done := q.complete(period))
    ]


def asked_spans(q: Query) -> list[Span]:
    """The periods, or what the variant `trailing_12m` looks back on."""
    return trailing_spans(q, 12) if q.variant == "trailing_12m" else period_spans(q)


def span_table(spans: Iterable[Span]) -> ir.Table:
    """One row per span: period_start (its key), before, last."""
    schema = {"period_start": pl.Date, **_ENDS}
    frame = pl.DataFrame(list(spans), schema=schema, orient="row")
    return ibis.memtable(frame.to_arrow())


def _rates(t: Inputs, q: Query, spans: Sequence[Span]) -> ir.Table:
    """One row per span and currency: before, last, currency, and what held at the end
    of these days, `rate0` and `rate1`."""
    ends = sorted({(span.before, span.last) for span in spans})
    days = pl.DataFrame(ends, schema=_ENDS, orient="row")
    rates = rates_at(t, q, (*days["before"], *days["last"]))
    old = days.join(rates.rename({"day": "before", "rate": "rate0"}), on="before")
    new = days.join(rates.rename({"day": "last", "rate": "rate1"}), on="last")
    key = ["before", "last", "currency"]
    both = old.join(new, on=key, how="full", coalesce=True)
    return ibis.memtable(both.select(*key, "rate0", "rate1").to_arrow())


def account_ends(t: Inputs, q: Query, spans: Sequence[Span]) -> ir.Table:
    """One row per span, group and account that pays at either end of it.

    - `period_start` is the span's key, `before` and `last` are its days.
    - `opening`: MRR at the start; `kept`: that of the end at the start's rates;
      `closing`: that of the end; in 1/10,000 of the workspace currency.
    - `had`, `has`: pays at the start, at the end.
    - `rested`, `rests`: paused at the start, at the end, not yet for so long that it
      is churn.
    - `failed`: stopped within the span because a payment failed.
    - `late`: what became known within the span of closed months before it, at the
      start's rates.
    - `lacks0`, `lacks1`: amounts without a rate of the start, of the end.
    """
    at = _at_ends(t, q, spans)
    key = ["before", "last", "currency"]
    at = at.left_join(_rates(t, q, spans), key, rname="{name}_r")
    at = at.mutate(
        pays=at.mrr_e4 > 0,
        old=converted(q, at.mrr_e4, at.currency, at.rate0),
        new=converted(q, at.mrr_e4, at.currency, at.rate1),
        told=converted(q, at.late_e4, at.currency, at.rate0),
    )
    had, has = at.at0 & at.pays, at.at1 & at.pays
    ends = at.group_by([*q.keys, "account_id", "before", "last"]).agg(
        opening=at.old.sum(where=had).fill_null(0),
        kept=at.old.sum(where=has).fill_null(0),
        closing=at.new.sum(where=has).fill_null(0),
        had=had.any(),
        has=has.any(),
        rested=(at.at0 & at.is_paused & (at.before < at.rests_until)).any(),
        rests=(at.at1 & at.is_paused & (at["last"] < at.rests_until)).any(),
        failed=(at.at1 & at.is_involuntary & (at.since > at.before)).any(),
        late=at.told.sum(where=at.told_within).fill_null(0),
        lacks0=(had & at.old.isnull()).sum() + (has & at.old.isnull()).sum(),
        lacks1=(has & at.new.isnull()).sum(),
    )
    return ends.filter(ends.had | ends.has)


def _at_ends(t: Inputs, q: Query, spans: Sequence[Span]) -> ir.Table:
    """Runs of the ledger that hold at an end of a span: `at0`, `at1`, `since` and
    `rests_until`, the first day on which a pause is churn; and runs that began within
    it with late news: `told_within`.

    An account that was there at the start is what it was then, whatever it has
    become: to change segment is no churn (G6). One that is new is what it is.
    """
    at = t.rows("mrr_ledger").cross_join(span_table(spans))
    longest = ibis.interval(days=q.settings.pause_churn_days)
    at = at.mutate(
        at0=_holds(at, at.before),
        at1=_holds(at, at["last"]),
        told_within=at.late_e4.notnull()
        & (at.date_from > at.before)
        & (at.date_from <= at["last"]),
        since=at.date_from,
        rests_until=(at.date_from + longest).cast("date"),
    )
    at = at.filter(at.at0 | at.at1 | at.told_within).drop("date_from", "date_to")
    if q.by or q.where:
        one = ibis.window(group_by=["account_id", "period_start", "before", "last"])
        was = at.at0.any().over(one)
        at = at.mutate(date=ibis.cases((was, at.before), else_=at["last"]))
    return t.split(at)


def _holds(at: ir.Table, day: ir.DateColumn) -> ir.BooleanColumn:
    return (at.date_from <= day) & (at.date_to.isnull() | (at.date_to > day))


def account_movements(t: Inputs, q: Query, spans: Sequence[Span]) -> ir.Table:
    """`account_ends` with the account's `movement` (empty where nothing moved), its
    `amount`, the `fx`, and `lacks`, how many of their amounts have no rate."""
    return _moved(t, account_ends(t, q, spans))


def _bridged(t: Inputs, q: Query) -> ir.Table:
    """The same over the periods, with late news apart: an account begins with what is
    known now of the day before, which differs by `late` from what was known then."""
    ends = account_ends(t, q, period_spans(q))
    known = ends.opening + ends.late
    ends = ends.mutate(
        before_it=ends.opening,
        opening=known,
        had=ibis.cases((ends.late == 0, ends.had), else_=known > 0),
        had_then=ends.had,
    )
    moved = _moved(t, ends)
    return moved.mutate(opening=moved.before_it, had=moved.had_then)


def _moved(t: Inputs, ends: ir.Table) -> ir.Table:
    a = ends.left_join(t.first_paid(), "account_id", rname="{name}_f")
    # Below zero: late news of more than the account had when the span began. What it
    # gained within closed months of the span made up for it.
    stays = (a.had & a.has) | (a.opening < 0)
    movement = ibis.cases(
        (stays & (a.kept > a.opening), "expansion"),
        (stays & (a.kept < a.opening), "contraction"),
        (stays | ~(a.had | a.has), ""),
        (a.had & a.rests, "pause"),
        (a.had, "churn"),
        (a.rested, "resume"),
        (a.paid <= a.before, "reactivation"),
        else_="new",
    )
    return a.mutate(
        movement=movement,
        amount=ibis.cases(
            (stays, a.kept - a.opening), (a.had, -a.opening), else_=a.closing
        ),
        fx=ibis.cases((stays, a.closing - a.kept), else_=0),
        # What is new needs no rate of the start.
        lacks=a.lacks1 + ibis.cases((a.had, a.lacks0), else_=0),
    )


def _steps(q: Query, raw: pl.DataFrame) -> pl.DataFrame:
    """Every step of the bridge for every period and group, also where nothing moved."""
    moved = raw.filter(pl.col("movement") != "")
    parts = [moved.select(*q.keys, "movement", "n", numerator="amount")]
    for name in (LATE, "fx", "opening", "closing"):
        part = raw.group_by(q.keys).agg(
            pl.lit(name).alias("movement"),
            pl.col(f"n_{name}").sum().alias("n"),
            pl.col(name).sum().alias("numerator"),
        )
        parts.append(part)
    found = pl.concat(
        part.cast({"n": pl.Int64, "numerator": pl.Int64}) for part in parts
    )
    lacks = raw.group_by(q.keys).agg(insufficient=pl.col("lacks").sum())
    groups = lacks.select(q.keys)
    if not q.by:  # No group is missing: a period without rows is one of zeros.
        groups = pl.DataFrame(
            {"period_start": [p.start for p in q.periods]}, {"period_start": pl.Date}
        )
    if q.variant == "net_new":
        net = found.filter(pl.col("movement").is_in([*GAINS, *LOSSES, LATE]))
        net = net.group_by(q.keys).agg(pl.col("numerator", "n").sum())
        rows = groups.join(net, on=q.keys, how="left")
        rows = rows.with_columns(movement=pl.lit("net_new"))
    else:
        steps = BRIDGE if q.variant == "bridge" else MOVEMENTS
        ranks = pl.DataFrame({"movement": steps, "rank": range(len(steps))})
        rows = groups.join(ranks, how="cross")
        rows = rows.join(found, on=[*q.keys, "movement"], how="left")
    rows = rows.join(lacks, on=q.keys, how="left")
    return rows.with_columns(
        pl.col("numerator", "n", "insufficient").fill_null(0),
        denominator=pl.lit(None, pl.Int64),
    )


@metric(
    title="MRR movements",
    theme="revenue",
    unit="money",
    formula="opening MRR + new + expansion + reactivation + resume + contraction + churn + pause + late adjustment + fx = closing MRR",
    example="opening, new, expansion, reactivation, contraction and churn: 1000 + 250 + 50 + 80 - 50 - 300 = 1030",
    source="R02",
    reads=_LEDGER,
    makes=("movement",),
    good="none",
    empty=0,
    scale=SCALE,
    window_days=30,
    conclude=_steps,
    variants={
        "movements": "what moved MRR, losses negative",
        "bridge": "the same between the opening and the closing MRR",
        "net_new": "all movements but fx, in one row",
    },
    caveats=(
        "Each account is compared at the two ends of the period: one that is new and "
        "leaves within it moves nothing. Customers of the start are valued at the "
        "exchange rates the period began with, the others at those it ended with. A "
        "pause is churn after 90 days. A change that was entered late, for a month "
        "that is closed, is a late adjustment of the month that was open."
    ),
)
def mrr_movements(t: Inputs, q: Query) -> ir.Table:
    """Why recurring revenue is not what it was (column `movement`): new, expansion,
    contraction, churn, reactivation, pause, resume, late adjustments of closed
    months, and exchange rates (fx)."""
    a = _bridged(t, q)
    return a.group_by([*q.keys, "movement"]).agg(
        amount=a.amount.sum(),
        late_adjustment=a.late.sum(),
        fx=a.fx.sum(),
        opening=a.opening.sum(),
        closing=a.closing.sum(),
        n=a.count(),
        n_late_adjustment=(a.late != 0).sum(),
        n_fx=(a.fx != 0).sum(),
        n_opening=a.had.sum(),
        n_closing=a.has.sum(),
        lacks=a.lacks.sum(),
    )


@metric(
    title="Quick ratio",
    theme="revenue",
    unit="index",
    formula="(new + expansion + reactivation + resume) / (contraction + churn + pause)",
    example="new, expansion and reactivation over contraction and churn: (250 + 50 + 80) / (50 + 300) = 1.086",
    source="R02",
    reads=_LEDGER,
    scale=SCALE,
    denominator_scale=SCALE,
    window_days=30,
    caveats="Null where nothing was lost.",
)
def quick_ratio(t: Inputs, q: Query) -> ir.Table:
    """Recurring revenue gained for each unit that was lost."""
    a = _bridged(t, q)
    moved = a.movement != ""
    return a.group_by(q.keys).agg(
        numerator=a.amount.sum(where=a.movement.isin(GAINS)).fill_null(0),
        denominator=-a.amount.sum(where=a.movement.isin(LOSSES)).fill_null(0),
        n=moved.sum(),
        insufficient=a.lacks.sum(),
    )
