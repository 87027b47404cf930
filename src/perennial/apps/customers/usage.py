"""How one account uses the product: features by week, active users by week."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from perennial.apps.customers.account import Account
from perennial.apps.customers.kept import kept
from perennial.apps.customers.scope import rows_of
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.windows import DAY, Grain, floor
from perennial.lake.workspace import Workspace as Lake

#: Weeks of the heat table, and of the charts.
WEEKS = 12
CHART_WEEKS = 26
WINDOW = 28
#: Features that are not key, on the first page of an account.
OTHERS = 2
#: Fewer uses than this before, and a change of them is chance.
USES_ENOUGH = 10


@dataclass(frozen=True)
class FeatureRow:
    """Uses of one feature by week, the last 28 days, and against the 28 before."""

    name: str
    is_key: bool
    weeks: tuple[int, ...]
    lately: int
    before: int

    @property
    def change(self) -> float | None:
        return (self.lately - self.before) / self.before if self.before else None

    @property
    def noise(self) -> float:
        """Changes of a handful of uses have no color."""
        return 0.1 if self.before >= USES_ENOUGH else 99.0


@dataclass(frozen=True)
class Matrix:
    weeks: tuple[date, ...]
    rows: tuple[FeatureRow, ...]

    @property
    def most(self) -> int:
        return max((n for row in self.rows for n in row.weeks), default=0)

    def short(self) -> Matrix:
        """The key features, and the two others that are used most."""
        keys = tuple(row for row in self.rows if row.is_key)
        others = [row for row in self.rows if not row.is_key]
        return Matrix(self.weeks, (*keys, *others[:OTHERS]))


@dataclass(frozen=True)
class Week:
    """Activity of one calendar week. Days without any are no rows: it is zero."""

    start: date
    users: int
    sessions: int


def matrix(workspace: Workspace, account: Account) -> Matrix:
    """Whole calendar weeks before the day the data speak of, key features first."""
    return _matrix(lake_of(workspace), account)


@kept("feature_days", "features", "users", "assignments")
def _matrix(lake: Lake, account: Account) -> Matrix:
    weeks = _weeks(lake, account.as_of, WEEKS)
    wanted = ("user_id", "feature_id", "date", "uses")
    days = rows_of(lake, "feature_days", account.account_id, wanted, weeks[0])
    days = days.filter(pl.col("date") < account.as_of)
    found = days.group_by("feature_id", "date").agg(pl.col("uses").sum())
    uses: dict[str, dict[date, int]] = defaultdict(dict)
    for feature_id, day, count in found.iter_rows():
        uses[feature_id][day] = count
    rows = [
        _row(name, is_key, uses.get(feature_id, {}), weeks, account.as_of)
        for feature_id, (name, is_key) in _shown(lake, set(uses)).items()
    ]
    rows.sort(key=lambda row: (not row.is_key, -sum(row.weeks), row.name))
    return Matrix(weeks, tuple(rows))


def _shown(lake: Lake, used: set[str]) -> dict[str, tuple[str, bool]]:
    """Names and keys: every key feature, and the others that were used."""
    known = _features(lake)
    shown = {i: said for i, said in known.items() if said[1] or i in used}
    return shown | {i: (i, False) for i in used if i and i not in known}


@kept("features", size=64)
def _features(lake: Lake) -> dict[str, tuple[str, bool]]:
    table = lake.table("features")
    rows = lake.engine.run(table.select("feature_id", "name", "is_key"))
    return {i: (name or i, bool(is_key)) for i, name, is_key in rows.iter_rows()}


def _row(
    name: str,
    is_key: bool,
    uses: Mapping[date, int],
    weeks: tuple[date, ...],
    as_of: date,
) -> FeatureRow:
    by_week = tuple(sum(uses.get(w + DAY * n, 0) for n in range(7)) for w in weeks)
    lately = sum(uses.get(as_of - DAY * (n + 1), 0) for n in range(WINDOW))
    before = sum(uses.get(as_of - DAY * (n + 1 + WINDOW), 0) for n in range(WINDOW))
    return FeatureRow(name, is_key, by_week, lately, before)


def weekly(workspace: Workspace, account: Account) -> list[Week]:
    """Distinct active users and sessions of the last 26 whole calendar weeks."""
    return _weekly(lake_of(workspace), account)


@kept("user_days", "account_days", "users", "assignments")
def _weekly(lake: Lake, account: Account) -> list[Week]:
    weeks = _weeks(lake, account.as_of, CHART_WEEKS)
    wanted = ("user_id", "date", "events")
    users = rows_of(lake, "user_days", account.account_id, wanted, weeks[0])
    users = users.filter((pl.col("events") > 0) & pl.col("user_id").is_not_null())
    held_on = ("date", "sessions")
    days = rows_of(lake, "account_days", account.account_id, held_on, weeks[0])
    # Counted from the first; days of the running week are in none that is shown.
    week = (pl.col("date") - weeks[0]).dt.total_days() // 7
    seen = users.group_by(week).agg(pl.col("user_id").n_unique())
    held = days.group_by(week).agg(pl.col("sessions").sum())
    users_in, sessions_in = dict(seen.iter_rows()), dict(held.iter_rows())
    return [
        Week(week, users_in.get(n, 0), sessions_in.get(n, 0))
        for n, week in enumerate(weeks)
    ]


def _weeks(lake: Lake, as_of: date, count: int) -> tuple[date, ...]:
    """First days of the last whole calendar weeks before a day."""
    current = floor(as_of, Grain.WEEK, lake.settings.calendar)
    return tuple(current - DAY * 7 * n for n in range(count, 0, -1))
