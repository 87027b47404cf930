"""Seats used of seats bought, and what their trend suggests: U11 of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import linear_regression, mean

import ibis
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
    example="62 active users for 70 seats: 62 / 70 = 0.886",
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
    used = _active_assigned(t, q)
    used = used.group_by(["period_start", "account_id"]).agg(
        users=used.user_id.nunique()
    )
    seats = _bought(t, q)
    joined = seats.left_join(used, ["period_start", "account_id"], rname="{name}_u")
    return _rate(q, joined.mutate(users=joined.users.fill_null(0)))


@metric(
    title="Seat assignment rate",
    theme="usage",
    unit="ratio",
    formula="users with a seat / seats bought",
    example="56 users with a seat for 70 seats: 56 / 70 = 0.8",
    source="U11",
    reads=("seat_ledger",),
    good="none",
    window_days=1,
    stock=True,
    caveats="Accounts without seats, or with unlimited ones, count on neither side.",
)
def seat_assignment_rate(t: Inputs, q: Query) -> ir.Table:
    """Share of the seats bought that somebody holds, whether they use it or not, at
    the period's last day. Above 1 where more people have access than were paid for."""
    return _rate(q, _with_holders(t, _bought(t, q)))


def _rate(q: Query, accounts: ir.Table) -> ir.Table:
    """Users over seats of accounts."""
    return accounts.group_by(q.keys).agg(
        numerator=accounts.users.sum(),
        denominator=accounts.seats.sum(),
        n=accounts.seats.sum(),
    )


def _bought(t: Inputs, q: Query) -> ir.Table:
    """One row per period, group and account with seats at its last day: seats, last."""
    ledger = t.seat_ledger.cross_join(t.ends)
    live = (ledger.date_from <= ledger["last"]) & (
        ledger.date_to.isnull() | (ledger.date_to > ledger["last"])
    )
    columns = dict.fromkeys([*q.keys, "account_id", "seats", "last"])
    return ledger.filter(live & (ledger.seats > 0)).select(*columns)


def _with_holders(t: Inputs, bought: ir.Table) -> ir.Table:
    """Seats bought with the `users` that held one on the day.

    Each seat is one more from its first day and one less from its end; adding these
    up by account tells every day at once, where a join would pair all with all.
    """
    seats = t.whole.assignments
    ever = ibis.literal("1900-01-01").cast("date")
    given = seats.select(
        "account_id",
        last=seats.date_from.fill_null(ever),
        step=ibis.literal(1, "int64"),
    )
    ended = seats.filter(seats.date_to.notnull())
    taken = ended.select("account_id", last="date_to", step=ibis.literal(-1, "int64"))
    steps = given.union(taken)
    steps = steps.group_by(["account_id", "last"]).agg(step=steps.step.sum())
    marks = bought.mutate(
        step=ibis.literal(0, "int64"), is_mark=ibis.literal(1, "int64")
    )
    blank = {
        name: ibis.null(kind)
        for name, kind in marks.schema().items()
        if name not in ("account_id", "last", "step", "is_mark")
    }
    steps = steps.mutate(is_mark=ibis.literal(0, "int64"), **blank)
    line = marks.union(steps.select(marks.columns))
    until = ibis.cumulative_window(group_by="account_id", order_by=["last", "is_mark"])
    line = line.mutate(users=line.step.sum().over(until))
    return line.filter(line.is_mark == 1)


def _active_assigned(t: Inputs, q: Query) -> ir.Table:
    """Users with a seat on a period's last day that were active in the 30 up to it."""
    window = t.trailing(q.settings.mau_days)
    days = t.in_periods(active_user_days(t.whole), window)
    days = days.filter(days.account_id.notnull())
    present = days.select("period_start", "account_id", "user_id").distinct()
    present = present.join(t.ends.select("period_start", "last"), "period_start")
    held = present.join(t.whole.assignments, ["account_id", "user_id"])
    live = (held.date_from.isnull() | (held.date_from <= held["last"])) & (
        held.date_to.isnull() | (held.date_to > held["last"])
    )
    return held.filter(live).select("period_start", "account_id", "user_id")


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
