"""The numbers of Home: customers, MRR, risk, renewals ahead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from perennial.apps.customers import listing
from perennial.apps.customers.kept import kept
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.money import SCALE
from perennial.core.windows import DAY, add_months
from perennial.lake.workspace import Workspace as Lake

STATES = ("green", "yellow", "orange", "red", "none")
RISKY = ("orange", "red")
#: Months of renewals ahead.
MONTHS = 6
#: With what MRR, seats and users are compared, and with what MRR at risk.
MONTH_DAYS, WEEK_DAYS = 28, 7


@dataclass(frozen=True)
class Sum:
    """Customers with something in common, added up."""

    accounts: int = 0
    mrr_e4: int = 0
    seats: int = 0
    users: int = 0

    def __add__(self, other: Sum) -> Sum:
        return Sum(
            self.accounts + other.accounts,
            self.mrr_e4 + other.mrr_e4,
            self.seats + other.seats,
            self.users + other.users,
        )

    @property
    def mrr(self) -> Decimal:
        return Decimal(self.mrr_e4) / SCALE

    @property
    def license_use(self) -> float | None:
        return self.users / self.seats if self.seats else None


@dataclass(frozen=True)
class Cell:
    """A `Sum` of one owner, color and renewal month."""

    owner: str
    color: str
    month: date | None
    renews_soon: bool
    sum: Sum


@dataclass(frozen=True)
class Past:
    """What held on an earlier day, by owner and color."""

    days_ago: int
    owner: str
    color: str
    sum: Sum


@dataclass(frozen=True)
class Summary:
    """The strip of numbers, and the renewals ahead."""

    total: Sum
    colors: Mapping[str, Sum]
    renewing: Sum
    at_risk: Sum
    before: Sum | None
    at_risk_before: Sum | None
    months: list[tuple[date, dict[str, float]]]


def summary(workspace: Workspace, as_of: date, owner: str) -> Summary:
    """Of all customers, or of one owner's."""
    lake = lake_of(workspace)
    now = [c for c in _cells(lake, as_of) if _is_of(c.owner, owner)]
    old = [p for p in _past(lake, as_of) if _is_of(p.owner, owner)]
    colors = {s: _added(c.sum for c in now if c.color == s) for s in STATES}
    month = [p.sum for p in old if p.days_ago == MONTH_DAYS]
    week = [p.sum for p in old if p.days_ago == WEEK_DAYS and p.color in RISKY]
    has_week = any(p.days_ago == WEEK_DAYS for p in old)
    return Summary(
        total=_added(c.sum for c in now),
        colors=colors,
        renewing=_added(c.sum for c in now if c.renews_soon),
        at_risk=_added(colors[color] for color in RISKY),
        before=_added(month) if month else None,
        at_risk_before=_added(week) if has_week else None,
        months=_months(now, as_of),
    )


def _is_of(owner: str, wanted: str) -> bool:
    return not wanted or owner.lower() == wanted.lower()


def _added(sums: Iterable[Sum]) -> Sum:
    return sum(sums, Sum())


def _months(cells: Sequence[Cell], as_of: date) -> list[tuple[date, dict[str, float]]]:
    """MRR that renews in each of the coming months, by color."""
    first = as_of.replace(day=1)
    months = [add_months(first, n) for n in range(MONTHS)]
    found: dict[date, dict[str, float]] = {
        month: defaultdict(float) for month in months
    }
    for cell in cells:
        if cell.month in found:
            found[cell.month][cell.color] += float(cell.sum.mrr)
    return [(month, dict(found[month])) for month in months]


@kept("account_measures", shared=True)
def _cells(lake: Lake, as_of: date) -> tuple[Cell, ...]:
    """Customers by owner, color and renewal month."""
    m = lake.table("account_measures")
    m = m.filter(m.state == "paying")
    found = m.group_by(
        owner=m.owner_email.fill_null(""),
        color=m.health_color.fill_null("none"),
        month=m.renewal_on.truncate("M"),
        renews_soon=listing.renews_within(m, as_of, 90).fill_null(False),
    ).agg(**_sums(m))
    return tuple(
        Cell(r["owner"], r["color"], r["month"], r["renews_soon"], _sum(r))
        for r in lake.engine.run(found).iter_rows(named=True)
    )


@kept("account_measures", "health_snapshots", shared=True)
def _past(lake: Lake, as_of: date) -> tuple[Past, ...]:
    """Snapshots of a week and of four weeks ago, by today's owners.

    Where a day was computed twice, the newest computation counts.
    """
    days = {as_of - DAY * n: n for n in (WEEK_DAYS, MONTH_DAYS)}
    table = lake.table("health_snapshots")
    newest = ibis.window(
        group_by=["account_id", "date"], order_by=ibis.desc("computed_at")
    )
    stored = table.filter(table.date.isin(list(days)))
    stored = stored.mutate(rank=ibis.row_number().over(newest))
    stored = stored.filter((stored["rank"] == 0) & (stored.mrr_e4 > 0))
    owners = lake.table("account_measures").select("account_id", "owner_email")
    rows = stored.join(owners, "account_id")
    found = rows.group_by(
        "date",
        owner=rows.owner_email.fill_null(""),
        color=rows.color.fill_null("none"),
    ).agg(**_sums(rows))
    return tuple(
        Past(days[r["date"]], r["owner"], r["color"], _sum(r))
        for r in lake.engine.run(found).iter_rows(named=True)
    )


def _sums(rows: ir.Table) -> dict[str, ir.Value]:
    """Users count only where there are seats to compare them with."""
    has_seats = rows.seats.fill_null(0) > 0
    return {
        "accounts": rows.count(),
        "mrr_e4": rows.mrr_e4.sum(),
        "seats": rows.seats.sum(),
        "users": ibis.ifelse(has_seats, rows.active_users.fill_null(0), 0).sum(),
    }


def _sum(row: Mapping[str, int | None]) -> Sum:
    return Sum(*(int(row[n] or 0) for n in ("accounts", "mrr_e4", "seats", "users")))
