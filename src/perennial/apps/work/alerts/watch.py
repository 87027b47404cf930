"""Where the rules of alerts hold today: all rules and all accounts in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from perennial.apps.customers import contacts, reasons, today
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.apps.work.alerts.rules import BY_KEY, NEWS_DAYS, Day, Rule
from perennial.apps.work.models import Priority
from perennial.core.windows import DAY, local_date
from perennial.lake import snapshots, transitions
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics.seats import seat_trend

#: From this share of customers by MRR on an alert weighs one step more (H04).
_LARGE = 0.75
#: How the use of seats is looked at: so often, so many times.
_FOUR_WEEKS, _YEAR = DAY * 28, 13
#: A goal is called overdue for so long.
_GOAL_DAYS = 30


@dataclass(frozen=True)
class Found:
    """A rule that holds for an account, and the numbers it rests on."""

    account_id: str
    rule: str
    priority: Priority
    owner_email: str
    mrr_e4: int
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Chosen:
    """A rule as a workspace set it."""

    rule: Rule
    threshold: float


def find(workspace: Workspace, chosen: Iterable[Chosen]) -> list[Found]:
    """Everything that holds, for customers; the most urgent and largest first."""
    lake = lake_of(workspace)
    frame = accounts(workspace)
    if frame is None:
        return []
    day = Day(frame["as_of"][0], lake.settings.timezone)
    frame = frame.with_columns(to_renewal=day.to_renewal)
    quartile = frame["mrr_e4"].quantile(_LARGE, "higher") or 0
    found = [f for one in chosen for f in _holding(frame, day, one, int(quartile))]
    return sorted(found, key=lambda f: (f.priority, -f.mrr_e4, f.account_id, f.rule))


def _holding(frame: pl.DataFrame, day: Day, one: Chosen, large: int) -> list[Found]:
    rule = one.rule
    held = frame.filter(rule.holds(day, one.threshold).fill_null(value=False))
    return [
        Found(
            row["account_id"],
            rule.key,
            _raised(rule.priority, is_large=row["mrr_e4"] >= max(large, 1)),
            (row["owner_email"] or "").lower(),
            row["mrr_e4"],
            {name: _plain(row[name]) for name in rule.facts},
        )
        for row in held.iter_rows(named=True)
    ]


def _raised(priority: Priority, *, is_large: bool) -> Priority:
    return Priority(max(priority - is_large, Priority.URGENT))


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value


def accounts(workspace: Workspace) -> pl.DataFrame | None:
    """Customers of today as the rules read them: measures, the last turn of health,
    how far onboarding came, the goal that became due last, the champion who left, and
    where the use of seats is going. None before any."""
    lake = lake_of(workspace)
    m = lake.table("account_measures")
    frame = lake.engine.run(m.filter(m.state == "paying"))
    if frame.is_empty():
        return None
    as_of: date = frame["as_of"][0]
    for more in (
        _turns(lake, as_of),
        _recolored(lake, as_of),
        _steps(lake, frame, as_of),
        _goals(lake, as_of),
        _champions(workspace),
        _seat_signals(lake, frame, as_of),
    ):
        frame = frame.join(more, "account_id", how="left")
    return frame.with_columns(pl.col("mrr_e4").fill_null(0))


def _turns(lake: Lake, as_of: date) -> pl.DataFrame:
    """The last change of color of the account itself, not of the scorecard."""
    table = lake.table(transitions.NAME)
    recent = table.filter(
        (table.date > as_of - DAY * NEWS_DAYS) & (table.date <= as_of)
    )
    rows = lake.engine.run(
        recent.filter(recent.cause == "score").select(
            "account_id",
            "recorded_at",
            turned_on="date",
            turned_from="from_color",
            turned_to="to_color",
        )
    )
    newest = rows.sort("turned_on", "recorded_at").unique("account_id", keep="last")
    return newest.drop("recorded_at")


def _recolored(lake: Lake, as_of: date) -> pl.DataFrame:
    """Who was well, and is not since another scorecard, model or mode; since when."""
    table = lake.table(transitions.NAME)
    rows = lake.engine.run(table.filter(table.date <= as_of))
    newest = rows.sort("date", "recorded_at").unique("account_id", keep="last")
    was_well = ~pl.col("from_color").is_in(["red", "orange"])
    by_rules = newest.filter((pl.col("cause") == "model_change") & was_well)
    return by_rules.select("account_id", recolored_on="date")


def _steps(lake: Lake, frame: pl.DataFrame, as_of: date) -> pl.DataFrame:
    tz = lake.settings.tz
    created = dict(frame.select("account_id", "created_at").iter_rows())
    rows = []
    for account_id, steps in today.steps(lake).items():
        since = steps.last_at or created.get(account_id)
        if since is not None:
            days = (as_of - local_date(since, tz)).days
            rows.append((account_id, steps.done, steps.of, days))
    schema = {
        "account_id": pl.String,
        "step_done": pl.Int64,
        "step_of": pl.Int64,
        "step_days": pl.Int64,
    }
    return pl.DataFrame(rows, schema, orient="row")


def _goals(lake: Lake, as_of: date) -> pl.DataFrame:
    """Of each account the goal that became due last and is not reached.

    Reached is judged by the last value measured: in the direction of the target. A
    goal that was missed long ago is no news.
    """
    lately = pl.col("due_on").is_between(as_of - DAY * _GOAL_DAYS, as_of - DAY)
    goals = lake.engine.run(lake.table("goals")).filter(lately)
    values = lake.engine.run(lake.table("goal_values")).sort("measured_at")
    last = values.group_by("goal_id", maintain_order=True).agg(pl.col("value").last())
    way = pl.col("target") - pl.col("baseline")
    reached = ((pl.col("value") - pl.col("baseline")) / way >= 1) & (way != 0)
    missed = goals.join(last, "goal_id", how="left").filter(
        ~reached.fill_null(value=False)
    )
    newest = missed.sort("due_on", "goal_id").unique("account_id", keep="last")
    return newest.select(
        "account_id",
        goal=pl.coalesce("measure", "goal_id"),
        goal_days=(pl.lit(as_of) - pl.col("due_on")).dt.total_days(),
    )


def _champions(workspace: Workspace) -> pl.DataFrame:
    """Of each account a champion who left."""
    rows = [(gone.account_id, gone.name) for gone in contacts.gone(workspace)]
    schema = {"account_id": pl.String, "champion": pl.String}
    return pl.DataFrame(rows, schema, orient="row").unique("account_id", keep="first")


def _seat_signals(lake: Lake, frame: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """What the active users of a year say of the seats (U11), every four weeks as the
    snapshots tell; of accounts with enough seats."""
    stored = snapshots.dates_stored(lake)
    days = [as_of - _FOUR_WEEKS * n for n in range(_YEAR)]
    near = (max((d for d in stored if d <= day), default=None) for day in days)
    dates = [d for d, day in zip(near, days, strict=True) if d and d > day - DAY * 7]
    table = lake.table(snapshots.NAME)
    table = table.filter(table.date.isin(dates) & table.active_users.notnull())
    rows = lake.engine.run(
        table.select("account_id", "date", "computed_at", "active_users")
    )
    newest = rows.sort("date", "computed_at").unique(
        ["account_id", "date"], keep="last", maintain_order=True
    )
    series = newest.group_by("account_id", maintain_order=True).agg("active_users")
    some = frame.filter(pl.col("seats") >= reasons.SEATS_ENOUGH)
    told = series.join(some.select("account_id", "seats"), "account_id")
    signals = [seat_trend(users, n).signal for _id, users, n in told.iter_rows()]
    return told.select("account_id", seat_signal=pl.Series(signals, dtype=pl.String))


def chosen(settings: Mapping[str, tuple[bool, float | None]]) -> list[Chosen]:
    """The rules that are on, with the thresholds a workspace gave them."""
    found = []
    for key, rule in BY_KEY.items():
        is_on, threshold = settings.get(key, (rule.is_on, None))
        number = rule.threshold if threshold is None else threshold
        if is_on:
            found.append(Chosen(rule, 0.0 if number is None else number))
    return found
