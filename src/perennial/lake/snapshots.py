"""Dated health of every account: written once a day, never rewritten.

Data that comes late, another scorecard, an override: all change the next scores,
not the past; where a day's score is computed again, a row is added and the newest
one counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import ibis
import polars as pl
import pyarrow as pa

from perennial.core.settings import COMPOSITE
from perennial.core.windows import DAY, Grain, Period
from perennial.lake import incidents, modes, scorecards, told, transitions
from perennial.lake.tables import TABLES
from perennial.metrics.query import Query
from perennial.metrics.registry import Metric
from perennial.scoring import health, scores
from perennial.scoring.scorecard import Scorecard

if TYPE_CHECKING:
    from perennial.core.settings import Settings
    from perennial.lake.workspace import Workspace

NAME = "health_snapshots"
#: Weeks of the past that a first refresh computes, so that trends can be seen.
WEEKS_BACK = 26
#: Scores are carried over an outage no longer than this.
_CARRIED_DAYS = 7


def take(workspace: Workspace, as_of: date) -> int:
    """Store the health as of a day, and of past weeks that have none; rows added."""
    version = scorecards.active(workspace)
    known = dates_stored(workspace)
    past = [as_of - DAY, *(as_of - DAY * 7 * week for week in range(1, WEEKS_BACK + 1))]
    dates = [as_of, *(day for day in past if day not in known)]
    is_outage = incidents.detect(workspace, as_of)
    computed = compute(workspace, dates, card=version.card).with_columns(
        version=pl.lit(version.number, pl.Int64)
    )
    computed = modes.applied(workspace, computed, as_of)
    if is_outage:
        computed = _frozen(workspace, computed, as_of, known)
    stored = latest(workspace, dates=dates)
    judged = transitions.judge(workspace, computed, stored, known)
    changed = judged.join(
        stored,
        on=[c for c in judged.columns if c in _MEASURED],
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


def _frozen(
    workspace: Workspace, computed: pl.DataFrame, as_of: date, known: Sequence[date]
) -> pl.DataFrame:
    """Scores of the last stored day in place of those that an outage would give.

    Who left is gone all the same, and an override is a person's word.
    """
    before = [day for day in known if as_of - DAY * _CARRIED_DAYS <= day < as_of]
    if not before:
        return computed
    former = latest(workspace, dates=before[-1:])
    former = former.filter(pl.col("score").is_not_null())
    carries = (pl.col("date") == as_of) & pl.col("status").is_in(["ok", "insufficient"])
    is_own = pl.col("computed_score").eq_missing(pl.col("score"))
    kept = computed.filter(carries & is_own).join(former, "account_id", how="semi")
    carried = (
        kept.select("account_id", "date", "mrr_e4")
        .join(former.drop("date", "mrr_e4", "computed_at", "recomputed"), "account_id")
        .with_columns(frozen_since=pl.col("frozen_since").fill_null(before[-1]))
    )
    rest = computed.join(kept, ["account_id", "date"], how="anti")
    return pl.concat(
        [rest.with_columns(frozen_since=pl.lit(None, pl.Date)), carried],
        how="diagonal_relaxed",
    )


def compute(
    workspace: Workspace,
    dates: Sequence[date],
    *,
    card: Scorecard | None = None,
    settings: Settings | None = None,
    where: str | None = None,
    users: bool = False,
) -> pl.DataFrame:
    """Health as of some days: one row per day and account (and user), not stored.

    By a scorecard, or by the version in force.
    """
    card = card or scorecards.active(workspace).card
    rows = measured(workspace, dates, card, settings=settings, where=where, users=users)
    return scored(rows, card, users=users)


def measured(
    workspace: Workspace,
    dates: Sequence[date],
    card: Scorecard,
    *,
    settings: Settings | None = None,
    where: str | None = None,
    users: bool = False,
) -> pl.DataFrame:
    """What scores are made from: the same for every card with the same `needs`."""
    query = question(workspace, dates, where=where, settings=settings)
    inputs = workspace.inputs(query)
    rows = _dated(workspace.engine.run(health.measures(inputs, query, card)))
    if users:
        people = _dated(workspace.engine.run(health.user_measures(inputs, query)))
        profile = rows.select("date", "account_id", "profile")
        rows = people.join(profile, ["date", "account_id"], how="inner")
        rows = rows.with_columns(override=pl.lit(None, pl.Float64))
        rows = _with_nothing(rows, [*card.metrics, *card.pulses])
    else:
        rows = _with_metrics(workspace, rows, card, query)
        rows = told.with_pulses(workspace, rows, card)
        rows = told.with_overrides(workspace, rows)
    return incidents.with_measured_days(workspace, health.told(rows))


def scored(rows: pl.DataFrame, card: Scorecard, *, users: bool = False) -> pl.DataFrame:
    """Measured rows with their scores by a card: no table is read."""
    found = scores.scored(rows, card, of_users=users)
    return found.with_columns(frozen_since=pl.lit(None, pl.Date))


def question(
    workspace: Workspace,
    dates: Sequence[date],
    *,
    where: str | None = None,
    settings: Settings | None = None,
) -> Query:
    """The question whose periods are the windows before these days."""
    spans = (Period(day - DAY * health.WINDOW, day) for day in sorted(set(dates)))
    return Query(
        metric=_METRIC,
        periods=tuple(spans),
        grain=Grain.TOTAL,
        now=workspace.now,
        today=workspace.today,
        settings=settings or workspace.settings,
        where=where,
    )


def _dated(rows: pl.DataFrame) -> pl.DataFrame:
    day = pl.col("period_start") + pl.duration(days=health.WINDOW)
    return rows.with_columns(date=day)


def _with_metrics(
    workspace: Workspace, rows: pl.DataFrame, card: Scorecard, query: Query
) -> pl.DataFrame:
    """What the metrics of a card say of each account over the days before."""
    days = [period.end for period in query.periods]
    for name, source in card.metrics.items():
        metric = workspace.entry(source.key, source.params)
        window = source.window_days or metric.window(query.settings)
        answer = workspace.metric_over(
            source.key,
            [Period(day - DAY * window, day) for day in days],
            by=("account",),
            variant=source.variant,
            params=source.params,
        ).rows
        column = scores.raw_column(name)
        values = answer.select(
            pl.col("period_end").alias("date"),
            pl.col("account").alias("account_id"),
            pl.col("value").cast(pl.Float64).alias(column),
        )
        rows = rows.join(values, ["date", "account_id"], how="left")
        if metric.empty is not None and source.variant not in metric.ratios:
            # Counted, and nothing found: zero, from the first day there are data.
            since = workspace.first_day(metric.reads)
            is_seen = pl.col("date") > (since or max(days))
            nothing = pl.when(is_seen).then(float(metric.empty))
            rows = rows.with_columns(pl.col(column).fill_null(nothing))
    return rows


def _with_nothing(rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Parts that single users do not have."""
    null = pl.lit(None, pl.Float64)
    return rows.with_columns(null.alias(scores.raw_column(name)) for name in names)


