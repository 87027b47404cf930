"""What customers answer in surveys: F01 to F03 of the reference."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from perennial.core.windows import day_start
from perennial.metrics.dimensions import NOTHING
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import USER_DIMENSIONS, metric
from perennial.metrics.surveys import PARTS, answers, is_easy, newest, on_scale

#: What answers can be split by.
DIMENSIONS = (
    *USER_DIMENSIONS,
    *("role", "touchpoint", "language", "scale", "survey", "wave", "channel"),
)

_ANSWERS = ("survey_responses",)
#: Touchpoints of surveys that ask about no single one.
_RELATIONSHIP = ("relationship", "relational")
_CONFIDENCE_95 = 1.96


@metric(
    title="Net Promoter Score",
    theme="voice",
    unit="score",
    formula="100 · (answers of 9 and 10 − answers of 0 to 6) / answers",
    example="10, 9, 9, 8, 7, 6, 0, 10, 5 and 9, so 5 promoters and 3 detractors: 100 * (5 - 3) / 10 = 20",
    source="F01",
    reads=_ANSWERS,
    dimensions=DIMENSIONS,
    window_days="nps_window_days",
    variants={
        "respondent": "every person counts once, with the last answer of the period",
        "account_weighted": "the mean of the accounts' scores",
        "margin": "points the score can be off by chance, with a confidence of 0.95",
        "promoters": "100 · answers of 9 and 10 / answers",
        "passives": "100 · answers of 7 and 8 / answers",
        "detractors": "100 · answers of 0 to 6 / answers",
    },
    goods={"margin": "down", "passives": "none", "detractors": "down"},
    caveats=(
        "A person in two accounts counts once in each of them, and once in all. "
        "Answers on a scale from 1 to 10 are grouped like the others; split by scale "
        "to see them. Surveys about a single touchpoint are another question: they are "
        "left out where the workspace also asks about the relationship, unless split or "
        "filtered by touchpoint or survey."
    ),
)
def nps(t: Inputs, q: Query) -> ir.Table:
    """How likely customers are to recommend you: the share of promoters less that of
    detractors, from −100 to 100."""
    rows = _of_one_question(t, answers(t, "nps"))
    rows = rows.filter((rows.high == 10) & rows.low.isin([0, 1]))
    rows = t.in_periods(rows)
    if q.variant == "account_weighted":
        return _account_weighted(_last(rows, [*q.keys, "account_id"]), q)
    counted = _groups(_last(rows, q.keys), q.keys)
    net = counted.promoters - counted.detractors
    share = {
        "promoters": counted.promoters,
        "passives": counted.n - counted.promoters - counted.detractors,
        "detractors": counted.detractors,
    }.get(q.variant, net)
    value = share.cast("float64") * 100 / counted.n
    if q.variant == "margin":
        # (P + D)/n − ((P − D)/n)², on one denominator: never below zero.
        spread = counted.n * (counted.promoters + counted.detractors) - net * net
        value = (
            (spread.cast("float64") / counted.n).sqrt()
            * (100 * _CONFIDENCE_95)
            / counted.n
        )
    return counted.select(
        *q.keys, numerator=share, denominator=counted.n, n=counted.n, value=value
    )


def _of_one_question(t: Inputs, rows: ir.Table) -> ir.Table:
    """Answers about the relationship, or, where there are none, all (F01).

    Split or filtered by touchpoint or survey, every row is of one question anyway.
    """
    if t.asks("touchpoint") or t.asks("survey"):
        return rows
    every = t.rows("survey_responses")
    every = every.filter(every.kind == "nps")
    any_ = every.agg(asked=_is_relational(every).cast("int64").max())
    marked = rows.cross_join(any_)
    return marked.filter(_is_relational(marked) | (marked.asked == 0)).drop("asked")


def _is_relational(rows: ir.Table) -> ir.BooleanColumn:
    about = rows.touchpoint.lower()
    return about.isnull() | (about == NOTHING) | about.isin(_RELATIONSHIP)


def _last(rows: ir.Table, keys: Sequence[str]) -> ir.Table:
    """The last answer of every person in each group of `keys`."""
    window = ibis.window(group_by=[*keys, "person"], order_by=newest(rows))
    ranked = rows.mutate(place=ibis.row_number().over(window))
    return ranked.filter(ranked.place == 0)


def _groups(rows: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Answers by `keys`: n, promoters, detractors."""
    return rows.group_by(list(keys)).agg(
        n=rows.count(),
        promoters=(rows.score >= 9).cast("int64").sum(),
        detractors=(rows.score <= 6).cast("int64").sum(),
    )


def _account_weighted(rows: ir.Table, q: Query) -> ir.Table:
    rows = rows.filter(rows.account_id.notnull())
    one = _groups(rows, [*q.keys, "account_id"])
    net = (one.promoters - one.detractors).cast("float64")
    # In whole parts of a point, so that the order of accounts does not matter.
    one = one.mutate(parts=(net * (100 * PARTS) / one.n).round().cast("int64"))
    every = one.group_by(q.keys).agg(parts=one.parts.sum(), n=one.count())
    return every.select(
        *q.keys,
        numerator=every.parts.cast("float64") / PARTS,
        denominator=every.n,
        n=every.n,
        value=every.parts.cast("float64") / PARTS / every.n,
    )


