"""How the health of accounts is spread: section 3 of the reference.

Scores are computed once a day and stored (`scoring.health`, `lake.snapshots`); here
they are only read.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from statistics import median

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.money import SCALE
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import metric

_SNAPSHOTS = ("health_snapshots", "account_days")
COLORS = ("red", "orange", "yellow", "green")
#: Past scores are taken once a week: an older one is not the score of a day.
_OLDEST = 7
_CAVEATS = "Of each account the newest score of the week up to the period's end counts. Accounts without a score count on neither side: those still onboarding, those that left, those that could not be measured."


def _scored(t: Inputs) -> ir.Table:
    """One row per period and account with a score: score, color, mrr_e4.

    A snapshot of day D is of everything before D, so that a period's is that of the
    day after its last. The newest computation of the newest day counts, also where
    it says that the account has no score any more.
    """
    rows = t.rows("health_snapshots")
    rows = rows.mutate(day=(rows.date - ibis.interval(days=1)).cast("date"))
    at = rows.cross_join(t.ends.select("period_start", "last"))
    oldest = (at["last"] - ibis.interval(days=_OLDEST)).cast("date")
    at = at.filter((at.day <= at["last"]) & (at.day > oldest))
    newest = ibis.window(
        group_by=["period_start", "account_id"],
        order_by=[ibis.desc("day"), ibis.desc("computed_at")],
    )
    ranked = at.mutate(place=ibis.row_number().over(newest))
    found = ranked.filter((ranked.place == 0) & ranked.score.notnull())
    return t.split(
        found.select(
            "period_start", "account_id", "score", "color", "mrr_e4", date="last"
        )
    )


def _averaged(query: Query, raw: pl.DataFrame) -> pl.DataFrame:
    """One row per period and group, by the variant; sums do not depend on order."""
    keys = query.keys
    groups = raw.group_by(keys).agg("score", "mrr_e4")
    rows = [
        {**row, **_average(query.variant, row.pop("score"), row.pop("mrr_e4"))}
        for row in groups.iter_rows(named=True)
    ]
    real = pl.Float64()
    own = {"value": real, "numerator": real, "denominator": real, "n": pl.Int64()}
    schema = {**{key: raw.schema[key] for key in keys}, **own}
    return pl.DataFrame(rows, schema=schema)


def _average(
    variant: str, scores: Sequence[float], mrr_e4: Sequence[int]
) -> dict[str, float | None]:
    is_weighted = variant == "mrr_weighted"
    weights = [m / SCALE for m in mrr_e4] if is_weighted else [1.0] * len(scores)
    total = fsum(weights)
    points = fsum(s * weight for s, weight in zip(scores, weights, strict=True))
    mean = points / total if total else None
    value = median(scores) if variant == "median" else mean
    return {
        "value": value,
        "numerator": points,
        "denominator": total,
        "n": len(scores),
    }


@metric(
    title="Health score",
    theme="health",
    unit="score",
    formula="scores of all accounts / accounts with a score, at the period's last day",
    example="accounts with 80, 60 and 40 points, a fourth without a score: (80 + 60 + 40) / 3 = 60",
    source="H01",
    reads=_SNAPSHOTS,
    window_days=1,
    stock=True,
    conclude=_averaged,
    variants={
        "mean": "every account counts the same",
        "median": "the account in the middle",
        "mrr_weighted": "every account counts as much as it pays",
    },
    caveats=_CAVEATS,
)
def health_score(t: Inputs, q: Query) -> ir.Table:
    """The health of an average account, 0 to 100, as stored on the day."""
    rows = _scored(t)
    return rows.select(*q.keys, "score", mrr_e4=rows.mrr_e4.fill_null(0))


@metric(
    title="Health distribution",
    theme="health",
    unit="ratio",
    formula="accounts of a color / accounts with a score, at the period's last day",
    example="of 250 accounts with a score 150 are green: 150 / 250 = 0.6",
    source="H01",
    reads=_SNAPSHOTS,
    makes=("color",),
    focus="green",
    window_days=1,
    stock=True,
    good="none",
    variants={
        "accounts": "share of accounts",
        "mrr": "share of what they pay",
    },
    caveats=_CAVEATS,
)
def health_distribution(t: Inputs, q: Query) -> ir.Table:
    """How many accounts are red, orange, yellow and green (column `color`)."""
    rows = _scored(t)
    if q.variant == "mrr":
        rows = rows.mutate(weight=rows.mrr_e4.fill_null(0))
    else:
        rows = rows.mutate(weight=ibis.literal(SCALE, "int64"))
    keys = [key for key in q.keys if key != "color"]  # it has it either way
    total = rows.group_by(keys).agg(
        denominator=rows.weight.sum() / SCALE, n=rows.count()
    )
    of = rows.group_by([*keys, "color"]).agg(numerator=rows.weight.sum() / SCALE)
    places = pl.DataFrame({"color": COLORS, "rank": range(len(COLORS))})
    every = total.cross_join(ibis.memtable(places.to_arrow()))
    found = every.left_join(of, [*keys, "color"], rname="{name}_o")
    return found.select(
        *keys,
        "color",
        "rank",
        numerator=found.numerator.fill_null(0.0),
        denominator="denominator",
        n="n",
    )
