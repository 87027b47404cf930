"""The health of one account over time: transitions, overrides, pulses, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from perennial.apps.customers.kept import kept
from perennial.apps.customers.parts import part_name
from perennial.apps.health.models import Override, Pulse
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.lake import transitions
from perennial.lake.duck import connect
from perennial.lake.workspace import Workspace as Lake
from perennial.ui import formats
from perennial.ui.formats import Regional

#: Rows of each list: the newest.
_MOST = 50
_CAUSES: Mapping[str, str | Promise] = {
    "model_change": gettext_lazy("Other rules"),
    "override": gettext_lazy("A person set or withdrew a score"),
    "first_score": gettext_lazy("Scored for the first time"),
    "no_score": gettext_lazy("No score any more"),
}


@dataclass(frozen=True)
class Turn:
    """A change of color as it was written down; `of` names an account that was merged
    into this one."""

    date: date
    before: str
    after: str
    score: float | None
    cause: str
    version: int
    of: str = ""


def turns(workspace: Workspace, account_id: str, regional: Regional) -> list[Turn]:
    """The newest first; with those of accounts merged into it, which keep their
    scores: nobody ever computed one of both."""
    merges = workspace.account_merges.filter(undone_at=None)
    names = dict(merges.values_list("account_id", "name"))
    rows = _rows(lake_of(workspace), account_id)
    return [_turn(row, regional, names.get(row["account_id"], "")) for row in rows]


@kept(transitions.NAME, size=256)
def _rows(lake: Lake, account_id: str) -> Sequence[Mapping[str, Any]]:
    into = lake.lake.merges
    ids = [account_id, *(each for each in into if into[each] == account_id)]
    query = f"""
        FROM {lake.lake.told(transitions.NAME)}
        WHERE account_id IN (SELECT unnest(?))
        ORDER BY date DESC, recorded_at DESC LIMIT {_MOST}
    """
    with connect() as duck:
        found = duck.sql(query, params=[ids]).to_arrow_table()
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def _turn(row: Mapping[str, Any], regional: Regional, of: str) -> Turn:
    cause = row["cause"]
    said = str(_CAUSES[cause]) if cause in _CAUSES else ""
    drivers = json.loads(row["drivers"] or "[]")
    if cause == "score" or (cause == "model_change" and drivers):
        told = ", ".join(_driver(name, by, regional) for name, by in drivers[:3])
        said = f"{said}: {told}" if said else told
    return Turn(
        row["date"],
        row["from_color"],
        row["to_color"],
        row["score_after"],
        said,
        row["version"],
        of,
    )


def _driver(name: str, points: float, regional: Regional) -> str:
    sign = "+" if points > 0 else ""
    return f"{part_name(name)} {sign}{formats.number(points, regional, 1)}"


def overrides(workspace: Workspace, account_id: str) -> list[Override]:
    found = workspace.health_overrides.filter(account_id=account_id)
    return list(found.order_by("-pk")[:_MOST])


def pulses(workspace: Workspace, account_id: str) -> list[Pulse]:
    found = workspace.health_pulses.filter(account_id=account_id)
    return list(found.order_by("-pk")[:_MOST])
