"""From a metric's raw rows to its answer: periods filled, divided, marked.

Written once for every metric, after the engine: the same divisions of the same
integers give the same number whatever engine added them up.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from perennial.core.errors import BadValue
from perennial.core.windows import Grain, Period, day_start, floor, following
from perennial.metrics import filters
from perennial.metrics.dimensions import IDS, NOTHING
from perennial.metrics.query import Query

#: Columns of an answer beside its dimensions, in the order they are shown.
_OWN = ("value", "numerator", "denominator", "n", "status")
_RAW = {
    "period_start", "numerator", "denominator", "n", "value",
    "insufficient", "provisional", "rank",
}  # fmt: skip


def finish(query: Query, raw: pl.DataFrame, first_day: date | None) -> pl.DataFrame:
    """One row per period and group: period, dimensions, value, parts, status.

    `raw` is what the metric computed; `first_day` is the first local day its
    sources speak of. Value is null, never 0, where nothing was observed (G1).
    """
    if query.metric.conclude is not None:
        raw = query.metric.conclude(query, raw)
    raw = raw.with_columns(pl.col(name).replace(NOTHING, None) for name in query.by)
    raw = _chosen(query, raw)
    extra = [name for name in raw.columns if name not in _RAW]
    groups = [*query.by, *(name for name in extra if name not in query.by)]
    spine = _spine(query, first_day)
    raw = raw.with_columns(known=pl.lit(value=True))
    known = [*groups, *(["rank"] if "rank" in raw.columns else [])]
    if not query.metric.fills or (known and spine.height == 1):
        rows = spine.join(raw, on="period_start")
    else:
        if known:
            spine = spine.join(raw.select(known).unique(), how="cross")
        on = ["period_start", *known]
        rows = spine.join(raw, on=on, how="left", nulls_equal=True)
    rows = _divided(query, rows)
    order = ["rank"] if "rank" in rows.columns else []
    rows = rows.sort("period_start", *order, *groups, nulls_last=True)
    return rows.select(
        metric=pl.lit(query.metric.key),
        period_start="period_start",
        period_end="period_end",
        **{name: pl.col(name) for name in groups},
        **{name: pl.col(name) for name in _OWN},
    )


def _chosen(query: Query, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that meet the conditions on columns the metric makes itself."""
    metric = query.metric
    own = {*query.by} & {*metric.dimensions} - {*IDS}
    made = {*metric.makes, *own} & {*rows.columns}
    for part in filters.parts(query.where) if query.where else ():
        if not {*filters.names(part)} <= made:
            continue
        told = rows.with_columns(pl.col(pl.Date).cast(pl.String))
        try:
            keep = told.select(pl.sql_expr(part.sql(identify=True))).to_series()
        except pl.exceptions.PolarsError:
            raise BadValue(f"rows cannot be compared by {part.sql()!r}") from None
        rows = rows.filter(keep)
    return rows


def _spine(query: Query, first_day: date | None) -> pl.DataFrame:
    """One row per period: its bounds and what is known of it before computing."""
    settled = query.now - timedelta(hours=query.settings.provisional_hours)
    late = query.metric.theme == "usage"
    rows = []
    for period in query.periods:
        done = query.complete(period)
        seen = done is not None and first_day is not None and done.end > first_day
        open_ = _natural_end(query, period) > query.today or (
            late and day_start(period.end, query.settings.tz) > settled
        )
        rows.append((period.start, period.end, seen, open_))
    schema = {
        "period_start": pl.Date,
        "period_end": pl.Date,
        "seen": pl.Boolean,
        "open": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _natural_end(query: Query, period: Period) -> date:
    """Where the period would end had the question not cut it short."""
    if query.grain is Grain.TOTAL:
        return period.end
    first = floor(period.start, query.grain, query.settings.calendar)
    return following(first, query.grain)


def _divided(query: Query, rows: pl.DataFrame) -> pl.DataFrame:
    metric = query.metric
    lacks = _is_above_zero(rows, "insufficient")
    open_ = _is_above_zero(rows, "provisional")
    scaled = _in_units("numerator", metric.scale)
    denominator = _in_units("denominator", metric.denominator_scale)
    is_ratio = (
        rows["denominator"].dtype != pl.Null and rows["denominator"].is_not_null().any()
    )
    quotient = (
        pl.when(denominator != 0).then(scaled / denominator) if is_ratio else scaled
    )
    if "value" in rows.columns:
        given = _in_units("value", metric.scale)
        quotient = pl.when(given.is_not_nan()).then(given)
    is_rate = query.variant in metric.ratios
    empty = pl.lit(None if is_rate else metric.empty, dtype=pl.Float64)
    seen = pl.col("seen")
    value = pl.when(seen & ~lacks).then(
        pl.when(pl.col("known")).then(quotient).otherwise(empty)
    )
    rows = rows.with_columns(
        value=value,
        numerator=pl.when(seen).then(
            pl.when(pl.col("known")).then(scaled).otherwise(empty)
        ),
        denominator=pl.when(seen).then(denominator),
        n=pl.when(seen).then(pl.col("n").cast(pl.Int64).fill_null(0)),
        insufficient=lacks,
    )
    status = (
        pl.when(pl.col("insufficient") & seen)
        .then(pl.lit("insufficient"))
        .when(pl.col("value").is_null())
        .then(pl.lit("no_data"))
        .when(pl.col("open") | open_)
        .then(pl.lit("provisional"))
        .otherwise(pl.lit("ok"))
    )
    return rows.with_columns(status=status)


def _in_units(name: str, scale: int) -> pl.Expr:
    """A stored number in its unit, to the last bit.

    Polars divides by a constant, and by a column made of one, with its reciprocal:
    8073000 / 10000 is then 807.3000000000001.
    """
    stored = pl.col(name).cast(pl.Float64)
    return stored if scale == 1 else stored / (stored * 0 + scale)


def _is_above_zero(rows: pl.DataFrame, name: str) -> pl.Expr:
    """Does the metric mark the row so? Those that mark nothing lack the column."""
    if name not in rows.columns:
        return pl.lit(value=False)
    return (pl.col(name) > 0).fill_null(False)