@metric(
    title="Customer satisfaction",
    theme="voice",
    unit="ratio",
    formula="answers of the top of the scale / answers",
    example="of 8 answers 5 are a 4 or a 5: 5 / 8 = 0.625",
    source="F02",
    reads=_ANSWERS,
    dimensions=DIMENSIONS,
    window_days=30,
    variants={
        "satisfied": "share of the two best scores; of scales of two or three, the best",
        "mean": "mean score, scales other than 1 to 5 stretched to it",
    },
    units={"mean": "score"},
    caveats="Every answer counts, not every person: it is asked about an occasion.",
)
def csat(t: Inputs, q: Query) -> ir.Table:
    """Share of answers that are satisfied: 4 and 5 of 1 to 5, 3 of 1 to 3, 6 and 7 of
    1 to 7, 9 and 10 of 1 to 10, good of good and bad."""
    rows = t.in_periods(answers(t, "csat"))
    if q.variant == "mean":
        return _mean_on(rows, q, 1, 5)
    is_short = rows.high - rows.low < 3
    least = ibis.cases((is_short, rows.high), else_=rows.high - 1)
    return _share(rows, q, rows.score >= least)


@metric(
    title="Customer effort score",
    theme="voice",
    unit="ratio",
    formula="answers of 5 to 7 / answers",
    example="of 8 answers 5 are 5 to 7 of 7: 5 / 8 = 0.625",
    source="F03",
    reads=_ANSWERS,
    dimensions=DIMENSIONS,
    window_days=30,
    variants={
        "positive": "share of answers that found it easy",
        "mean": "mean score, scales other than 1 to 7 stretched to it",
        "index": "100 · (answers of 6 and 7 − answers of 1 to 3) / answers",
    },
    units={"mean": "score", "index": "score"},
    caveats=(
        "Scores of surveys where much means effort are turned round. Other scales are "
        "cut at the same place, as 4 of 5."
    ),
)
def ces(t: Inputs, q: Query) -> ir.Table:
    """Share of answers that say it was easy: 5 to 7 of 7, 4 and 5 of 5."""
    rows = t.in_periods(answers(t, "ces"))
    if q.variant == "mean":
        return _mean_on(rows, q, 1, 7)
    if q.variant == "index":
        return _index(rows, q)
    return _share(rows, q, is_easy(rows, q.settings.ces_positive_from))


def _index(rows: ir.Table, q: Query) -> ir.Table:
    counted = rows.group_by(q.keys).agg(
        easy=is_easy(rows, 6).cast("int64").sum(),
        # At most 3 of 7.
        hard=((rows.score - rows.low) * 6 <= (rows.high - rows.low) * 2)
        .cast("int64")
        .sum(),
        n=rows.count(),
    )
    net = counted.easy - counted.hard
    return counted.select(
        *q.keys,
        numerator=net,
        denominator=counted.n,
        n=counted.n,
        value=net.cast("float64") * 100 / counted.n,
    )


def _share(rows: ir.Table, q: Query, fits: ir.BooleanColumn) -> ir.Table:
    return rows.group_by(q.keys).agg(
        numerator=fits.cast("int64").sum(), denominator=rows.count(), n=rows.count()
    )


def _mean_on(rows: ir.Table, q: Query, low: int, high: int) -> ir.Table:
    rows = rows.mutate(parts=on_scale(rows, low, high))
    counted = rows.group_by(q.keys).agg(parts=rows.parts.sum(), n=rows.count())
    return counted.select(
        *q.keys,
        numerator=counted.parts.cast("float64") / PARTS,
        denominator=counted.n,
        n=counted.n,
    )


@metric(
    title="Survey response rate",
    theme="voice",
    unit="ratio",
    formula="invitations answered / invitations delivered",
    example="100 invitations, 10 of which came back, 27 answers: 27 / (100 - 10) = 0.3",
    source="F01",
    reads=("survey_invites",),
    also_reads=("survey_responses",),
    dimensions=(
        *USER_DIMENSIONS,
        *("kind", "touchpoint", "language", "survey", "wave", "channel"),
    ),
    window_days="nps_window_days",
    caveats=(
        "Invitations belong to the day they were sent; those of the last days may still "
        "be answered. Answers are matched by their invite_id."
    ),
)
def survey_response_rate(t: Inputs, q: Query) -> ir.Table:
    """Share of the survey invitations that were answered. Those that came back do not
    count."""
    invites = t.facts(
        "survey_invites",
        "invited_at",
        lambda rows: t.attributed(
            "survey_invites",
            "invite_id",
            rows.filter(rows.bounced_at.isnull()),
            "invited_at",
        ),
    )
    given = t.rows("survey_responses")
    known = given.answered_at < day_start(q.horizon, q.settings.tz)
    given = given.filter(known & given.invite_id.notnull())
    given = given.select(answered="invite_id").distinct()
    rows = t.in_periods(invites).left_join(given, invites.invite_id == given.answered)
    return rows.group_by(q.keys).agg(
        numerator=rows.answered.count(), denominator=rows.count(), n=rows.count()
    )
