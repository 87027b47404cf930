"""Changes of color, found as snapshots are taken and written down once.

A day is evaluated once. Where its scores are computed again, only what is no matter
of two days in a row can still change the color: another scorecard, an override, no
score any more.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from perennial.core.settings import COMPOSITE
from perennial.lake import snapshots
from perennial.lake.tables import TABLES
from perennial.scoring.transitions import Evaluation, State, Transition, begin, step

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

NAME = "health_transitions"
#: Evaluations before the new ones that are looked at for the last calm one.
_LOOK_BACK = 3
_SAME = ["account_id", "date", "from_color", "to_color", "cause"]


@dataclass(frozen=True)
class _Last:
    """Where an account stands before its next evaluation."""

    state: State
    evaluation: Evaluation


def judge(
    workspace: Workspace,
    computed: pl.DataFrame,
    stored: pl.DataFrame,
    known: Sequence[date],
) -> pl.DataFrame:
    """The computed snapshots with `state` and `waiting`; writes transitions down.

    `stored` are the snapshots of the same days that were taken before, `known` all
    days that have some.
    """
    newest = known[-1] if known else date.min
    days = sorted(computed["date"].unique().to_list())
    fresh = [day for day in days if day > newest]
    earlier = [d for d in known if d < (fresh[0] if fresh else newest)][-_LOOK_BACK:]
    last = _last(snapshots.latest(workspace, dates=earlier)) if earlier else {}
    again = {(row["account_id"], row["date"]): row for row in stored.to_dicts()}
    states: list[State] = []
    found: list[tuple[dict[str, Any], Transition]] = []
    rows = computed.sort("date", "account_id", maintain_order=True)
    for row in rows.iter_rows(named=True):
        now, account = _evaluation(row), row["account_id"]
        former = again.get((account, now.date))
        if former is not None:
            state, moved = _again(former, now)
        elif now.date > newest:
            state, moved = _next(last.get(account), now)
            last[account] = _Last(state, now)
        else:
            state, moved = begin(now), None
        states.append(state)
        if moved is not None:
            found.append((row, moved))
    _write(workspace, found)
    return rows.with_columns(
        state=pl.Series([s.color for s in states], dtype=pl.String),
        waiting=pl.Series([s.waiting for s in states], dtype=pl.Int64),
    )


def _next(last: _Last | None, now: Evaluation) -> tuple[State, Transition | None]:
    if last is None:
        return begin(now), None
    return step(last.state, last.evaluation, now)


def _again(former: dict[str, Any], now: Evaluation) -> tuple[State, Transition | None]:
    """The state of a day that was evaluated before."""
    before = _evaluation(former)
    kept = _state(former, before)
    state, moved = step(kept, before, now)
    if moved is None or moved.cause == "score":
        return kept, None
    return state, moved


def _last(rows: pl.DataFrame) -> dict[str, _Last]:
    """The last evaluation of each account, and the last one in the state's color."""
    found: dict[str, _Last] = {}
    for row in rows.sort("date").iter_rows(named=True):
        now, account = _evaluation(row), row["account_id"]
        state = _state(row, now)
        calm = found[account].state.calm if account in found else None
        if state.calm is None and calm is not None:
            state = State(state.color, state.waiting, calm)
        found[account] = _Last(state, now)
    return found


def _state(row: dict[str, Any], now: Evaluation) -> State:
    """The state as a row carries it; older rows have none."""
    color = row["state"] or now.raw
    calm = now if now.raw == color else None
    return State(color, row["waiting"] or 0, calm)


def _evaluation(row: dict[str, Any]) -> Evaluation:
    cuts = json.loads(row["cuts"]) if row["cuts"] else (40.0, 60.0, 80.0)
    return Evaluation(
        date=row["date"],
        score=row["score"],
        color=row["color"],
        cuts=tuple(cuts),
        rules=snapshots.rules_of(row),
        mode=row.get("mode") or COMPOSITE,
        is_overridden=row["parts"] is not None
        and row["computed_score"] != row["score"],
        is_frozen=row["frozen_since"] is not None,
        told=row["parts"] or "[]",
    )


def _write(
    workspace: Workspace, found: Sequence[tuple[dict[str, Any], Transition]]
) -> None:
    """Add transitions to the table, but those it has: a refresh may be done again."""
    if not found:
        return
    now, schema = workspace.now, TABLES[NAME].schema()
    rows = [
        {
            "account_id": row["account_id"],
            "date": moved.date,
            "from_color": moved.from_color,
            "to_color": moved.to_color,
            "score_before": moved.score_before,
            "score_after": moved.score_after,
            "cause": moved.cause,
            "drivers": json.dumps(moved.drivers),
            "version": row["version"],
            "mrr_e4": row["mrr_e4"],
            "recorded_at": now,
        }
        for row, moved in found
    ]
    with workspace.lake.lock(NAME):
        written = pl.from_arrow(workspace.lake.read(NAME).select(_SAME))
        given = pl.from_arrow(pa.Table.from_pylist(rows, schema=schema))
        assert isinstance(given, pl.DataFrame)
        assert isinstance(written, pl.DataFrame)
        fresh = given.join(written, _SAME, how="anti", nulls_equal=True)
        if not fresh.is_empty():
            workspace.lake.write(NAME, fresh.to_arrow().cast(schema))
