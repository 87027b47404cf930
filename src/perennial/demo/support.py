"""Tickets, e-mails and touchpoints: those who are unhappy are heard more often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from perennial.demo import truths
from perennial.demo.arrow import Bools, Columns, Floats, Ints, numbered, pick, table
from perennial.demo.asking import TOPICS, words
from perennial.demo.clock import Window
from perennial.demo.engagement import feeling
from perennial.demo.moments import in_office_hours, now_and_then, someone, span
from perennial.demo.names import OWNERS, staff_email
from perennial.demo.seats import Seats
from perennial.demo.world import World

_TOPIC_SHARES = (0.13, 0.12, 0.09, 0.17, 0.13, 0.16, 0.2)
CHANNELS = ("email", "chat", "portal", "phone")
_CHANNEL_SHARES = (0.42, 0.27, 0.21, 0.1)

PRIORITIES = ("low", "normal", "high", "urgent")
_PRIORITY_SHARES = (0.22, 0.55, 0.17, 0.06)
#: Median hours to the first answer, and from there to the solution, by priority.
_ANSWER_HOURS = np.array([9.0, 4.5, 1.6, 0.5])
_SOLVE_HOURS = np.array([40.0, 22.0, 12.0, 5.0])

#: Tickets a month of an account, and of each seat.
_TICKETS, _TICKETS_A_SEAT = 0.45, 0.03
#: How much more often the unhappy write, as an exponent of how they feel.
_LOUD = -0.28


@dataclass(frozen=True)
class Tickets(Columns):
    """One element a ticket; times are days, NaN where it has not happened."""

    stint: Ints
    user: Ints
    opened: Floats
    answered: Floats
    solved: Floats
    closed: Floats
    priority: Ints
    topic: Ints
    reopened: Ints
    replies: Ints
    transfers: Ints
    spam: Bools


def loudly(rng: np.random.Generator, world: World, stint: Ints, day: Floats) -> Bools:
    """A selection of moments, in which unhappy accounts are more frequent."""
    weight = np.exp(_LOUD * feeling(world.terms, world.stints, stint, day))
    return np.asarray(rng.random(len(stint)) * 2 < weight)


def tickets(rng: np.random.Generator, world: World, held: Seats) -> Tickets:
    """Tickets in the order in which they were opened."""
    window = world.window
    first, last = span(world.stints, window)
    seats = held.on(np.arange(len(world.stints)), last)
    rate = 2 * (_TICKETS + _TICKETS_A_SEAT * seats) / 30
    stint, day = now_and_then(rng, first, last, rate)
    keep = loudly(rng, world, stint, day)
    stint, day = stint[keep], in_office_hours(rng, window, day[keep])
    inside = (day < last[stint]) & (day >= first[stint])
    order = np.argsort(day[inside], kind="stable")
    stint, day = stint[inside][order], day[inside][order]
    count = len(stint)
    priority = rng.choice(len(PRIORITIES), count, p=_PRIORITY_SHARES)
    answered, solved, closed = _times(rng, day, priority, window)
    once = rng.random(count) < 0.63
    return Tickets(
        stint=stint,
        user=someone(rng, world, stint, day),
        opened=day,
        answered=answered,
        solved=solved,
        closed=closed,
        priority=priority,
        topic=_topics(rng, day, window),
        reopened=np.where(np.isfinite(solved), rng.random(count) < 0.06, 0).astype(int),
        replies=np.where(
            np.isnan(answered), 0, np.where(once, 1, 2 + rng.poisson(0.9, count))
        ),
        transfers=(rng.random(count) < 0.09).astype(np.int64),
        spam=rng.random(count) < 0.008,
    )


def _times(
    rng: np.random.Generator, opened: Floats, priority: Ints, window: Window
) -> tuple[Floats, Floats, Floats]:
    count = len(opened)
    wait = _ANSWER_HOURS[priority] * np.exp(0.95 * rng.standard_normal(count)) / 24
    work = _SOLVE_HOURS[priority] * np.exp(1.0 * rng.standard_normal(count)) / 24
    answered = opened + wait
    solved = answered + work
    # Some of the latest wait for something or somebody.
    stuck = (rng.random(count) < 0.4) & (opened > window.days - 16)
    solved = np.where(stuck, np.nan, solved)
    closed = solved + 4
    times = (answered, solved, closed)
    answered, solved, closed = (np.where(t < window.days, t, np.nan) for t in times)
    return answered, solved, closed


def _topics(rng: np.random.Generator, day: Floats, window: Window) -> Ints:
    (surge,) = truths.find("theme_surge")
    ago = window.days - day
    recent = (ago >= (surge.low or 0)) & (ago < (surge.high or 0))
    weights = np.tile(_TOPIC_SHARES, (len(day), 1))
    weights[:, list(TOPICS).index(surge.subject)] *= np.where(recent, surge.effect, 1.0)
    edges = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    return np.asarray((rng.random((len(day), 1)) > edges[:, :-1]).sum(axis=1))


def tickets_table(
    rng: np.random.Generator,
    telling: np.random.Generator,
    world: World,
    found: Tickets,
) -> pa.Table:
    """One row a ticket; `telling` chooses its words."""
    count, window = len(found), world.window
    ids = numbered("tkt_", count)
    account = world.stints.account[found.stint]
    merged = _merged(rng, found)
    subjects, messages = words(telling, world, found.stint, found.topic)
    return table(
        "tickets",
        {
            "ticket_id": ids,
            "account_id": world.accounts.ids[account],
            "user_id": pick(world.users.ids, found.user),
            "opened_at": window.at(found.opened),
            "first_response_at": window.at(found.answered),
            "solved_at": window.at(found.solved),
            "closed_at": window.at(found.closed),
            "reopened_count": found.reopened,
            "agent_replies": found.replies,
            "customer_replies": rng.poisson(0.8, count),
            "transfers": found.transfers,
            "priority": np.array(PRIORITIES, dtype=object)[found.priority],
            "channel": np.array(CHANNELS, dtype=object)[
                rng.choice(len(CHANNELS), count, p=_CHANNEL_SHARES)
            ],
            "topic": np.array(list(TOPICS), dtype=object)[found.topic],
            "subject": subjects,
            "description": messages,
            "is_spam": found.spam,
            "merged_into": pick(ids, merged),
        },
    )


def _merged(rng: np.random.Generator, found: Tickets) -> Ints:
    """The ticket before it of the same account, for a few; else -1."""
    order = np.lexsort((found.opened, found.stint))
    before = np.full(len(found), -1)
    before[order[1:]] = np.where(
        found.stint[order[1:]] == found.stint[order[:-1]], order[:-1], -1
    )
    some = rng.random(len(found)) < 0.012
    # A ticket that went into another one takes no third one in.
    merged = np.where(some, before, -1)
    return np.where(np.isin(merged, np.flatnonzero(merged >= 0)), -1, merged)


_KINDS = ("call", "meeting", "e-mail", "training")
_KIND_SHARES = (0.44, 0.28, 0.18, 0.1)
_MINUTES = np.array([22.0, 48.0, 8.0, 75.0])
#: Touchpoints a month by segment.
_TOUCHES = np.array([1.7, 0.8, 0.3])
_SUMMARIES = (
    (
        "Went through the use of the last quarter; they want to add a depot.",
        "Showed the new map view; the planners will try it.",
        "Quarterly review; the goals were met.",
        "Talked about more seats for the summer.",
        "Happy with the weekly report; asked for a second one.",
    ),
    (
        "Their planner has left; nobody has taken over yet.",
        "Complained that the board is slow in the morning.",
        "Not sure whether they will renew; price is the topic.",
        "Crews still plan in a spreadsheet; offered training.",
        "Asked for a report by customer for the third time.",
    ),
)


def touchpoints_table(rng: np.random.Generator, world: World) -> pa.Table:
    """One row a contact between staff and a customer."""
    window, stints = world.window, world.stints
    first, last = span(stints, window)
    segment = world.accounts.segment[stints.account]
    rate = 2 * _TOUCHES[segment] / 30 * np.isfinite(stints.paid)
    stint, day = now_and_then(rng, first, last, rate)
    keep = loudly(rng, world, stint, day)
    stint, day = stint[keep], in_office_hours(rng, window, day[keep])
    inside = day < last[stint]
    order = np.argsort(day[inside], kind="stable")
    stint, day = stint[inside][order], day[inside][order]
    count = len(stint)
    kind = rng.choice(len(_KINDS), count, p=_KIND_SHARES)
    felt = feeling(world.terms, stints, stint, day) + 0.5 * rng.standard_normal(count)
    texts = [text for group in _SUMMARIES for text in group]
    which = np.where(felt < -0.6, len(_SUMMARIES[0]), 0) + rng.integers(0, 5, count)
    account = stints.account[stint]
    staff = np.array([staff_email(name) for name, _ in OWNERS], dtype=object)
    stand_in = rng.integers(0, len(staff), count)
    owner = world.accounts.owner[account]
    return table(
        "touchpoints",
        {
            "touchpoint_id": numbered("tch_", count),
            "account_id": world.accounts.ids[account],
            "at": window.at(day),
            "kind": np.array(_KINDS, dtype=object)[kind],
            "minutes": np.round(_MINUTES[kind] * rng.gamma(6, 1 / 6, count)),
            "staff_email": staff[np.where(rng.random(count) < 0.9, owner, stand_in)],
            "summary": np.array(texts, dtype=object)[which],
        },
    )
