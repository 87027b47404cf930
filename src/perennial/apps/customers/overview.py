"""What the page of one account is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import polars as pl

from perennial.apps.customers import explain
from perennial.apps.customers.account import Account
from perennial.apps.customers.breakdown import (
    Breakdown,
    Part,
    Snapshot,
    breakdown,
    snapshot,
)
from perennial.apps.customers.kept import kept
from perennial.apps.customers.parts import part_name
from perennial.apps.customers.words import Text
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.windows import DAY
from perennial.lake import scorecards
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring.scorecard import Rules
from perennial.ui import charts
from perennial.ui.charts import Chart, Note, Point
from perennial.ui.formats import Regional
from perennial.ui.templatetags.ui import STATES, state_word

WEEKS = 26
#: Changes of color written into the chart; more would cover each other.
FLAGS = 3

History = Sequence[tuple[date, Snapshot]]


@dataclass(frozen=True)
class Row:
    """A row of the table "Why 46?"."""

    part: Part
    name: Text
    measured: str
    weight: str


@dataclass(frozen=True)
class Why:
    """The score of an account, explained."""

    title: str
    breakdown: Breakdown
    rows: list[Row]
    sum: str
    way: explain.Way

    @property
    def places(self) -> int:
        """Decimals of the possible points: none where they are whole."""
        possible = [row.part.possible for row in self.rows if row.part.possible]
        return int(any(points % 1 for points in possible))


def history(workspace: Workspace, account: Account) -> list[tuple[date, Snapshot]]:
    """Stored health of the last 26 weeks, oldest first; every tab reads it."""
    return list(_history(lake_of(workspace), account.account_id, account.as_of))


@kept("health_snapshots", size=1_024)
def _history(
    lake: Lake, account_id: str, as_of: date
) -> tuple[tuple[date, Snapshot], ...]:
    since = as_of - DAY * 7 * WEEKS
    found = lake.engine.rows("health_snapshots", account_id, since=since)
    found = found.filter(pl.col("date") <= as_of).sort("date", "computed_at")
    # Where a day was computed twice, the newest computation counts.
    return tuple(
        {r["date"]: snapshot(lake, r) for r in found.iter_rows(named=True)}.items()
    )


def rules_of(workspace: Workspace, now: Snapshot | None) -> Rules:
    """The rules a score came about by: those of its version and profile."""
    lake = lake_of(workspace)
    if now is None:
        return scorecards.active(lake).card.rules[-1]
    return _rules(lake, now.version, now.profile)


@kept("scorecards")
def _rules(lake: Lake, version: int, profile: str) -> Rules:
    return scorecards.version(lake, version).card.rules_of(profile)


def on(stored: History, day: date) -> Snapshot | None:
    return next((s for at, s in stored if at == day), None)


def why(
    stored: History, account: Account, rules: Rules, regional: Regional
) -> Why | None:
    """The table of the score, its sum and the way up."""
    now, before = (on(stored, account.as_of - DAY * n) for n in (0, 28))
    found = breakdown(now, before) if now else None
    if now is None or found is None:
        return None
    weights = explain.weights_text(found, regional)
    components = {component.name: component for component in rules.components}
    rows = [
        Row(
            part,
            part_name(part.name),
            explain.measured_text(part, components.get(part.name), now, regional),
            weights[part.name],
        )
        for part in found.parts
    ]
    return Why(
        explain.title(found, regional),
        found,
        rows,
        explain.sum_text(found, regional),
        explain.way_up(found, now, rules, regional),
    )


def chart(
    stored: History,
    account: Account,
    regional: Regional,
    name: str,
) -> Chart | None:
    """The weekly score on the bands of the colors; None where there was none."""
    weekly = [(at, s) for at, s in stored if (account.as_of - at).days % 7 == 0]
    points = [Point(at, s.score) for at, s in weekly]
    if sum(point.value is not None for point in points) < 2:
        return None
    return charts.health_band_chart(
        points,
        regional,
        words={state: state_word(state) for state in STATES},
        name=name,
        cuts=account.cuts,
        color=account.color or "none",
        events=flags(weekly),
    )


def flags(weekly: History) -> list[Note]:
    """The last changes of color, with the color they led to."""
    scored = [(at, s) for at, s in weekly if s.score is not None]
    changed = [
        Note(at, state_word(now.color))
        for (_, before), (at, now) in pairwise(scored)
        if before.color != now.color
    ]
    return changed[-FLAGS:]
