"""The people of one account: who has a seat, and who uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import polars as pl
from django.utils.translation import pgettext_lazy

from perennial.apps.customers.account import Account
from perennial.apps.customers.kept import kept
from perennial.apps.customers.scope import only, rows_of
from perennial.apps.customers.words import Text
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.settings import Settings
from perennial.core.windows import DAY
from perennial.lake import snapshots
from perennial.lake.workspace import Workspace as Lake

WINDOW = 28
#: Days that "last seen" looks back.
MEMORY = 182

#: Classes of U01 by active days, and how they are shown: word, color of the label.
CLASSES: dict[str, tuple[Text, str]] = {
    "daily": (pgettext_lazy("how often somebody comes", "Daily"), "accent"),
    "frequent": (pgettext_lazy("how often somebody comes", "Frequent"), ""),
    "occasional": (pgettext_lazy("how often somebody comes", "Occasional"), ""),
    "fading": (pgettext_lazy("how often somebody comes", "Fading"), "yellow"),
    "inactive": (pgettext_lazy("how often somebody comes", "Not active"), ""),
}


@dataclass(frozen=True)
class Person:
    """A user with a seat. `health` is the user's own, from frequency and depth."""

    user_id: str
    name: str
    role: str
    last_seen_at: datetime | None
    active_days: int
    active_days_before: int
    kind: str
    score: float | None = None
    color: str = ""

    @property
    def change(self) -> int:
        return self.active_days - self.active_days_before

    @property
    def word(self) -> Text:
        return CLASSES[self.kind][0]

    @property
    def label_color(self) -> str:
        return CLASSES[self.kind][1]


def people(workspace: Workspace, account: Account) -> list[Person]:
    """Users with a live seat, the most active first."""
    return _people(lake_of(workspace), account)


@kept("assignments", "users", "user_days")
def _people(lake: Lake, account: Account) -> list[Person]:
    seats = rows_of(lake, "assignments", account.account_id)
    starts, ends = pl.col("date_from"), pl.col("date_to")
    # Who joined today is here already; what is counted of them ends yesterday.
    live = (starts.is_null() | (starts <= account.as_of)) & (
        ends.is_null() | (ends >= account.as_of)
    )
    ids = seats.filter(live)["user_id"].unique().to_list()
    users = lake.table("users")
    named = users.filter(users.user_id.isin(ids)).select(*_NAMED)
    known = {r["user_id"]: r for r in lake.engine.run(named).iter_rows(named=True)}
    counts = _activity(lake, account)
    found = [
        _person(i, known.get(i, {}), counts.get(i, {}), lake.settings) for i in ids
    ]
    return sorted(found, key=lambda p: (-p.active_days, -_at(p), p.name.lower()))


_NAMED = ("user_id", "name", "email", "role")


def _activity(lake: Lake, account: Account) -> dict[str, dict[str, Any]]:
    """By user: last seen, up to now; active days of 28 days and of the 28 before.

    Half a year back: further, the files of every month would have to be read.
    """
    since = account.as_of - DAY * MEMORY
    wanted = ("user_id", "date", "events", "last_at")
    days = rows_of(lake, "user_days", account.account_id, wanted, since)
    edge, day = account.as_of - DAY * WINDOW, pl.col("date")
    # One row is one user's day in the account, so rows are days.
    found = (
        days.filter(pl.col("events") > 0)
        .group_by("user_id")
        .agg(
            last_seen_at=pl.col("last_at").max(),
            active_days=((day >= edge) & (day < account.as_of)).sum(),
            active_days_before=((day >= edge - DAY * WINDOW) & (day < edge)).sum(),
        )
    )
    return {r["user_id"]: r for r in found.iter_rows(named=True)}


def _at(person: Person) -> float:
    return person.last_seen_at.timestamp() if person.last_seen_at else 0.0


def _person(
    user_id: str, user: Mapping[str, Any], active: Mapping[str, Any], settings: Settings
) -> Person:
    days, before = active.get("active_days", 0), active.get("active_days_before", 0)
    return Person(
        user_id=user_id,
        name=user.get("name") or user.get("email") or user_id,
        role=user.get("role") or "",
        last_seen_at=active.get("last_seen_at"),
        active_days=days,
        active_days_before=before,
        kind=kind_of(days, before, settings),
    )


def kind_of(days: int, before: int, settings: Settings) -> str:
    """How often somebody comes (U01); fading: half as often as before, or less."""
    if before >= settings.freq_frequent and days * 2 <= before:
        return "fading"
    if days >= settings.freq_daily:
        return "daily"
    if days >= settings.freq_frequent:
        return "frequent"
    return "occasional" if days else "inactive"


def with_health(
    workspace: Workspace, account: Account, shown: Sequence[Person]
) -> list[Person]:
    """The same people with their own health; those who were not active have none."""
    lake = lake_of(workspace)
    scores = _scores(lake, account.account_id, account.as_of)
    none: tuple[float | None, str] = (None, "")
    return [
        replace(
            p,
            score=scores.get(p.user_id, none)[0],
            color=scores.get(p.user_id, none)[1],
        )
        for p in shown
    ]


@kept("user_days", "feature_days", "sessions", "features", size=512)
def _scores(
    lake: Lake, account_id: str, as_of: date
) -> dict[str, tuple[float | None, str]]:
    found = snapshots.compute(lake, [as_of], users=True, where=only(account_id))
    rows = found.select("user_id", "score", "color").iter_rows()
    return {user_id: (score, color or "") for user_id, score, color in rows}


def kinds(shown: Sequence[Person]) -> list[tuple[Text, int]]:
    """How many come how often."""
    return [
        (word, sum(p.kind == kind for p in shown))
        for kind, (word, _) in CLASSES.items()
    ]
