"""Answers to surveys as every metric of them sees them: section 7 of the reference."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from perennial.metrics.inputs import Inputs
from perennial.metrics.said import SOURCES, Source

#: Scales of surveys that do not say theirs.
_SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
#: Scores on another scale are added up in whole parts of this size.
PARTS = 10**9
#: Mean scores of comments are on a scale from 0 to this.
_POINTS = 10

#: Who found topics of comments that nobody else looked at: the nightly refresh.
BUILT_IN = "built_in"

#: Who answers a Net Promoter survey, by the score.
GROUPS = ("promoter", "passive", "detractor")

Prepare = Callable[[ir.Table], ir.Table]


def answers(t: Inputs, kind: str) -> ir.Table:
    """Valid answers to a kind of survey, one row an answer, with `date`.

    - `score` is a whole number in [`low`, `high`], its scale; others are left out.
      A scale where much means effort is turned round (F03).
    - `person` is the user, or the answer itself where nobody is known.
    - Of several answers to one invitation the last counts.
    """
    return t.facts("survey_responses", "answered_at", _valid(t, kind))


def _valid(t: Inputs, kind: str) -> Prepare:
    def prepared(rows: ir.Table) -> ir.Table:
        placed = _placed(t, rows.filter(rows.kind == kind))
        return _last_of_invite(placed.filter(placed.score.notnull()))

    return prepared


def _placed(t: Inputs, rows: ir.Table) -> ir.Table:
    """Answers with whose they are and their `score`, null where it cannot be."""
    rows = t.attributed("survey_responses", "response_id", rows, "answered_at")
    rows = _with_role(t, rows).mutate(
        person=ibis.cases(
            (rows.user_id.notnull(), ibis.literal("u") + rows.user_id),
            else_=ibis.literal("r") + rows.response_id,
        )
    )
    return on_scales(rows)


def _with_role(t: Inputs, rows: ir.Table) -> ir.Table:
    """Rows with the `role` of their user."""
    users = t.users.select(role_of="user_id", role="role")
    return rows.left_join(users, rows.user_id == users.role_of).drop("role_of")


def on_scales(rows: ir.Table) -> ir.Table:
    """Rows of `survey_responses` with their scale, `low` and `high`, and `score` as a
    whole number on it, where much is good; null where it is none."""
    default = [
        ibis.cases(
            *((rows.kind == kind, scale[end]) for kind, scale in _SCALES.items())
        )
        for end in (0, 1)
    ]
    rows = rows.mutate(
        low=rows.scale_min.fill_null(default[0]),
        high=rows.scale_max.fill_null(default[1]),
    )
    inside = rows.score.between(rows.low, rows.high)
    rows = rows.mutate(given=ibis.cases((inside, rows.score)).cast("int64"))
    is_whole = (rows.score == rows.given.cast("float64")) & (rows.low < rows.high)
    is_effort = (rows.kind == "ces") & (rows.orientation == "effort").fill_null(False)
    ease = ibis.cases((is_effort, rows.low + rows.high - rows.given), else_=rows.given)
    return rows.mutate(
        score=ibis.cases((is_whole, ease)),
        scale=rows.low.cast("string") + "-" + rows.high.cast("string"),
    ).drop("given", "scale_min", "scale_max", "orientation")


def _last_of_invite(rows: ir.Table) -> ir.Table:
    alone = ibis.cases((rows.invite_id.isnull(), rows.response_id))
    window = ibis.window(
        group_by=[rows.kind, rows.invite_id, alone], order_by=newest(rows)
    )
    ranked = rows.mutate(place=ibis.row_number().over(window))
    return ranked.filter(ranked.place == 0).drop("place")


def newest(rows: ir.Table) -> list[ir.Value]:
    """The order of answers, the last one first."""
    return [ibis.desc(rows.answered_at), ibis.desc(rows.response_id)]


def is_easy(rows: ir.Table, score_of_7: int) -> ir.BooleanColumn:
    """Is the score at least where `score_of_7` is on a scale from 1 to 7?"""
    return (rows.score - rows.low) * 6 >= (rows.high - rows.low) * (score_of_7 - 1)


def on_scale(rows: ir.Table, low: int, high: int) -> ir.IntegerColumn:
    """The score stretched to a scale, in whole parts of `PARTS`; after `on_scales`."""
    share = (rows.score - rows.low).cast("float64") / (rows.high - rows.low)
    return low * PARTS + (share * ((high - low) * PARTS)).round().cast("int64")


# Comments

#: What is known of a comment beside its text, of an answer's or any other.
_OF_COMMENTS = (
    *("response_id", "source", "account_id", "user_id", "at", "language", "role"),
    *("kind", "survey", "wave", "channel", "touchpoint", "scale"),
    *("score", "points", "group"),
)


def comments(t: Inputs) -> ir.Table:
    """Comments of every source, one row each, without their text.

    `points` is the score of its answer on a scale from 0 to 10, in whole parts; null
    without one. `group` is promoter, passive or detractor in an NPS survey, otherwise
    null. `language` is the one that was told, or else the one it was read in.
    """
    return t.facts("survey_responses", "at", lambda rows: _every_comment(t, rows))


def _every_comment(t: Inputs, rows: ir.Table) -> ir.Table:
    answered = _commented(t, rows).select(_OF_COMMENTS)
    others = [
        _elsewhere(t, source, answered)
        for source in SOURCES.values()
        if source.name != "survey"
    ]
    every = ibis.union(answered, *others)
    return _in_its_language(t, every) if t.asks("language") else every


def _commented(t: Inputs, rows: ir.Table) -> ir.Table:
    rows = rows.filter(rows.comment.strip() != "")
    rows = _last_of_invite(_placed(t, rows))
    is_nps = (rows.kind == "nps") & (rows.high == 10) & rows.low.isin([0, 1])
    promoter, passive, detractor = GROUPS
    group = ibis.cases(
        (rows.score >= 9, promoter), (rows.score >= 7, passive), else_=detractor
    )
    return rows.mutate(
        at="answered_at",
        source=ibis.literal("survey"),
        points=on_scale(rows, 0, _POINTS),
        group=ibis.cases((is_nps & rows.score.notnull(), group)),
    )


def _elsewhere(t: Inputs, source: Source, like: ir.Table) -> ir.Table:
    """Comments of another source in the columns of answers', null where only these
    have something to tell."""
    rows = source.said(t.everything(source.table)).drop("comment")
    if source.has_users:
        rows = t.attributed(source.table, "response_id", rows, "at")
        rows = _with_role(t, rows)
    return rows.select(
        **{
            name: (rows[name] if name in rows.columns else ibis.null()).cast(of)
            for name, of in like.schema().items()
        }
    )


def _in_its_language(t: Inputs, rows: ir.Table) -> ir.Table:
    read = t.everything("feedback_annotations")
    read = read.filter((read.annotated_by == BUILT_IN) & read.language.notnull())
    known = read.group_by(known_of="response_id").agg(
        read_in=read.language.argmax(read.version)
    )
    found = rows.left_join(known, rows.response_id == known.known_of)
    language = found.language.coalesce(found.read_in)
    return found.mutate(language=language).select(rows.columns)


def comment_topics(t: Inputs) -> ir.Table:
    """Topics of comments as they count: response_id, topic, sentiment, read_in (the
    language).

    A person's word goes before an analysis that came with an import, that before the
    reading of the nightly refresh, a newer version before an older one; `topic` is
    null where a comment was looked at and speaks of none.
    """
    return ranked(t.everything("feedback_annotations"))


def ranked(rows: ir.Table) -> ir.Table:
    """As `comment_topics`, of rows of `feedback_annotations`."""
    by = rows.annotated_by.fill_null("analysis")
    rank = ibis.cases((by == "person", 2), (by == BUILT_IN, 0), else_=1)
    rows = rows.mutate(rank=rank, version=rows.version.fill_null(0))
    one = ibis.window(
        group_by="response_id", order_by=[ibis.desc("rank"), ibis.desc("version")]
    )
    ranked = rows.mutate(place=ibis.rank().over(one))
    topic = ranked.topic.strip()
    return ranked.filter(ranked.place == 0).select(
        "response_id", "sentiment", topic=topic.nullif(""), read_in="language"
    )
