"""Dated health of every account: written once a day, never rewritten.

Data that comes late changes the next day's score, not the past; where a day's
score is computed again, a row is added and the newest one counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import ibis
import polars as pl
import pyarrow as pa

from perennial.core.windows import DAY, Grain, Period
from perennial.lake.tables import TABLES
from perennial.metrics.query import Query
from perennial.metrics.registry import Metric
from perennial.scoring import health

if TYPE_CHECKING:
    from perennial.core.settings import Settings
    from perennial.lake.workspace import Workspace

NAME = "health_snapshots"
#: Weeks of the past that a first refresh computes, so that trends can be seen.
WEEKS_BACK = 26


def take(workspace: Workspace, as_of: date) -> int:
    """Store the health as of a day, and of past weeks that have none; rows added."""
    stored = latest(workspace, since=as_of - DAY * (7 * WEEKS_BACK + 1))
    known = set(stored["date"].to_list())
    past = [as_of - DAY, *(as_of - DAY * 7 * week for week in range(1, WEEKS_BACK + 1))]
    dates = [as_of, *(day for day in past if day not in known)]
    computed = compute(workspace, dates)
    changed = computed.join(
        stored,
        on=[c for c in computed.columns if c in _MEASURED],
        how="anti",
        nulls_equal=True,
    )
    if changed.is_empty():
        return 0
    now = workspace.now
    rows = changed.with_columns(
        computed_at=pl.lit(now), recomputed=pl.col("date") < workspace.today
    )
    schema = TABLES[NAME].schema()
    table = rows.select(schema.names).to_arrow().cast(schema)
    workspace.lake.write(NAME, table)
    return len(changed)


def compute(
    workspace: Workspace,
    dates: Sequence[date],
    *,
    settings: Settings | None = None,
    where: str | None = None,
    users: bool = False,
) -> pl.DataFrame:
    """Health as of some days: one row per day and account (and user), not stored."""
    query = Query(
        metric=_METRIC,
        periods=tuple(
            Period(day - DAY * health.WINDOW, day) for day in sorted(set(dates))
        ),
        grain=Grain.TOTAL,
        now=workspace.now,
        today=workspace.today,
        settings=settings or workspace.settings,
        where=where,
    )
    inputs = workspace.inputs(query)
    measure = health.user_measures if users else health.measures
    measured = health.told(workspace.engine.run(measure(inputs, query)))
    return health.scored(measured, query.settings.health).with_columns(
        date=pl.col("period_start") + pl.duration(days=health.WINDOW)
    )


def latest(
    workspace: Workspace,
    *,
    since: date | None = None,
    until: date | None = None,
    account_id: str | None = None,
) -> pl.DataFrame:
    """Stored snapshots of days `[since, until]`, the newest computation of each."""
    table = workspace.engine.table(NAME)
    if since is not None:
        table = table.filter(table.date >= since)
    if until is not None:
        table = table.filter(table.date <= until)
    if account_id is not None:
        table = table.filter(table.account_id == account_id)
    newest = ibis.window(
        group_by=["account_id", "date"], order_by=ibis.desc("computed_at")
    )
    ranked = table.mutate(rank=ibis.row_number().over(newest))
    return workspace.engine.run(ranked.filter(ranked["rank"] == 0).drop("rank"))


_MEASURED = set(TABLES[NAME].names) - {"computed_at", "recomputed"}


def _no_metric(*_: object) -> pa.Table:
    raise AssertionError("health is scored, not computed as a metric")


_METRIC = Metric(
    key="health_score",
    title="Health score",
    theme="health",
    unit="score",
    formula="weighted mean of frequency, breadth, depth and growth",
    source="H01",
    compute=_no_metric,
    reads=("user_days",),
)
