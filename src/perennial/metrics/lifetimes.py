"""What a customer is worth over a lifetime: E01 to E03 of the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from statistics import fmean

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import polars as pl

from perennial.core.money import SCALE
from perennial.core.survival import Spell, Step, curve, survival_at
from perennial.metrics.inputs import Inputs
from perennial.metrics.movements import Span, period_spans
from perennial.metrics.parts import (
    Parts,
    churn_months,
    costs,
    moves,
    part,
    recurring,
    together,
)
from perennial.metrics.query import Query
from perennial.metrics.registry import metric
from perennial.metrics.stretches import (
    MONTH_PARTS,
    Piece,
    alive,
    joined,
    pieces,
    position,
)

Floats = npt.NDArray[np.float64]

_LEDGER = ("mrr_ledger",)
#: Months that the hazard beyond the last observed one is taken from.
_LATEST = 6

MARGIN_READS = ("mrr_ledger", "costs")
MARGIN_CAVEAT = (
    "Gross margin is that of the whole workspace, in those months of the period that "
    "have costs of category cogs; without any there is no number."
)


# Curves, with time in parts of a month


@dataclass(frozen=True)
class Lifetime:
    """How long customers stay, as a curve over tenure, continued where it ends.

    `watched` is how long the longest was watched; from there on the mean hazard of the
    last six whole months goes on, which is none (`hazard` is NaN) without a whole one.
    """

    steps: tuple[Step, ...]
    watched: int
    hazard: float
    parts: int = MONTH_PARTS

    def at(self, times: npt.ArrayLike) -> Floats:
        """The share of customers that stays longer than each time; NaN: unknown."""
        wanted = np.asarray(times)
        shares = np.array([1.0, *(step.survival for step in self.steps)])
        ends = np.array([step.time for step in self.steps])
        known = np.minimum(wanted, self.watched)
        beyond = (wanted - known) / self.parts
        kept = np.where(beyond > 0, (1 - self.hazard) ** beyond, 1.0)
        return np.asarray(shares[np.searchsorted(ends, known, side="right")] * kept)

    def months(
        self,
        horizon: int,
        discount: float,
        *,
        ages: npt.ArrayLike = (0,),
        observed: bool = False,
    ) -> Floats:
        """Months, each discounted, that customers of each age have within the horizon.

        `observed` stops where the curve would have to be continued. NaN where the
        curve says nothing of an age.
        """
        since = np.asarray(ages)[:, None]
        ahead = np.arange(horizon)
        reached = self.at(since)
        shares = self.at(since + ahead * self.parts)
        if observed:
            shares = np.where(since + ahead * self.parts > self.watched, 0.0, shares)
        shares = np.divide(
            shares, reached, out=np.full_like(shares, np.nan), where=reached > 0
        )
        # Added up in one order everywhere.
        return np.array([sum(row) for row in shares / (1 + discount) ** ahead])


def lifetime(spells: Sequence[Spell], parts: int = MONTH_PARTS) -> Lifetime:
    """The curve of these spells; their times are `parts` of a month."""
    steps = curve(spells)
    watched = max((s.duration for s in spells if s.duration > s.entry), default=0)
    last = watched // parts
    ends = [survival_at(steps, k * parts) for k in range(last + 1)]
    recent = range(max(1, last - _LATEST + 1), last + 1)
    hazards = [1 - ends[k] / ends[k - 1] if ends[k - 1] else 1.0 for k in recent]
    return Lifetime(steps, watched, fmean(hazards) if hazards else nan, parts)


# What they are made of


def margin_parts(t: Inputs, q: Query, spans: Sequence[Piece]) -> list[ir.Table]:
    """Costs by category, and `all_revenue`, of the whole workspace by month."""
    everything = t.whole.query
    return [
        costs(t.whole, everything, spans),
        recurring(t.whole, everything, spans, "all_revenue"),
    ]


def margins(found: Parts) -> pl.DataFrame:
    """One row per period that has one: `margin`, and `margin_lacks` rates."""
    by_month = ["period_start", "month"]
    both = found.sums("cogs", keys=by_month).join(
        found.sums("all_revenue", keys=by_month), on=by_month
    )
    periods = both.sort(by_month).group_by("period_start", maintain_order=True)
    total = periods.agg(
        pl.col("cogs", "all_revenue").sum(),
        margin_lacks=pl.col("cogs_lacks").sum() + pl.col("all_revenue_lacks").sum(),
    )
    return total.filter(pl.col("all_revenue") > 0).select(
        "period_start",
        "margin_lacks",
        margin=1 - pl.col("cogs") / pl.col("all_revenue"),
    )


def value_spans(q: Query) -> list[Span]:
    """The periods, and the months that a lifetime is taken from."""
    months = (span for spans in churn_months(q).values() for span in spans)
    return [*period_spans(q), *months]


def values(found: Parts) -> pl.DataFrame:
    """One row per period and group with customers: `monthly` (a customer's margin of
    a month, in 1/10,000), `churn` (mean of months), `customers`, `insufficient`."""
    q = found.q
    rows = found.stock().join(found.churn(), on=q.keys, how="left")
    rows = rows.join(margins(found), on="period_start", how="left")
    few = pl.col("months").fill_null(0) < q.settings.clv_churn_months
    return rows.select(
        *q.keys,
        "churn",
        customers="mrr_n",
        monthly=pl.col("mrr") / pl.col("mrr_n") * pl.col("margin"),
        insufficient=few.cast(pl.Int64)
        + pl.col("mrr_lacks")
        + pl.col("margin_lacks").fill_null(0),
    )


def leaving_share(q: Query) -> pl.Expr:
    """The share of customers that leaves in a month, as the variant has it."""
    if q.variant != "capped":
        return pl.col("churn")
    return pl.max_horizontal("churn", pl.lit(1 / q.settings.clv_cap_months))


CAPPED = {
    "uncapped": "null while nobody leaves",
    "capped": "no lifetime longer than 60 months",
}


# Metrics


def _simple(q: Query, raw: pl.DataFrame) -> pl.DataFrame:
    found = Parts(q, raw)
    rows = found.stock().join(found.sums("lives"), on=q.keys)
    return rows.select(
        *q.keys,
        numerator=pl.col("mrr") / pl.col("mrr_n") * pl.col("lives") / MONTH_PARTS,
        denominator="lives_n",
        n="lives_n",
        insufficient="mrr_lacks",
    )


@metric(
    title="Customer lifetime value, simple",
    theme="revenue",
    unit="money",
    formula="ARPA · mean lifetime in months of the customers who have left",
    example="an ARPA of 150 and a mean life of 12 months: 150 * 12 = 1800",
    source="E01",
    reads=_LEDGER,
    scale=SCALE,
    window_days=1,
    stock=True,
    entity="segment",
    dimensions=("any account attribute",),
    conclude=_simple,
    caveats=(
        "Revenue, not margin, and too low: those who stay longest have not left yet. "
        "Calendar months, a day being 1/31; a pause of up to 90 days is part of a "
        "lifetime, the time until a return is not."
    ),
)
def clv_simple(t: Inputs, q: Query) -> ir.Table:
    """What a customer pays in all, judged by the lifetimes of those who have left."""
    keys = [*q.by, "account_id"]
    spells = joined(alive(t, q), keys).cross_join(t.ends)
    begun = spells.filter(spells.since <= spells["last"])
    stays = begun.until > begun["last"]
    lived = position(begun.until) - position(begun.since)
    accounts = begun.group_by([*q.keys, "account_id"]).agg(
        lived=lived.sum(where=~stays), stays=stays.any()
    )
    gone = accounts.filter(~accounts.stays)
    lives = gone.group_by(q.keys).agg(lived=gone.lived.sum(), accounts=gone.count())
    return together(
        q,
        [
            moves(t, q, period_spans(q)),
            part(q, "lives", lives, amount=lives.lived, count=lives.accounts),
        ],
    )


def _by_margin(q: Query, raw: pl.DataFrame) -> pl.DataFrame:
    return values(Parts(q, raw)).select(
        *q.keys,
        "insufficient",
        numerator="monthly",
        denominator=leaving_share(q),
        n="customers",
    )


@metric(
    title="Customer lifetime value",
    theme="revenue",
    unit="money",
    formula="ARPA · gross margin / mean customer churn of the last 6 full months",
    example="an ARPA of 100, a gross margin of 0.8, churn of 0.02 a month: 100 * 0.8 / 0.02 = 4000",
    source="E02",
    reads=MARGIN_READS,
    scale=SCALE,
    window_days=30,
    entity="segment",
    dimensions=("any account attribute",),
    conclude=_by_margin,
    variants=CAPPED,
    caveats=(
        f"Insufficient without six months that began with customers. {MARGIN_CAVEAT}"
    ),
)
def clv(t: Inputs, q: Query) -> ir.Table:
    """The margin an average customer brings until it leaves, if it leaves at the pace
    of the last six months."""
    return together(q, [moves(t, q, value_spans(q)), *margin_parts(t, q, pieces(q))])


def _by_survival(q: Query, raw: pl.DataFrame) -> pl.DataFrame:
    found = Parts(q, raw)
    keys = [key for key in q.keys if key != "account"]
    rows = found.stock().join(margins(found), on="period_start", how="left")
    if "account" in q.by:
        rows = rows.join(found.sums("age").select(*q.keys, "age"), on=q.keys)
    else:
        rows = rows.with_columns(age=pl.lit(0.0))
    rows = _with_months(q, rows, _curves(found, keys), keys)
    return rows.select(
        *q.keys,
        numerator=pl.col("mrr") / pl.col("mrr_n") * pl.col("margin") * pl.col("months"),
        denominator=pl.lit(None, pl.Float64),
        n="lives",
        insufficient=pl.col("mrr_lacks")
        + pl.col("margin_lacks").fill_null(0)
        + pl.col("months").is_null().cast(pl.Int64),
    )


def _with_months(
    q: Query,
    rows: pl.DataFrame,
    curves: Mapping[tuple[object, ...], tuple[Lifetime, int]],
    keys: Sequence[str],
) -> pl.DataFrame:
    """Rows with `months`, discounted, that customers of their `age` have ahead, and
    `lives`, how many the curve is made from."""
    found = []
    for key, group in rows.group_by(keys, maintain_order=True):
        known, lives = curves.get(key, (lifetime([]), 0))
        months = known.months(
            q.settings.clv_horizon_months,
            q.settings.clv_discount_month,
            ages=group["age"].cast(pl.Int64).to_numpy(),
            observed=q.variant == "observed",
        )
        ahead = pl.Series(months, dtype=pl.Float64).fill_nan(None)
        found.append(group.with_columns(months=ahead, lives=pl.lit(lives, pl.Int64)))
    return pl.concat(found) if found else rows.with_columns(_NO_MONTHS)


_NO_MONTHS = (
    pl.lit(None, pl.Float64).alias("months"),
    pl.lit(None, pl.Int64).alias("lives"),
)


def _curves(
    found: Parts, keys: Sequence[str]
) -> dict[tuple[object, ...], tuple[Lifetime, int]]:
    """The curve of each period and group, and how many lives it is made from."""
    spells: dict[tuple[object, ...], list[Spell]] = {}
    for name in ("ended", "going"):
        rows = found.rows(name).select(*keys, "amount", "at", "count")
        for *key, duration, entry, count in rows.iter_rows():
            spell = Spell(int(duration), name == "ended", int(entry), count)
            spells.setdefault(tuple(key), []).append(spell)
    return {
        key: (lifetime(group), sum(s.count for s in group))
        for key, group in spells.items()
    }


@metric(
    title="Customer lifetime value, by survival",
    theme="revenue",
    unit="money",
    formula="ARPA · gross margin · sum over 36 months of the share still there, each month discounted by 0.8 %",
    example="a margin of 80, and shares still there after 0 to 4 months: 80 * (1 + 0.8333 + 0.6667 + 0.4444 + 0.4444) = 271.1",
    source="E03",
    reads=MARGIN_READS,
    scale=SCALE,
    window_days=30,
    dimensions=("account", "any account attribute"),
    conclude=_by_survival,
    variants={
        "extrapolated": "beyond the longest life so far the mean hazard of its last six months goes on",
        "observed": "only as far as customers have been watched",
    },
    caveats=(
        "A return begins a new life. Where the records begin later than the first "
        "customers (setting customers_known_from), earlier lives are watched from "
        f"there on. By account: what is still to come of it, at its age. {MARGIN_CAVEAT}"
    ),
)
def clv_survival(t: Inputs, q: Query) -> ir.Table:
    """The margin a new customer brings within 36 months, by how long customers have
    stayed so far (Kaplan-Meier)."""
    others = tuple(name for name in q.by if name != "account")
    curves = replace(q, by=others)
    wide = t.asking(curves)
    lives = watched(wide, curves, joined(alive(wide, curves), [*others, "account_id"]))
    counted = lives.group_by([*curves.keys, "ended", "duration", "entry"]).agg(
        lives=lives.count()
    )
    parts = [
        part(q, name, rows, amount=rows.duration, count=rows.lives, at=rows.entry)
        for name, rows in (
            ("ended", counted.filter(counted.ended)),
            ("going", counted.filter(~counted.ended)),
        )
    ]
    if others != q.by:
        parts.append(_ages(t, q, lives))
    moved = moves(t, q, period_spans(q))
    return together(q, [moved, *parts, *margin_parts(t, q, pieces(q))])


def watched(t: Inputs, q: Query, stretches: ir.Table) -> ir.Table:
    """Stretches as customers as far as they were watched by the end of each period:
    with period_start, ended, and duration and entry in parts of a month."""
    seen = stretches.filter(stretches.until > q.settings.known_from)
    seen = seen.cross_join(t.ends)
    seen = seen.filter(seen.since <= seen["last"])
    after = (seen["last"] + ibis.interval(days=1)).cast("date")
    since = position(seen.since)
    entry = position(ibis.literal(q.settings.known_from)) - since
    return seen.mutate(
        ended=seen.until <= seen["last"],
        duration=position(ibis.least(seen.until, after)) - since,
        entry=ibis.greatest(entry, 0),
    )


def _ages(t: Inputs, q: Query, lives: ir.Table) -> ir.Table:
    """The part `age`: of each customer's present life, by account."""
    now = lives.filter(~lives.ended)
    ages = now.group_by(["period_start", "account_id"]).agg(age=now.duration.max())
    groups = t.mrr_ledger.select("account_id", *q.by).distinct()
    own = groups.join(ages, "account_id")
    return part(q, "age", own, amount=own.age)
