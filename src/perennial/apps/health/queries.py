"""What the Health screens read: states of customers over time, who moved and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import ibis.expr.types as ir
import polars as pl

from perennial.apps.customers import queries, today
from perennial.apps.customers.account import RANK, Account
from perennial.apps.customers.breakdown import biggest_move, snapshot
from perennial.apps.customers.kept import kept
from perennial.core.money import SCALE
from perennial.core.windows import DAY
from perennial.lake import healthbook
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics import filters

#: Green first, as the table reads; the chart turns it round.
STATES = ("green", "yellow", "orange", "red", "none")
RISKY = ("orange", "red")
WEEKS = 26
#: Movers and the table compare with so many days before.
BACK = 28
#: Movers of each kind on the overview, and on their own page.
SOME, MANY = 5, 200


@dataclass(frozen=True)
class Group:
    """Customers in one state on one day."""

    accounts: int = 0
    mrr_e4: int = 0

    def __add__(self, other: Group) -> Group:
        return Group(self.accounts + other.accounts, self.mrr_e4 + other.mrr_e4)

    @property
    def mrr(self) -> Decimal:
        return Decimal(self.mrr_e4) / SCALE


@dataclass(frozen=True)
class Day:
    """All customers of a day, by state."""

    groups: Mapping[str, Group] = field(default_factory=dict)

    def of(self, *states: str) -> Group:
        return sum((self.groups.get(s, Group()) for s in states), Group())

    @property
    def all(self) -> Group:
        return self.of(*STATES)


@dataclass(frozen=True)
class Mover:
    """A customer whose color changed, and the part that moved its score most."""

    account: Account
    before: str
    score_before: float | None
    moved: tuple[str, float] | None
    version_changed: bool


@dataclass(frozen=True)
class Movers:
    """All who moved one way, the largest first."""

    count: int = 0
    mrr: Decimal = Decimal(0)
    rows: tuple[Mover, ...] = ()


def where(segment: str) -> str | None:
    return f"segment = {filters.text(segment)}" if segment else None


@kept("health_snapshots", "accounts", "former_attributes", size=128, shared=True)
def days(lake: Lake, as_of: date, segment: str) -> Mapping[date, Day]:
    """The states of 26 weeks, of the day itself and of four weeks before."""
    dates = [as_of - DAY * 7 * week for week in range(WEEKS + 1)]
    found: dict[date, dict[str, Group]] = {}
    rows = healthbook.states(lake, dates, where(segment))
    for day, color, accounts, mrr in rows.iter_rows():
        found.setdefault(day, {})[color] = Group(accounts, mrr)
    return {day: Day(groups) for day, groups in sorted(found.items())}


@kept("account_measures", "health_snapshots", "scorecards", size=128, shared=True)
def movers(lake: Lake, as_of: date, segment: str, most: int) -> tuple[Movers, Movers]:
    """Customers whose color is worse, and better, than 28 days before."""
    m = _customers(lake, segment)
    found = lake.engine.run(today.colored_before(lake, m, as_of - DAY * BACK))
    rise = pl.col("health_color").replace_strict(RANK, return_dtype=pl.Int8)
    rise -= pl.col("before").replace_strict(RANK, return_dtype=pl.Int8)
    return (
        _moved(lake, as_of, found.filter(rise < 0), most),
        _moved(lake, as_of, found.filter(rise > 0), most),
    )


def _customers(lake: Lake, segment: str) -> ir.Table:
    m = lake.table("account_measures")
    m = m.filter((m.state == "paying") & m.health_color.notnull())
    return m.filter(m.segment == segment) if segment else m


def _moved(lake: Lake, as_of: date, found: pl.DataFrame, most: int) -> Movers:
    first = today.largest(lake, found, most)
    days = (as_of, as_of - DAY * BACK)
    stored = {
        (row["account_id"], row["date"]): snapshot(lake, row)
        for row in today.snapshots_of(
            lake, days, [account.account_id for account, _ in first]
        )
    }
    rows = []
    for account, before in first:
        now, then = (stored.get((account.account_id, day)) for day in days)
        rows.append(
            Mover(
                account,
                before,
                then.score if then else None,
                biggest_move(now, then) if now and then else None,
                bool(now and then and now.rules != then.rules),
            )
        )
    total = Decimal(found["mrr_e4"].sum() or 0) / SCALE
    return Movers(found.height, total, tuple(rows))


@kept("account_measures", size=64, shared=True)
def reasons_without(lake: Lake, as_of: date, segment: str) -> Mapping[str, int]:
    """Customers without a score, by the reason: onboarding, insufficient."""
    m = lake.table("account_measures")
    m = m.filter((m.state == "paying") & m.health_color.isnull())
    m = m.filter(m.segment == segment) if segment else m
    found = m.group_by("health_status").agg(accounts=m.count())
    return dict(lake.engine.run(found).iter_rows())


@kept("account_measures", size=64, shared=True)
def risky(lake: Lake, as_of: date, segment: str) -> tuple[Account, ...]:
    """Customers that are red or orange."""
    m = _customers(lake, segment)
    found = lake.engine.run(m.filter(m.health_color.isin(RISKY)))
    return tuple(queries.accounts_of(lake, found))
