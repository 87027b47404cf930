"""Do customers reach what they bought the product for: O01 to O03 of the reference."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from perennial.metrics import said
from perennial.metrics.durations import summary
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import ACCOUNT_DIMENSIONS, metric
from perennial.metrics.reliability import answered, requests
from perennial.metrics.support import first_contacts, solved_tickets
from perennial.metrics.surveys import (
    PARTS,
    answers,
    comment_topics,
    comments,
    is_easy,
    newest,
)

_GOALS = ("goals",)
#: Numbers past this are none: the way from one to another could not be computed.
_HUGE = 1e150


def progress(baseline: float, target: float, current: float | None) -> float | None:
    """How much of the way from baseline to target is done; up or down, not clipped.

    Null where there is no current value, or no way to go. Source: O01.
    """
    if current is None or target == baseline:
        return None
    return (current - baseline) / (target - baseline)


# Goals


def due_goals(t: Inputs) -> ir.Table:
    """Goals due in the periods, one row each, with how they went.

    - `achieved`: did some value at or before the due day reach the target, 0 or 1;
      null where none was measured by then. A target equal to the baseline is no goal.
    - `late`: the target was reached after the due day only.
    - `part`: progress by the last value at or before the due day, from 0 to 1, in
      whole parts of `PARTS`.
    """
    goals = t.in_periods(t.facts("goals", "due_on", _aimed))
    goals = goals.left_join(_went(t), "goal_id", rname="{name}_w")
    is_late = (goals.ever == 1) & (goals.achieved.fill_null(0) == 0)
    return goals.mutate(late=is_late.fill_null(False))


def _went(t: Inputs) -> ir.Table:
    """One row per measured goal: goal_id, achieved, ever (achieved at all), part."""
    goals, values = _aimed(t.everything("goals")), t.everything("goal_values")
    values = values.mutate(on=t.local_date(values.measured_at))
    values = values.filter(_is_finite(values.value) & (values.on < t.query.horizon))
    rows = goals.select("goal_id", "baseline", "target", "due_on").join(
        values.select("goal_id", "measured_at", "on", "value"), "goal_id"
    )
    is_there = ibis.cases(
        (rows.target > rows.baseline, rows.value >= rows.target),
        else_=rows.value <= rows.target,
    ).cast("int64")
    done = (rows.value - rows.baseline) / (rows.target - rows.baseline)
    done = ibis.greatest(ibis.least(done, 1.0), 0.0)
    in_time = rows.on <= rows.due_on
    latest = ibis.window(
        group_by=["goal_id", in_time], order_by=ibis.desc("measured_at")
    )
    rows = rows.mutate(
        in_time=in_time,
        is_there=is_there,
        part=(done * PARTS).round().cast("int64"),
        place=ibis.row_number().over(latest),
    )
    return rows.group_by("goal_id").agg(
        achieved=rows.is_there.max(where=rows.in_time),
        ever=rows.is_there.max(),
        part=rows.part.max(where=rows.in_time & (rows.place == 0)),
    )


def _aimed(goals: ir.Table) -> ir.Table:
    """Goals that have a way to go."""
    return goals.filter(
        _is_finite(goals.target)
        & _is_finite(goals.baseline)
        & (goals.target != goals.baseline)
    )


def _is_finite(number: ir.FloatingColumn) -> ir.BooleanColumn:
    return number.between(-_HUGE, _HUGE)


@metric(
    title="Outcome rate",
    theme="health",
    unit="ratio",
    formula="goals achieved by their due day / goals due that were measured",
    example="of 4 goals that were measured 3 were achieved: 3 / 4 = 0.75",
    source="O01",
    reads=_GOALS,
    also_reads=("goal_values",),
    dimensions=(*ACCOUNT_DIMENSIONS, "measure"),
    window_days=90,
    variants={
        "achieved": "goals achieved by their due day / goals due that were measured",
        "progress": "mean progress of the goals by their due day, from 0 to 1",
        "late": "goals achieved after their due day / goals due that were measured",
        "measured": "goals with a value by their due day / goals due",
    },
    goods={"late": "down"},
    caveats=(
        "A goal nobody measured by its due day is neither achieved nor missed: see the "
        "variant measured. A target equal to the baseline is no goal."
    ),
)
def outcome_rate(t: Inputs, q: Query) -> ir.Table:
    """Share of the customers' goals that were reached in time: whether the product
    brings what it was bought for."""
    goals = due_goals(t)
    is_measured = goals.achieved.notnull()
    if q.variant == "measured":
        return goals.group_by(q.keys).agg(
            numerator=is_measured.cast("int64").sum(),
            denominator=goals.count(),
            n=goals.count(),
        )
    goals = goals.filter(is_measured)
    count = {
        "progress": goals.part.sum().cast("float64") / PARTS,
        "late": goals.late.cast("int64").sum(),
    }.get(q.variant, goals.achieved.sum())
    return goals.group_by(q.keys).agg(
        numerator=count, denominator=goals.count(), n=goals.count()
    )


# The appropriate experience


def experience(t: Inputs, q: Query) -> ir.Table:
    """How accounts experienced the product up to each period's end (O02).

    One row per period and account with a criterion that can be judged: `met` and
    `judged`, criteria. Each looks back 90 days; onboarding is of any time before.
    """
    every = criteria(t, q)
    return every.group_by(["period_start", "account_id"]).agg(
        met=every.is_met.cast("int64").sum(), judged=every.count()
    )


#: The criteria of an experience, in the order they are told in.
CRITERIA = ("effort", "onboarding", "speed", "support", "clarity")


def criteria(t: Inputs, q: Query) -> ir.Table:
    """One row per period, account and `criterion` that can be judged: `is_met`."""
    judges = (_was_easy, _was_onboarded, _was_fast, _was_settled, _was_clear)
    every = ibis.union(
        *(
            judge(t, q).select(
                "period_start", "account_id", "is_met", criterion=ibis.literal(name)
            )
            for name, judge in zip(CRITERIA, judges, strict=True)
        )
    )
    return every.filter(every.account_id.notnull())


_KEYS = ["period_start", "account_id"]


def _of_window(t: Inputs, q: Query, rows: ir.Table) -> ir.Table:
    return t.in_periods(rows, t.trailing(q.settings.experience_window_days))


def _was_easy(t: Inputs, q: Query) -> ir.Table:
    """The last effort score is low effort."""
    rows = _of_window(t, q, answers(t.whole, "ces"))
    window = ibis.window(group_by=_KEYS, order_by=newest(rows))
    ranked = rows.mutate(place=ibis.row_number().over(window))
    last = ranked.filter(ranked.place == 0)
    return last.mutate(is_met=is_easy(last, q.settings.ces_positive_from))


def _was_onboarded(t: Inputs, q: Query) -> ir.Table:
    """Onboarding took at most so many days; judged where its end is known."""
    known = t.accounts.select(
        "account_id",
        created=t.local_date(t.accounts.created_at),
        done=t.local_date(t.accounts.onboarding_completed_at),
    )
    known = known.filter(known.done.notnull())
    rows = known.left_join(t.first_paid(), "account_id").cross_join(t.ends)
    rows = rows.mutate(began=rows.created.coalesce(rows.paid))
    rows = rows.filter((rows.done <= rows["last"]) & (rows.began <= rows.done))
    took = rows.done.delta(rows.began, unit="day")
    return rows.mutate(is_met=took <= q.settings.experience_onboarding_days)


def _was_fast(t: Inputs, q: Query) -> ir.Table:
    """95 of 100 of the account's requests were fast enough."""
    rows = _of_window(t, q, answered(requests(t.whole)))
    times = summary(rows, _KEYS, "duration_ms", "p95", weight="requests")
    return times.mutate(is_met=times.value <= q.settings.experience_response_ms)


