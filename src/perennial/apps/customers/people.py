"""The people of one account: who has a seat, and who uses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache

import ibis
from django.utils.translation import pgettext_lazy

from perennial.apps.customers.account import Account
from perennial.apps.customers.scope import inputs_of, only
from perennial.apps.customers.words import Text
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.settings import Settings
from perennial.core.windows import DAY
from perennial.lake import snapshots
from perennial.lake.workspace import Workspace as Lake

WINDOW = 28
#: The first day any log-in can be of.
_EVER = date(1990, 1, 1)

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
    lake = lake_of(workspace)
    as_of, account_id = account.as_of, account.account_id
    scope = inputs_of(lake, account_id, as_of - DAY * 2 * WINDOW, as_of)
    seats = scope.assignments
    starts, ends = seats.date_from, seats.date_to
    live = (starts.isnull() | (starts < as_of)) & (ends.isnull() | (ends >= as_of))
    seats = seats.filter(live).select("user_id").distinct()
    days = scope.user_days
    lately = (days.date >= as_of - DAY * WINDOW) & (days.date < as_of)
    before = (days.date >= as_of - DAY * 2 * WINDOW) & ~lately & (days.date < as_of)
    counted = (
        days.filter(days.events > 0)
        .group_by("user_id")
        .agg(
            last_seen_at=days.last_at.max(),
            active_days=ibis.ifelse(lately, days.date, None).nunique(),
            active_days_before=ibis.ifelse(before, days.date, None).nunique(),
        )
    )
    users = scope.users.select("user_id", "name", "email", "role")
    rows = (
        seats.left_join(counted, "user_id", rname="{name}_c")
        .left_join(users, "user_id", rname="{name}_u")
        .select("user_id", "name", "email", "role", *counted.columns[1:])
    )
    found = [
        _person(row, lake.settings)
        for row in lake.engine.run(rows).iter_rows(named=True)
    ]
    return sorted(found, key=lambda p: (-p.active_days, -_at(p), p.name.lower()))


def _at(person: Person) -> float:
    return person.last_seen_at.timestamp() if person.last_seen_at else 0.0


def _person(row: dict[str, object], settings: Settings) -> Person:
    days, before = (
        int(str(row["active_days"] or 0)),
        int(str(row["active_days_before"] or 0)),
    )
    seen = row["last_seen_at"]
    return Person(
        user_id=str(row["user_id"]),
        name=str(row["name"] or row["email"] or row["user_id"]),
        role=str(row["role"] or ""),
        last_seen_at=seen if isinstance(seen, datetime) else None,
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
    version = lake.lake.snapshot("user_days").version
    scores = _scores(lake, account.account_id, account.as_of, version)
    none: tuple[float | None, str] = (None, "")
    return [
        replace(
            p,
            score=scores.get(p.user_id, none)[0],
            color=scores.get(p.user_id, none)[1],
        )
        for p in shown
    ]


@lru_cache(maxsize=512)
def _scores(
    lake: Lake, account_id: str, as_of: date, _version: int
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
