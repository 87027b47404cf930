"""Points for a measured value, 0 to 100, as Polars expressions; null stays null."""

from __future__ import annotations

import polars as pl

from perennial.scoring.scorecard import (
    Bands,
    Direction,
    Linear,
    Percentile,
    Scale,
    Target,
)

#: Accounts that others are ranked among carry this flag.
RANKED = "is_ranked"


def points(value: pl.Expr, scale: Scale, direction: Direction) -> pl.Expr:
    """The value as points by its scale."""
    if isinstance(scale, Target):
        return _by_target(value, scale.value, direction)
    if isinstance(scale, Bands):
        return _by_band(value, scale)
    if isinstance(scale, Linear):
        share = (value - scale.start) / (scale.end - scale.start)
        return 100.0 * share.clip(0.0, 1.0)
    return _by_rank(value, scale, direction)


def _by_target(value: pl.Expr, target: float, direction: Direction) -> pl.Expr:
    """Up: a share of the target. Down: twice as much as the target is half of it."""
    if direction == "up":
        return 100.0 * (value / target).clip(0.0, 1.0)
    above = value > target
    known = value.is_not_null()
    return pl.when(known & above).then(100.0 * target / value).when(known).then(100.0)


def _by_band(value: pl.Expr, bands: Bands) -> pl.Expr:
    """The points of the band that the value lies in; bands have no gaps."""
    found = pl.when(value.is_not_null()).then(pl.lit(bands.points[0]))
    for edge, given in zip(bands.edges, bands.points[1:], strict=True):
        beyond = value >= edge if bands.includes == "lower" else value > edge
        found = pl.when(beyond).then(pl.lit(given)).otherwise(found)  # type: ignore[assignment]
    return found


def _by_rank(value: pl.Expr, scale: Percentile, direction: Direction) -> pl.Expr:
    """Mean rank among the accounts of the day that are scored, as a share of them."""
    over = ["date", RANKED, *([group_column(scale.within)] if scale.within else [])]
    rank = value.rank("average").over(over)
    share = 100.0 * (rank - 0.5) / value.count().over(over)
    return 100.0 - share if direction == "down" else share


def group_column(attribute: str) -> str:
    """The column that holds an attribute accounts are ranked within."""
    return f"within__{attribute}"
