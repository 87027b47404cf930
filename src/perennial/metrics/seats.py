"""Seats used of seats bought, and what their trend suggests: U11 of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import linear_regression, mean

import ibis.expr.types as ir

from perennial.metrics.activity import active_user_days
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import metric

#: Month-ends a trend needs, and looks at.
_LEAST, _MONTHS = 6, 12
_EXPANSION, _RIGHTSIZE, _PLATEAU = 0.90, 0.60, 0.05
#: Near the limit within this many months is a reason to talk.
_HORIZON_MONTHS = 3


@metric(
    title="License utilization",
    theme="usage",
    unit="ratio",
    formula="assigned users active in the last 30 days / seats bought",
    source="U11",
    reads=("seat_ledger",),
    good="none",
    window_days=30,
    stock=True,
    caveats="Accounts without seats, or with unlimited ones, count on neither side.",
)
def license_utilization(t: Inputs, q: Query) -> ir.Table:
    """Share of the seats that are used, at the period's last day. Above 1 where
    more people use the product than were paid for."""
    keys = [*q.keys, "account_id"]
    ledger = t.seat_ledger.cross_join(t.ends)
    live = (ledger.date_from <= ledger["last"]) & (
        ledger.date_to.isnull() | (ledger.date_to > ledger["last"])
    )
    seats = ledger.filter(live & (ledger.seats > 0)).select([*keys, "seats"])
    active = _active_assigned(t, q)
    used = active.group_by(["period_start", "account_id"]).agg(
        users=active.user_id.nunique()
    )
    joined = seats.left_join(used, ["period_start", "account_id"], rname="{name}_u")
    joined = joined.mutate(used=joined.users.fill_null(0))
    return joined.group_by(q.keys).agg(
        numerator=joined.used.sum(),
        denominator=joined.seats.sum(),
        n=joined.seats.sum(),
    )


def _active_assigned(t: Inputs, q: Query) -> ir.Table:
    """One row per period, account and assigned user active in its last 30 days."""
    window = t.trailing(30)
    days = t.in_periods(active_user_days(t), window)
    days = days.filter(days.account_id.notnull())
    present = days.select("period_start", "account_id", "user_id").distinct()
    seats = t.assignments.select("account_id", "user_id", "date_from", "date_to")
    assigned = present.join(seats, ["account_id", "user_id"]).join(
        t.ends.select("period_start", "last"), "period_start"
    )
    live = (assigned.date_from.isnull() | (assigned.date_from <= assigned["last"])) & (
        assigned.date_to.isnull() | (assigned.date_to > assigned["last"])
    )
    return assigned.filter(live).select("period_start", "account_id", "user_id")


@dataclass(frozen=True)
class SeatTrend:
    """Where seat use is going, from month-end values of a year.

    `utilization` and `growth` are fractions, `slope` is users a month,
    `months_to_90` until 90 % of the seats are used; null where it cannot be told.
    """

    utilization: float | None
    slope: float | None
    growth: float | None
    months_to_90: float | None
    signal: str


def seat_trend(active: Sequence[int], licensed: int | None) -> SeatTrend:
    """The trend of active seats at month ends, oldest first, and its signal.

    `signal` is the first that fits of overage, expansion, rightsize, plateau; else
    none. It needs six month ends. Source: U11.
    """
    series = list(active)[-_MONTHS:]
    known = len(series) >= _LEAST
    slope = (
        linear_regression(range(1, len(series) + 1), series).slope if known else None
    )
    growth = (series[-1] - series[0]) / series[0] if known and series[0] else None
    used = series[-1] / licensed if licensed and series else None
    months = None
    if slope is not None and slope > 0 and licensed:
        months = max(0.0, (_EXPANSION * licensed - series[-1]) / slope)
    return SeatTrend(
        used, slope, growth, months, _signal(series, licensed, slope, months)
    )


def _signal(
    series: Sequence[int],
    licensed: int | None,
    slope: float | None,
    months: float | None,
) -> str:
    if not licensed or not series:
        return "none"
    used = series[-1] / licensed
    if used > 1:
        return "overage"
    if used >= _EXPANSION or (months is not None and months <= _HORIZON_MONTHS):
        return "expansion"
    if slope is None:
        return "none"
    if all(users / licensed < _RIGHTSIZE for users in series[-3:]):
        return "rightsize"
    drift = abs(slope * (len(series) - 1)) / mean(series)
    return "plateau" if drift < _PLATEAU and used >= _RIGHTSIZE else "none"
