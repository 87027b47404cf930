"""How well support answers: V01 of the reference, and times of tickets."""

from __future__ import annotations

from datetime import timedelta

import ibis
import ibis.expr.types as ir

from perennial.core.windows import day_start
from perennial.metrics.durations import seconds_between, summary, with_worked
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import USER_DIMENSIONS, metric

_TICKETS = ("tickets",)
_DIMENSIONS = (*USER_DIMENSIONS, "channel", "topic", "priority")
_HOUR_S = 3600
_TIMES = {
    "median": "median by the clock",
    "mean": "mean by the clock",
    "p90": "what nine of ten tickets stay below, by the clock",
    "business_median": "median in hours of work",
    "business_mean": "mean in hours of work",
    "business_p90": "what nine of ten tickets stay below, in hours of work",
}


def _counted(t: Inputs, rows: ir.Table) -> ir.Table:
    """Tickets that are in numbers: no spam, of merged ones the one that goes on."""
    rows = rows.filter(~rows.is_spam.fill_null(False) & rows.merged_into.isnull())
    return t.attributed("tickets", "ticket_id", rows, "opened_at")


def solved_tickets(t: Inputs) -> ir.Table:
    """Tickets that are solved, one row each; `date` is the local day it was done."""
    return t.facts("tickets", "solved_at", lambda rows: _counted(t, rows))


def opened_tickets(t: Inputs) -> ir.Table:
    """Tickets, one row each; `date` is the local day they were opened."""
    return t.facts("tickets", "opened_at", lambda rows: _counted(t, rows))


def _times(t: Inputs, q: Query, until: str) -> ir.Table:
    rows = t.in_periods(solved_tickets(t))
    rows = rows.filter(rows[until] >= rows.opened_at)
    statistic = q.variant.removeprefix("business_")
    if statistic != q.variant:
        rows = with_worked(t, rows, "opened_at", until)
    else:
        rows = rows.mutate(worked=seconds_between(rows.opened_at, rows[until]))
    return summary(rows, q.keys, "worked", statistic, unit=_HOUR_S)


@metric(
    title="First response time",
    theme="support",
    unit="hours",
    formula="median of first answer − opening, of tickets solved in the period",
    example="first answers after 1, 2 and 9 hours: median(1, 2, 9) = 2",
    source="V01",
    reads=_TICKETS,
    dimensions=_DIMENSIONS,
    good="down",
    variants=_TIMES,
    caveats="Tickets nobody answered are not in it; spam and merged ones never are.",
)
def first_response_time(t: Inputs, q: Query) -> ir.Table:
    """Hours customers wait for the first answer by a person."""
    return _times(t, q, "first_response_at")


@metric(
    title="Resolution time",
    theme="support",
    unit="hours",
    formula="median of solution − opening, of tickets solved in the period",
    example="solved after 4, 6 and 50 hours: median(4, 6, 50) = 6",
    source="V01",
    reads=_TICKETS,
    dimensions=_DIMENSIONS,
    good="down",
    variants=_TIMES,
    caveats=(
        "A ticket that was reopened counts from its opening to its last solution; spam "
        "and merged tickets never do."
    ),
)
def resolution_time(t: Inputs, q: Query) -> ir.Table:
    """Hours from the opening of a ticket to its solution."""
    return _times(t, q, "solved_at")


@metric(
    title="First contact resolution",
    theme="support",
    unit="ratio",
    formula="tickets settled by the first answer / tickets solved at least 7 days ago",
    example="of 6 tickets solved a week ago two took one answer and stayed solved: 2 / 6 = 0.333",
    source="V01",
    reads=_TICKETS,
    dimensions=_DIMENSIONS,
    variants={
        "resolved": "tickets settled by the first answer / tickets solved",
        "abandon_rate": "tickets whose customer gave up waiting / tickets ended",
    },
    goods={"abandon_rate": "down"},
    caveats=(
        "Settled: at most one answer by an agent, not handed on, not reopened, and no "
        "new ticket of the same person on the same topic within 7 days. Tickets of the "
        "last 7 days are still open to that and do not count; nor do tickets without a "
        "number of answers, those no person answered, abandoned ones, and those an "
        "agent opened."
    ),
)
def first_contact_resolution(t: Inputs, q: Query) -> ir.Table:
    """Share of solved tickets that took one answer and did not come back."""
    if q.variant == "abandon_rate":
        return _abandoned(t, q)
    rows = first_contacts(t, q, t.in_periods(solved_tickets(t)))
    return rows.group_by(q.keys).agg(
        numerator=rows.is_settled.cast("int64").sum(),
        denominator=rows.count(),
        n=rows.count(),
    )


def first_contacts(t: Inputs, q: Query, solved: ir.Table) -> ir.Table:
    """Of solved tickets those the first contact can be judged of, with `is_settled`."""
    asked = day_start(q.horizon, q.settings.tz)
    known = asked - timedelta(days=q.settings.fcr_window_days)
    by_person = (solved.agent_replies > 0) | (
        (solved.agent_replies == 0) & solved.first_response_at.notnull()
    )
    rows = solved.filter(
        (solved.solved_at <= ibis.literal(known))
        & by_person
        & ~solved.opened_by_agent.fill_null(False)
        & ~solved.is_abandoned.fill_null(False)
    )
    came_back = _came_back(t, q, rows)
    rows = rows.left_join(came_back, rows.ticket_id == came_back.repeated)
    return rows.mutate(
        is_settled=(rows.agent_replies <= 1)
        & (rows.transfers.fill_null(0) == 0)
        & (rows.reopened_count.fill_null(0) == 0)
        & rows.repeated.isnull()
    )


def _came_back(t: Inputs, q: Query, rows: ir.Table) -> ir.Table:
    """Tickets whose requester opened one on the same topic soon after: repeated."""
    every = _counted(t, t.everything("tickets"))
    later = every.select(
        next_id="ticket_id", requester="user_id", about="topic", opened="opened_at"
    )
    soon = rows.solved_at + ibis.interval(days=q.settings.fcr_window_days)
    found = rows.join(
        later,
        [
            rows.user_id == later.requester,
            rows.topic == later.about,
            rows.ticket_id != later.next_id,
            rows.solved_at <= later.opened,
            soon >= later.opened,
        ],
    )
    return found.select(repeated="ticket_id").distinct()


def _abandoned(t: Inputs, q: Query) -> ir.Table:
    def ended(rows: ir.Table) -> ir.Table:
        rows = _counted(t, rows.filter(~rows.opened_by_agent.fill_null(False)))
        return rows.mutate(ended_at=rows.solved_at.coalesce(rows.closed_at))

    rows = t.in_periods(t.facts("tickets", "ended_at", ended))
    return rows.group_by(q.keys).agg(
        numerator=rows.is_abandoned.fill_null(False).cast("int64").sum(),
        denominator=rows.count(),
        n=rows.count(),
    )