def dates_stored(workspace: Workspace) -> list[date]:
    """Every day that has snapshots, oldest first."""
    table = workspace.engine.table(NAME)
    found = workspace.engine.run(table.select("date").distinct())
    return sorted(found["date"].to_list())


def latest(
    workspace: Workspace,
    *,
    since: date | None = None,
    until: date | None = None,
    account_id: str | None = None,
    dates: Sequence[date] | None = None,
) -> pl.DataFrame:
    """Stored snapshots of days `[since, until]`, the newest computation of each.

    `dates`: of these days alone.
    """
    table = workspace.engine.table(NAME)
    if since is not None:
        table = table.filter(table.date >= since)
    if until is not None:
        table = table.filter(table.date <= until)
    if account_id is not None:
        table = table.filter(table.account_id == account_id)
    if dates is not None:
        table = table.filter(table.date.isin(list(dates)))
    newest = ibis.window(
        group_by=["account_id", "date"], order_by=ibis.desc("computed_at")
    )
    ranked = table.mutate(rank=ibis.row_number().over(newest))
    return workspace.engine.run(ranked.filter(ranked["rank"] == 0).drop("rank"))


def rules_of(row: Mapping[str, Any]) -> tuple[object, ...]:
    """What a snapshot's score is by: scorecard, mode, version of the model."""
    return row["version"] or 0, row.get("mode") or COMPOSITE, row.get("model") or 0


_MEASURED = set(TABLES[NAME].names) - {"computed_at", "recomputed"}


def _no_metric(*_: object) -> pa.Table:
    raise AssertionError("health is scored, not computed as a metric")


_METRIC = Metric(
    key="health_score",
    title="Health score",
    theme="health",
    unit="score",
    formula="weighted mean of the parts of the scorecard",
    source="H01",
    compute=_no_metric,
    reads=("user_days",),
)