def _was_settled(t: Inputs, q: Query) -> ir.Table:
    """Enough of the account's tickets were settled by the first answer."""
    rows = first_contacts(t, q, _of_window(t, q, solved_tickets(t.whole)))
    sums = rows.group_by(_KEYS).agg(
        settled=rows.is_settled.cast("int64").sum(), tickets=rows.count()
    )
    share = sums.settled.cast("float64") / sums.tickets
    return sums.mutate(is_met=share >= q.settings.experience_fcr)


def _was_clear(t: Inputs, q: Query) -> ir.Table:
    """Few of the account's comments say that the product confuses or overloads."""
    topics = comment_topics(t)
    bad = topics.topic.lower().isin([n.lower() for n in q.settings.experience_topics])
    one = topics.group_by("response_id").agg(
        is_bad=bad.fill_null(False).cast("int64").max()
    )
    rows = _of_window(t, q, comments(t.whole)).join(one, "response_id")
    sums = rows.group_by(_KEYS).agg(bad=rows.is_bad.sum(), comments=rows.count())
    share = sums.bad.cast("float64") / sums.comments
    return sums.mutate(is_met=share < q.settings.experience_topic_share)


@metric(
    title="Customer success rate",
    theme="health",
    unit="ratio",
    formula="accounts that reached their goals with a good experience / accounts judged",
    example="of 4 accounts judged one reached its goals with a good experience: 1 / 4 = 0.25",
    source="O03",
    reads=_GOALS,
    also_reads=("goal_values", "feedback_annotations", "request_days", *said.TABLES),
    window_days=90,
    variants={
        "success": "goals reached and a good experience",
        "outcome_only": "goals reached, but not with a good experience",
        "experience_only": "a good experience, but goals missed",
        "neither": "goals missed and no good experience",
    },
    goods={"outcome_only": "none", "experience_only": "none", "neither": "down"},
    caveats=(
        "Accounts with goals due in the period, all of which must be achieved, and with "
        "at least two of five criteria of experience: low effort in the last survey, "
        "onboarding within 14 days, fast answers of the product, tickets settled by the "
        "first answer, few comments that it confuses. Three quarters of them make it "
        "good. The limits are settings that begin with experience."
    ),
)
def customer_success_rate(t: Inputs, q: Query) -> ir.Table:
    """Share of accounts that reached what they wanted and had a good experience on the
    way."""
    goals = due_goals(t)
    goals = goals.filter(goals.achieved.notnull() & goals.account_id.notnull())
    keys = list(dict.fromkeys([*q.keys, "account_id"]))
    outcome = goals.group_by(keys).agg(achieved=goals.achieved.min())
    judged = experience(t, q)
    judged = judged.filter(judged.judged >= q.settings.experience_criteria)
    rows = outcome.join(judged, _KEYS)
    is_good = rows.met.cast("float64") / rows.judged >= q.settings.experience_pass
    is_achieved = rows.achieved == 1
    counted = {
        "outcome_only": is_achieved & ~is_good,
        "experience_only": ~is_achieved & is_good,
        "neither": ~is_achieved & ~is_good,
    }.get(q.variant, is_achieved & is_good)
    return rows.group_by(q.keys).agg(
        numerator=counted.cast("int64").sum(), denominator=rows.count(), n=rows.count()
    )
