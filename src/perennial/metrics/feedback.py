"""What customers say in their own words: F04 of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import metric
from perennial.metrics.said import TABLES
from perennial.metrics.surveys import GROUPS, PARTS, comment_topics, comments
from perennial.metrics.voice import DIMENSIONS

#: From which a sentiment counts as positive, and below its negative as negative.
_FELT = 0.25
#: Comments each side needs before a topic can be said to move scores.
_LEAST_SIDE = 5
#: Stands for all comments among the topics.
_EVERY = ""


def _told(q: Query, counted: pl.DataFrame) -> pl.DataFrame:
    """From sums by topic, and of all comments, to the variant asked for."""
    keys = [name for name in q.keys if name != "topic"]
    is_every = pl.col("topic") == _EVERY
    topics, sums = counted.filter(~is_every), counted.filter(is_every).drop("topic")
    # Every topic in every period and group that has comments.
    spread = sums.join(topics.select("topic").unique(), how="cross")
    rows = spread.join(topics, on=[*keys, "topic"], how="left", suffix="_t")
    rows = rows.with_columns(pl.col("^.*_t$").fill_null(0))
    n = pl.col("comments_t")
    part, whole = n, pl.lit(None, pl.Int64)
    match q.variant:
        case "share":
            whole = n = pl.col("comments")
        case "net_sentiment":
            part, whole = pl.col("positive_t") - pl.col("negative_t"), n
        case "mean_score":
            part, whole = pl.col("points_t") / PARTS, pl.col("scored_t")
        case "nps":
            part = pl.col("promoters_t") - pl.col("detractors_t")
            whole = pl.col("answers_t")
        case "impact":
            return rows.select(*keys, "topic", **_impact(q))
    n = n if q.variant == "mentions" else whole
    told = {"numerator": part, "denominator": whole, "n": n}
    if q.variant == "nps":
        told["value"] = _quotient(part.cast(pl.Float64) * 100, whole)
    return rows.select(*keys, "topic", **told)


def _impact(q: Query) -> dict[str, pl.Expr]:
    """The mean score with the topic less that without it."""
    scored, others = pl.col("scored_t"), pl.col("scored") - pl.col("scored_t")
    with_it = _quotient(pl.col("points_t"), scored)
    without = _quotient(pl.col("points") - pl.col("points_t"), others)
    least = q.number("min_side", _LEAST_SIDE)
    return {
        "numerator": pl.lit(None, pl.Float64),
        "denominator": pl.lit(None, pl.Int64),
        "n": scored,
        "value": (with_it - without) / PARTS,
        "insufficient": ((scored < least) | (others < least)).cast(pl.Int64),
    }


def _quotient(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole > 0).then(part / whole)


@metric(
    title="Feedback topics",
    theme="voice",
    unit="count",
    formula="comments that speak of a topic",
    example="two comments speak of price, one of them also of speed: 1 + 1 = 2",
    source="F04",
    # The terms of contracts begin long before somebody says why they ended.
    reads=tuple(name for name in TABLES if name != "contracts"),
    also_reads=("feedback_annotations", "contracts"),
    dimensions=(*DIMENSIONS, "source", "kind", "group"),
    makes=("topic",),
    conclude=_told,
    good="none",
    empty=0,
    window_days="nps_window_days",
    variants={
        "mentions": "comments that speak of it",
        "share": "comments that speak of it / comments",
        "net_sentiment": "(positive − negative comments on it) / comments on it",
        "mean_score": "mean score of answers that speak of it, from 0 to 10",
        "impact": "their mean score less that of the other comments' answers",
        "nps": "Net Promoter Score of the answers that speak of it",
    },
    ratios=("share", "net_sentiment", "mean_score", "impact", "nps"),
    units={
        "share": "ratio",
        "net_sentiment": "index",
        "mean_score": "score",
        "impact": "score",
        "nps": "score",
    },
    params={"min_side": "comments each side of an impact needs, 5 unless said"},
    caveats=(
        "Every comment counts: of answers, tickets, contacts, notes and cancellations; "
        "effects are of those with a score. Scores of all surveys are stretched to 0 to 10, where 10 "
        "is best. Topics are found by analysis; what a person said goes before it."
    ),
)
def feedback_topics(t: Inputs, q: Query) -> ir.Table:
    """What customers speak of, in answers and elsewhere: how often each topic comes up,
    how they speak of it, and what it does to the score."""
    keys = [name for name in q.keys if name != "topic"]
    every = t.in_periods(comments(t))
    spoken = every.join(comment_topics(t), "response_id")
    spoken = spoken.filter(spoken.topic.notnull())
    every = every.mutate(topic=ibis.literal(_EVERY), sentiment=ibis.null("float64"))
    columns = list(dict.fromkeys([*keys, "topic", "sentiment", "points", "group"]))
    rows = every.select(columns).union(spoken.select(columns))
    sums = {
        "positive": rows.sentiment >= _FELT,
        "negative": rows.sentiment <= -_FELT,
        "promoters": rows.group == "promoter",
        "detractors": rows.group == "detractor",
        "answers": rows.group.isin(GROUPS),
    }
    return rows.group_by([*keys, "topic"]).agg(
        comments=rows.count(),
        points=rows.points.sum(),
        scored=rows.points.count(),
        **{name: holds.cast("int64").sum() for name, holds in sums.items()},
    )


def is_mismatch(score: float, sentiments: Sequence[float]) -> bool:
    """Does a comment on an NPS answer say the opposite of its score, 0 to 10?

    A promoter whose comment is negative over its topics on average, or a detractor
    whose comment is positive. False for a comment without topics. Source: F04.
    """
    if not sentiments:
        return False
    felt = fmean(sentiments)
    return (score >= 9 and felt <= -_FELT) or (score <= 6 and felt >= _FELT)
