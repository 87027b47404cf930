"""Health as people and programs read it: rows with components that add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from perennial.core.errors import BadValue, UnknownName
from perennial.core.settings import Settings
from perennial.core.windows import DAY
from perennial.lake import snapshots
from perennial.scoring.health import COMPONENTS, WINDOW

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace


def scores(
    workspace: Workspace,
    *,
    account: str | None = None,
    as_of: str | date | None = None,
    users: bool = False,
    where: str | None = None,
    explain: bool = False,
    history: bool = False,
    settings: Settings | None = None,
) -> list[dict[str, Any]]:
    """One row per account (or user) and day: score, color, status, components.

    A day's answer is its snapshot; where none was taken, or other settings or
    conditions are tried, it is computed from what the roll-ups hold and marked
    `recomputed`. With `explain`, components carry their `delta` against 28 days
    before and the row its `score_change`.
    """
    day = workspace.day(as_of) or workspace.today
    tried = settings if settings != workspace.settings else None
    if history:
        if account is None:
            raise BadValue("history is of one account: give account")
        frame = snapshots.latest(workspace, account_id=account, until=day)
        return _rows(frame.sort("date"), workspace.settings)
    frame = _of_day(workspace, day, where=where, users=users, settings=tried)
    if account is not None:
        frame = frame.filter(pl.col("account_id") == account)
    found = _rows(frame.sort("account_id"), tried or workspace.settings)
    if explain:
        before = _of_day(
            workspace, day - DAY * WINDOW, where=where, users=users, settings=tried
        )
        _add_changes(found, _rows(before, tried or workspace.settings))
    return found


def with_params(settings: Settings, params: Mapping[str, str]) -> Settings:
    """Settings with parameters tried out: `cuts=40,60,80`, `weights=…`."""
    known = ("cuts", "weights")
    for name in params:
        if name not in known:
            raise UnknownName("parameter", name, list(known))
    try:
        changes = {n: tuple(float(v) for v in t.split(",")) for n, t in params.items()}
    except ValueError:
        raise BadValue(f"numbers separated by commas, not {params}") from None
    if (
        len(changes.get("cuts", (1, 2, 3))) != 3
        or len(changes.get("weights", "1234")) != 4
    ):
        raise BadValue("cuts are three numbers, weights are four")
    health = replace(settings.health, **changes)  # type: ignore[arg-type]
    return replace(settings, health=health)


def _of_day(
    workspace: Workspace,
    day: date,
    *,
    where: str | None,
    users: bool,
    settings: Settings | None,
) -> pl.DataFrame:
    if where is None and settings is None and not users:
        stored = snapshots.latest(workspace, since=day, until=day)
        if not stored.is_empty():
            return stored
    computed = snapshots.compute(
        workspace, [day], where=where, users=users, settings=settings
    )
    return computed.with_columns(recomputed=pl.lit(value=True))


def _rows(frame: pl.DataFrame, settings: Settings) -> list[dict[str, Any]]:
    return [_row(row, settings) for row in frame.to_dicts()]


def _row(row: dict[str, Any], settings: Settings) -> dict[str, Any]:
    weights = dict(zip(COMPONENTS, settings.health.weights, strict=True))
    available = sum(w for name, w in weights.items() if row[name] is not None)
    scored = row["score"] is not None
    components = [
        {
            "name": name,
            "value": row[name],
            "weight": weight,
            "contribution": row[name] * weight / available
            if scored and row[name] is not None
            else None,
        }
        for name, weight in weights.items()
    ]
    person = {"user_id": row["user_id"]} if "user_id" in row else {}
    return {
        "account_id": row["account_id"],
        **person,
        "date": row["date"],
        "score": row["score"],
        "color": row["color"],
        "status": row["status"],
        "coverage": row["coverage"],
        "recomputed": row["recomputed"],
        "components": components,
    }


def _key(row: dict[str, Any]) -> tuple[str, str | None]:
    return row["account_id"], row.get("user_id")


def _add_changes(found: list[dict[str, Any]], before: list[dict[str, Any]]) -> None:
    """Change of every contribution; together they are the change of the score."""
    earlier = {_key(row): row for row in before}
    for row in found:
        then = earlier.get(_key(row))
        both = (
            then is not None and then["score"] is not None and row["score"] is not None
        )
        row["score_change"] = row["score"] - then["score"] if both and then else None
        parts = then["components"] if both and then else [None] * len(COMPONENTS)
        for part, old in zip(row["components"], parts, strict=True):
            part["delta"] = (
                (part["contribution"] or 0.0) - (old["contribution"] or 0.0)
                if old
                else None
            )
