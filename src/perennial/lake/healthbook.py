"""Health as people and programs read it: rows with components that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import ibis
import polars as pl

from perennial.core.errors import BadValue, UnknownName
from perennial.core.numbers import whole
from perennial.core.settings import COMPOSITE
from perennial.core.windows import DAY
from perennial.lake import chances, scorecards, snapshots
from perennial.scoring import explanation, scorecard
from perennial.scoring.explanation import Part
from perennial.scoring.health import COMPONENTS, WINDOW
from perennial.scoring.scorecard import Scorecard

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

#: What can be tried out: `--set NAME=VALUE`.
_TRIED = ("cuts", "weights", "version")


def scores(
    workspace: Workspace,
    *,
    account: str | None = None,
    as_of: str | date | None = None,
    users: bool = False,
    where: str | None = None,
    explain: bool = False,
    history: bool = False,
    card: Scorecard | None = None,
    after: str = "",
    most: int | None = None,
) -> list[dict[str, Any]]:
    """One row per account (or user) and day: score, color, status, components.

    A day's answer is its snapshot; where none was taken, or another scorecard or
    conditions are tried, it is computed from what the roll-ups hold and marked
    `recomputed`. With `explain`, components carry their `delta` against 28 days before
    and the row its `score_change`. `mode` says what the score is by. Side by side stand
    `composite` (H01: score and color of the scorecard), `band` (H02: uses of the power
    feature, color, chance) and `calibrated` (P03: chance with its interval, color), the
    last two as they were stored that day; null where none were. A page of all are those
    whose ids come `after` one, and at `most` so many.
    """
    day = workspace.day(as_of) or workspace.today
    if history:
        if account is None:
            raise BadValue("history is of one account: give account")
        frame = snapshots.latest(workspace, account_id=account, until=day)
        return _rows(workspace, frame.sort("date"))
    frame = _of_day(workspace, day, where=where, users=users, card=card)
    if account is not None:
        frame = frame.filter(pl.col("account_id") == account)
    frame = frame.filter(pl.col("account_id") > after) if after else frame
    frame = frame.sort("account_id", *(["user_id"] if users else [])).head(
        most or frame.height
    )
    found = _rows(workspace, frame)
    if not users:
        _add_modes(workspace, day, found)
    if explain:
        before = _of_day(
            workspace, day - DAY * WINDOW, where=where, users=users, card=card
        )
        _add_changes(workspace, frame, before, found)
    return found


def tried(workspace: Workspace, params: Mapping[str, str]) -> Scorecard | None:
    """The scorecard tried out: `version=3`, `cuts=40,60,80`, `weights=…`.

    None where nothing is. Raises `UnknownName` and `BadValue`.
    """
    for name in params:
        if name not in _TRIED:
            raise UnknownName("parameter", name, list(_TRIED))
    if not params:
        return None
    lists = {n: _numbers(params[n]) for n in ("cuts", "weights") if n in params}
    cuts = lists.get("cuts")
    if cuts is not None and len(cuts) != 3:
        raise BadValue("cuts are three numbers")
    card = (
        scorecards.version(workspace, _whole(params["version"])).card
        if "version" in params
        else scorecards.active(workspace).card
    )
    three = None if cuts is None else (cuts[0], cuts[1], cuts[2])
    return scorecard.with_tried(card, cuts=three, weights=lists.get("weights", ()))


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise BadValue(f"numbers separated by commas, not {text!r}") from None


def _whole(text: str) -> int:
    number = whole(text)
    if number is None:
        raise BadValue(f"version is a whole number, not {text!r}")
    return number


def states(
    workspace: Workspace, dates: Sequence[date], where: str | None = None
) -> pl.DataFrame:
    """Customers by state: date, color ("none": no score), accounts, mrr_e4.

    One row per day with snapshots and state. Who paid nothing that day is no
    customer; attributes in conditions are those of the day.
    """
    inputs = workspace.inputs(snapshots.question(workspace, dates, where=where))
    rows = inputs.rows(snapshots.NAME)
    rows = rows.filter(rows.date.isin(list(dates)))
    newest = ibis.window(
        group_by=["account_id", "date"], order_by=ibis.desc("computed_at")
    )
    rows = rows.mutate(place=ibis.row_number().over(newest))
    rows = inputs.split(rows.filter((rows.place == 0) & (rows.mrr_e4 > 0)))
    found = rows.group_by("date", color=rows.color.fill_null("none")).agg(
        accounts=rows.count(), mrr_e4=rows.mrr_e4.sum()
    )
    return workspace.engine.run(found).sort("date", "color")


def parts_of(workspace: Workspace, row: Mapping[str, Any]) -> tuple[Part, ...]:
    """The parts of a snapshot; those stored before parts were have the usual ones."""
    if row["parts"] is not None:
        return explanation.parts(row["parts"])
    weights = zip(COMPONENTS, workspace.settings.health.weights, strict=True)
    return explanation.former_parts(row, dict(weights), row["score"])


def _of_day(
    workspace: Workspace,
    day: date,
    *,
    where: str | None,
    users: bool,
    card: Scorecard | None,
) -> pl.DataFrame:
    if where is None and card is None and not users:
        stored = snapshots.latest(workspace, dates=[day])
        if not stored.is_empty():
            return stored
    version = scorecards.active(workspace)
    computed = snapshots.compute(
        workspace, [day], where=where, users=users, card=card or version.card
    )
    number = version.number if card is None or card == version.card else None
    return computed.with_columns(
        recomputed=pl.lit(value=True), version=pl.lit(number, pl.Int64)
    )


def _rows(workspace: Workspace, frame: pl.DataFrame) -> list[dict[str, Any]]:
    return [_row(row, parts_of(workspace, row)) for row in frame.to_dicts()]


def _row(row: dict[str, Any], parts: tuple[Part, ...]) -> dict[str, Any]:
    person = {"user_id": row["user_id"]} if "user_id" in row else {}
    mode = row.get("mode") or COMPOSITE
    composite = "" if mode == COMPOSITE else "composite_"
    return {
        "account_id": row["account_id"],
        **person,
        "date": row["date"],
        "score": row["score"],
        "color": row["color"],
        "status": row["status"],
        "coverage": row["coverage"],
        "version": row["version"],
        "frozen_since": row["frozen_since"],
        "recomputed": row["recomputed"],
        "mode": mode,
        "composite": {
            "score": row[f"{composite}score"],
            "color": row[f"{composite}color"],
        },
        "components": [_component(part) for part in parts],
    }


def _add_modes(workspace: Workspace, day: date, found: list[dict[str, Any]]) -> None:
    stored = chances.of_day(workspace, day)
    mine = stored.filter(pl.col("account_id").is_in([r["account_id"] for r in found]))
    told = {row["account_id"]: row for row in mine.to_dicts()}
    for row in found:
        known = told.get(row["account_id"])
        row["band"] = known and {
            "feature": known["feature_id"],
            "uses": known["uses"],
            "color": known["band_color"],
            "p": known["band_p"],
            "gap_to_green": known["gap_to_green"],
        }
        row["calibrated"] = known and {
            "p": known["p"],
            "low": known["p_low"],
            "high": known["p_high"],
            "color": known["color"],
        }


def _component(part: Part) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": part.name,
        "value": part.value,
        "weight": part.weight,
        "contribution": None if part.contribution is None else float(part.contribution),
    }
    return told if part.measured is None else {**told, "measured": part.measured}


def _key(row: Mapping[str, Any]) -> tuple[str, str | None]:
    return row["account_id"], row.get("user_id")


def _add_changes(
    workspace: Workspace,
    frame: pl.DataFrame,
    before: pl.DataFrame,
    found: list[dict[str, Any]],
) -> None:
    """Change of every contribution; together they are the change of the score.

    Parts that are no longer in the scorecard stand at the end, without a value.
    """
    earlier = {_key(row): row for row in before.to_dicts()}
    for now, told in zip(frame.to_dicts(), found, strict=True):
        then = earlier.get(_key(now))
        moved = None
        if then and then["score"] is not None and now["score"] is not None:
            parts = parts_of(workspace, now), parts_of(workspace, then)
            moved = explanation.changes(*parts)
            told["components"] += [
                {"name": p.name, "value": None, "weight": 0.0, "contribution": None}
                for p in parts[1]
                if p.name in moved and p.name not in {each.name for each in parts[0]}
            ]
        told["score_change"] = (
            None if moved is None else float(explanation.total([*moved.values()]))
        )
        for part in told["components"]:
            change = None if moved is None else moved.get(part["name"])
            part["delta"] = None if change is None else float(change)
