"""Use before decisions, computed plainly: the measure of section P02 of kpis.md."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import polars as pl
import pyarrow as pa

from tests.demo.frames import frame

WINDOW, GAP = 90, 30
MONTH = 365.25 / 12


def decided(tables: Mapping[str, pa.Table]) -> pl.DataFrame:
    """Decided terms whose window of observation lies within the data.

    Of monthly contracts only the last one of an account counts.
    """
    first = frame(tables["events"].select(["timestamp"]))["timestamp"].min()
    accounts = frame(tables["accounts"])
    created = pl.max_horizontal(pl.col("created_at"), pl.lit(first)).dt.date()
    terms = (
        frame(tables["contracts"])
        .filter(pl.col("outcome") != "pending")
        .join(accounts.select("account_id", "segment", "created_at"), on="account_id")
        .with_columns(
            months=((pl.col("term_end") - pl.col("term_start")).dt.total_days() / 30.4)
            .round()
            .cast(pl.Int64),
            stop=pl.col("term_end") - timedelta(GAP),
            begin=pl.max_horizontal(
                pl.col("term_end") - timedelta(GAP + WINDOW), created
            ),
            renewed=pl.col("outcome") == "renewed",
        )
        .with_columns(days=(pl.col("stop") - pl.col("begin")).dt.total_days())
        .filter(pl.col("days") >= 30)
        .sort("account_id", "term_start")
    )
    last = pl.col("term_start") == pl.col("term_start").max().over("account_id")
    return terms.filter((pl.col("months") > 1) | last).with_row_index("decision")


def uses(
    tables: Mapping[str, pa.Table], terms: pl.DataFrame, features: list[str]
) -> pl.DataFrame:
    """The terms, with a column of uses a month for each feature."""
    names = frame(tables["event_definitions"]).select(
        event="name", feature="feature_id"
    )
    events = (
        frame(tables["events"].select(["event", "timestamp", "account_id"]))
        .join(names.unique(), on="event")
        .filter(pl.col("feature").is_in(features))
        .select("account_id", "feature", day=pl.col("timestamp").dt.date())
        .group_by("account_id", "feature", "day")
        .len()
    )
    counts = (
        terms.select("decision", "account_id", "begin", "stop")
        .join(events, on="account_id")
        .filter((pl.col("day") >= pl.col("begin")) & (pl.col("day") < pl.col("stop")))
        .group_by("decision", "feature")
        .agg(pl.col("len").sum())
        .pivot(on="feature", index="decision", values="len")
    )
    missing = [pl.lit(0).alias(f) for f in features if f not in counts.columns]
    joined = terms.join(counts.with_columns(missing), on="decision", how="left")
    months = pl.col("days") / MONTH
    return joined.with_columns((pl.col(f).fill_null(0) / months) for f in features)


def auc(renewed: pl.Series, measure: pl.Series) -> float:
    """Chance that a stayer used more than a leaver (ties count half)."""
    rank = measure.rank("average")
    stayed = int(renewed.sum())
    left = len(renewed) - stayed
    total = float(rank.filter(renewed).sum()) - stayed * (stayed + 1) / 2
    return total / (stayed * left)
