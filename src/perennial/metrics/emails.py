"""E-mails with customers, and how fast they are answered: V02 of the reference."""

from __future__ import annotations

import re
from datetime import timedelta

import ibis
import ibis.expr.types as ir

from perennial.core.windows import day_start
from perennial.metrics.durations import seconds_between, summary, with_worked
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import ACCOUNT_DIMENSIONS, metric

_EMAILS = ("emails",)
_MINUTE_S, _HOUR_S = 60, 3600
_ADDRESS = r"([^<>\s,;]+@[^<>\s,;]+)"


def exchanged(t: Inputs, rows: ir.Table) -> ir.Table:
    """Messages between the company and its customers, with `mailbox`, the own address.

    Where the direction is not given, it follows from the sender's domain. Left out is
    what went only within the own domains.
    """
    own = "|".join(re.escape(d.lower()) for d in t.query.settings.internal_domains)
    sender = rows.from_address.lower().re_extract(_ADDRESS, 1)
    given = rows.to_addresses.lower().fill_null("")
    direction = rows.direction
    if own:
        is_own = sender.re_search(f"@({own})$")
        guessed = ibis.cases((is_own, "outbound"), else_="inbound")
        others = given.re_replace(rf"@({own})\s*([,;>]|$)", "")
        is_internal = is_own & ~others.contains("@") & given.contains("@")
        rows = rows.filter(~is_internal.fill_null(False))
        direction = direction.coalesce(guessed)
    mailbox = ibis.cases(
        (direction == "outbound", sender), else_=given.re_extract(_ADDRESS, 1)
    )
    return rows.mutate(direction=direction, mailbox=mailbox.nullif(""))


@metric(
    title="E-mails",
    theme="support",
    unit="count",
    formula="e-mails exchanged with customers in the period",
    example="3 e-mails received, 2 sent, and a newsletter: 3 + 2 = 5",
    source="V02",
    reads=_EMAILS,
    dimensions=(*ACCOUNT_DIMENSIONS, "direction", "mailbox"),
    good="none",
    empty=0,
    variants={
        "by_people": "messages that people wrote",
        "all": "automatic ones and newsletters, too",
    },
    caveats="Messages within your own company are not in it.",
)
def email_volume(t: Inputs, q: Query) -> ir.Table:
    """E-mails sent to customers and received from them; split by direction, or by
    your own mailbox."""
    rows = t.facts("emails", "sent_at", lambda rows: exchanged(t, rows))
    if q.variant == "by_people":
        rows = rows.filter(~rows.is_automatic.fill_null(False))
    rows = t.in_periods(rows)
    counted = rows.group_by(q.keys).agg(numerator=rows.count())
    return counted.mutate(denominator=ibis.null("int64"), n=counted.numerator)


@metric(
    title="E-mail response time",
    theme="support",
    unit="minutes",
    formula="minutes from a customer's e-mail to the answer / answers",
    example="answers after 30, 60 and 150 minutes: (30 + 60 + 150) / 3 = 80",
    source="V02",
    reads=_EMAILS,
    dimensions=(*ACCOUNT_DIMENSIONS, "mailbox"),
    good="down",
    variants={
        "mean": "mean by the clock",
        "median": "median by the clock",
        "p90": "what nine of ten answers stay below, by the clock",
        "within_60": "share of answers within an hour",
        "unanswered_rate": "share of e-mails without an answer after 72 hours",
        "business_mean": "mean in hours of work",
        "business_median": "median in hours of work",
        "business_p90": "what nine of ten answers stay below, in hours of work",
        "business_within_60": "share of answers within an hour of work",
    },
    units={
        "within_60": "ratio",
        "unanswered_rate": "ratio",
        "business_within_60": "ratio",
    },
    goods={"within_60": "up", "business_within_60": "up"},
    caveats=(
        "An answer belongs to the day it was sent; an e-mail without one to the day it "
        "came. Automatic messages and messages without a thread are left out; those "
        "that follow before the answer do not start the clock again."
    ),
)
def email_response_time(t: Inputs, q: Query) -> ir.Table:
    """How long customers wait for the answer to an e-mail, in minutes."""
    if q.variant == "unanswered_rate":
        return _unanswered(t, q)
    rows = t.in_periods(t.facts("emails", "answered_at", lambda rows: waits(t, rows)))
    statistic = q.variant.removeprefix("business_")
    if statistic != q.variant:
        rows = with_worked(t, rows, "sent_at", "answered_at")
    else:
        rows = rows.mutate(worked=seconds_between(rows.sent_at, rows.answered_at))
    if statistic == "within_60":
        known = rows.filter(rows.worked.notnull())
        is_quick = known.worked <= 60 * _MINUTE_S
        return known.group_by(q.keys).agg(
            numerator=is_quick.cast("int64").sum(),
            denominator=known.count(),
            n=known.count(),
        )
    return summary(rows, q.keys, "worked", statistic, unit=_MINUTE_S)


def waits(t: Inputs, rows: ir.Table) -> ir.Table:
    """Times a customer waited, one row each: `sent_at`, `answered_at` (null: not yet).

    From a thread's first message that nobody has answered to the next one of a
    person of the company. `mailbox` is who answered, or else who was asked.
    """
    rows = exchanged(t, rows)
    rows = rows.filter(
        ~rows.is_automatic.fill_null(False)
        & rows.thread_id.notnull()
        & rows.direction.notnull()
        & rows.sent_at.notnull()
    )
    order = ibis.window(group_by="thread_id", order_by=["sent_at", "message_id"])
    rows = rows.mutate(before=rows.direction.lag().over(order))
    # Of several in a row the first: directions alternate from here on.
    turns = rows.filter(rows.before.isnull() | (rows.before != rows.direction))
    turns = turns.mutate(
        answered_at=turns.sent_at.lead().over(order),
        answered_by=turns.mailbox.lead().over(order),
        answered_for=turns.account_id.lead().over(order),
    )
    asked = turns.filter(turns.direction == "inbound")
    return asked.select(
        "message_id",
        "sent_at",
        "answered_at",
        account_id=asked.account_id.coalesce(asked.answered_for),
        mailbox=asked.answered_by.coalesce(asked.mailbox),
    )


def _unanswered(t: Inputs, q: Query) -> ir.Table:
    """Of e-mails that came in the period long enough ago: had they an answer by then?"""
    hours = q.settings.email_unanswered_hours
    known = day_start(q.horizon, q.settings.tz) - timedelta(hours=hours)
    rows = t.in_periods(t.facts("emails", "sent_at", lambda rows: waits(t, rows)))
    rows = rows.filter(rows.sent_at <= ibis.literal(known))
    in_time = seconds_between(rows.sent_at, rows.answered_at) <= hours * _HOUR_S
    return rows.group_by(q.keys).agg(
        numerator=(~in_time.fill_null(False)).cast("int64").sum(),
        denominator=rows.count(),
        n=rows.count(),
    )
