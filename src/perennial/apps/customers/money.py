"""What one account pays: items, history, contract terms, seats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from perennial.apps.customers.account import Account
from perennial.apps.customers.kept import kept
from perennial.apps.customers.scope import only
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core import money
from perennial.core.windows import DAY, add_months, day_start, month_end
from perennial.lake.workspace import Workspace as Lake

#: Months of the history.
MONTHS = 24
_UNPAID = {
    "canceled",
    "cancelled",
    "incomplete",
    "incomplete_expired",
    "unpaid",
    "ended",
}


@dataclass(frozen=True)
class Item:
    """A subscription item that holds. `monthly` is None where it is no MRR (R01)."""

    product: str
    plan: str
    quantity: float | None
    unit_amount: Decimal | None
    interval: str
    interval_count: int
    discount: Decimal | None
    currency: str
    monthly: Decimal | None
    why_not: str


@dataclass(frozen=True)
class Term:
    start: date
    end: date
    acv: Decimal | None
    currency: str
    auto_renew: bool | None
    outcome: str
    churn_reason: str


@dataclass(frozen=True)
class Level:
    """What held from a day on."""

    since: date
    value: int | None
    before: int | None
    currency: str = ""


def items(workspace: Workspace, account: Account) -> list[Item]:
    """Items that hold at the last instant before the day the data speak of."""
    lake = lake_of(workspace)
    rows = lake.engine.rows("subscription_items", account.account_id)
    end = day_start(account.as_of, lake.settings.tz)
    following: dict[tuple[str, str], datetime] = {}
    found: list[Item] = []
    for row in rows.sort("valid_from", descending=True).iter_rows(named=True):
        key = (row["subscription_id"], row["item_id"] or "")
        until = row["valid_to"] or following.get(key)
        following[key] = row["valid_from"]
        if row["valid_from"] < end and (until is None or until >= end):
            found.append(item(row, end, lake.settings.currency))
    return sorted(found, key=lambda i: (-(i.monthly or 0), i.product))


def item(row: Mapping[str, Any], at: datetime, currency: str) -> Item:
    """An item of a subscription, and its MRR at an instant."""
    why_not = _why_not(row, at)
    return Item(
        product=row["product"] or row["item_id"] or row["subscription_id"],
        plan=row["plan"] or "",
        quantity=row["quantity"],
        unit_amount=row["unit_amount"],
        interval=row["interval"] or "month",
        interval_count=row["interval_count"] or 1,
        discount=row["discount"] or None,
        currency=(row["currency"] or currency).upper(),
        monthly=None if why_not else _monthly(row),
        why_not=why_not,
    )


def _why_not(row: Mapping[str, Any], at: datetime) -> str:
    status = row["status"] or "active"
    if row["usage_type"] == "metered":
        return "metered"
    if status in _UNPAID:
        return "unpaid"
    is_trial = row["is_trial"] if row["is_trial"] is not None else status == "trialing"
    if (is_trial and (row["trial_end"] is None or row["trial_end"] >= at)) or (
        row["is_trial"] is None and row["trial_end"] and row["trial_end"] >= at
    ):
        return "trial"
    paused, resumed = row["paused_from"], row["paused_to"]
    if status == "paused" or (
        paused and paused < at and (resumed is None or resumed >= at)
    ):
        return "paused"
    return ""


def _monthly(row: Mapping[str, Any]) -> Decimal:
    if row["mrr"] is not None:
        return max(Decimal(row["mrr"]), Decimal(0))
    quantity = Decimal(str(1 if row["quantity"] is None else row["quantity"]))
    gross = quantity * (row["unit_amount"] or Decimal(0)) - (row["discount"] or 0)
    interval, count = row["interval"] or "month", row["interval_count"] or 1
    return max(money.monthly(gross, interval, count), Decimal(0))


def terms(workspace: Workspace, account: Account) -> list[Term]:
    """Contract terms, the newest first."""
    lake = lake_of(workspace)
    rows = lake.engine.rows("contracts", account.account_id)
    found = [
        Term(
            row["term_start"],
            row["term_end"],
            row["acv"],
            (row["currency"] or lake.settings.currency).upper(),
            row["auto_renew"],
            row["outcome"] or "pending",
            row["churn_reason"] or "",
        )
        for row in rows.iter_rows(named=True)
    ]
    return sorted(found, key=lambda term: term.start, reverse=True)


def history(
    workspace: Workspace, account: Account, changes: Sequence[Level]
) -> list[tuple[date, float | None]]:
    """MRR at the end of each month, in the workspace currency.

    From the month before the first with any on; the running month as of today.
    Only foreign currency needs the metric, which knows the rates.
    """
    lake = lake_of(workspace)
    first = add_months(account.as_of.replace(day=1), 1 - MONTHS)
    if {level.currency for level in changes} <= {lake.settings.currency}:
        rows = _month_ends(changes, first, account.as_of)
    else:
        found = lake.metric(
            "mrr",
            start=first,
            end=account.as_of,
            grain="month",
            where=only(account.account_id),
        )
        rows = [(r["period_start"], r["value"]) for r in found.to_dicts()]
    paid = [n for n, (_, value) in enumerate(rows) if value]
    return rows[max(paid[0] - 1, 0) :] if paid else []


def _month_ends(
    changes: Sequence[Level], first: date, as_of: date
) -> list[tuple[date, float | None]]:
    """The level at the last day of each month, or at the last day there is."""
    found: list[tuple[date, float | None]] = []
    month = first
    while month < as_of:
        last = min(month_end(month), as_of - DAY)
        held = next((level.value for level in changes if level.since <= last), 0)
        found.append((month, (held or 0) / money.SCALE))
        month = add_months(month, 1)
    return found


def seat_levels(workspace: Workspace, account: Account) -> list[Level]:
    """Seats bought, the newest change first."""
    rows = _runs(lake_of(workspace), account, "seat_ledger")
    return levels([(r["date_from"], r["seats"], "") for r in rows])


def mrr_levels(workspace: Workspace, account: Account) -> list[Level]:
    """Changes of MRR in the currency of the contract, the newest first."""
    rows = _runs(lake_of(workspace), account, "mrr_ledger")
    found: list[Level] = []
    for currency in {row["currency"] for row in rows}:
        runs = [r for r in rows if r["currency"] == currency]
        found += levels([(r["date_from"], r["mrr_e4"], currency) for r in runs])
    return sorted(found, key=lambda level: level.since, reverse=True)


@kept("seat_ledger", "mrr_ledger", size=512)
def _runs(lake: Lake, account: Account, name: str) -> list[dict[str, Any]]:
    """Rows of a ledger that had begun, the oldest first."""
    rows = lake.engine.rows(name, account.account_id)
    begun = rows.filter(pl.col("date_from") < account.as_of)
    return begun.sort("date_from").to_dicts()


def levels(runs: Sequence[tuple[date, int | None, str]]) -> list[Level]:
    """Runs of equal days, oldest first, as changes, newest first."""
    before: int | None = None
    found = []
    for since, value, currency in runs:
        found.append(Level(since, value, before, currency))
        before = value
    return found[::-1]
