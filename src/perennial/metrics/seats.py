"""Seats used of seats bought: U11 of the reference."""

from __future__ import annotations

import ibis.expr.types as ir

from perennial.metrics.activity import active_user_days
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import metric


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
