"""Sessions and time in the application: U02 and U03 of the reference."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from perennial.core.windows import DAY
from perennial.metrics.activity import active_user_days
from perennial.metrics.dimensions import NOTHING
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import USER_DIMENSIONS, metric


def closed_sessions(t: Inputs, q: Query) -> ir.Table:
    """Sessions that began in a period and are over, with their period."""
    over = q.now - q.settings.session_gap
    sessions = t.in_periods(t.sessions)
    return sessions.filter(sessions.ended_at <= ibis.literal(over))


def session_events(t: Inputs, q: Query) -> ir.Table:
    """One row per activity event of a known user in a session of the periods.

    Columns period_start, date (the session's), account_id ("" where unknown),
    user_id, started_at, duration_ms; at, event_id, feature_id (null where it is no
    use of one). Sessions not over are left out. Reads the events themselves; `split`
    what comes of it.
    """
    sessions = closed_sessions(t.whole, q)
    sessions = sessions.filter(sessions.user_id.notnull())
    sessions = sessions.select(
        "period_start", "date", "user_id", "started_at", "ended_at", "duration_ms",
        account_id=sessions.account_id.fill_null(NOTHING),
    )  # fmt: skip
    first, after = (q.span.start, q.span.end) if q.span else (q.today, q.today)
    # A session reaches into the days after the one it began on.
    reach = q.settings.session_longest + DAY
    events = t.activity_events(first, after + reach)
    events = events.mutate(account_id=events.account_id.fill_null(NOTHING))
    found = sessions.join(events, ["account_id", "user_id"])
    return found.filter(
        (found["at"] >= found.started_at) & (found["at"] <= found.ended_at)
    ).drop("ended_at")


@metric(
    title="Sessions",
    theme="usage",
    unit="count",
    formula="sessions that began in the period and are over",
    example="9:00 to 9:40 without a longer gap, and again from 10:10:01: 1 + 1 = 2",
    source="U02",
    reads=("sessions",),
    dimensions=USER_DIMENSIONS,
    empty=0,
)
def sessions(t: Inputs, q: Query) -> ir.Table:
    """Stretches of activity of a user in an account without a gap over 30 minutes;
    each belongs to the local day it began on."""
    rows = closed_sessions(t, q)
    counted = rows.group_by(q.keys).agg(numerator=rows.count())
    return counted.mutate(denominator=ibis.null("int64"), n=counted.numerator)


@metric(
    title="Average session duration",
    theme="usage",
    unit="seconds",
    formula="seconds of all sessions / sessions",
    example="sessions of 2400, 0 and 1200 seconds: (2400 + 0 + 1200) / 3 = 1200",
    source="U03",
    reads=("sessions",),
    dimensions=USER_DIMENSIONS,
    good="none",
    scale=1000,
    variants={
        "mean": "sessions of a single event, which last 0 seconds, included",
        "nonzero": "mean of the sessions that last longer than 0 seconds",
        "median": "median of all sessions",
        "p90": "90th percentile of all sessions",
    },
)
def average_session_duration(t: Inputs, q: Query) -> ir.Table:
    """How long a session lasts, first to last event, in seconds."""
    rows = closed_sessions(t, q)
    if q.variant == "nonzero":
        rows = rows.filter(rows.duration_ms > 0)
    aggregates = {
        "numerator": rows.duration_ms.sum(),
        "denominator": rows.count(),
        "n": rows.count(),
    }
    if q.variant in ("median", "p90"):
        share = 0.5 if q.variant == "median" else 0.9
        aggregates["value"] = rows.duration_ms.cast("float64").quantile(share).round()
    return rows.group_by(q.keys).agg(**aggregates)


@metric(
    title="Short sessions",
    theme="usage",
    unit="ratio",
    formula="sessions under 10 seconds or of a single event / sessions",
    example="of 4 sessions one lasts 5 seconds and one is a single event: (1 + 1) / 4 = 0.5",
    source="U15",
    reads=("sessions",),
    dimensions=USER_DIMENSIONS,
    good="down",
    params={"seconds": "a session shorter than this is short, 10 by default"},
)
def short_session_share(t: Inputs, q: Query) -> ir.Table:
    """Share of sessions that ended at once: somebody came, and left again."""
    rows = closed_sessions(t, q)
    longest = q.count("seconds", 10) * 1000
    short = ((rows.duration_ms > 0) & (rows.duration_ms < longest)) | (rows.events == 1)
    return rows.group_by(q.keys).agg(
        numerator=short.cast("int64").sum(), denominator=rows.count(), n=rows.count()
    )


@metric(
    title="Time in the application",
    theme="usage",
    unit="seconds",
    formula="seconds in sessions, split at midnight / active users",
    example="2400 and 600 seconds of two users on a day: (2400 + 600) / 2 = 1500",
    source="U03",
    reads=("user_days",),
    dimensions=USER_DIMENSIONS,
    scale=1000,
    entity="user",
)
def time_in_app(t: Inputs, q: Query) -> ir.Table:
    """Time an active user spent in the application during the period, in seconds."""
    days = t.in_periods(t.user_days)
    days = days.filter(days.user_id.notnull())
    seconds = days.group_by(q.keys).agg(numerator=days.duration_ms.sum())
    active = t.in_periods(active_user_days(t))
    users = active.group_by(q.keys).agg(denominator=active.user_id.nunique())
    joined = seconds.left_join(users, q.keys, rname="{name}_u")
    return joined.select(
        *q.keys,
        numerator=joined.numerator,
        denominator=joined.denominator,
        n=joined.denominator,
    )
