"""Use of seats, computed plainly: section U11 of kpis.md."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pyarrow as pa

from tests.demo.frames import frame

DAYS = 30


def utilization(tables: Mapping[str, pa.Table], end: date) -> pl.DataFrame:
    """One row an account with seats just before `end`: seats, active, use."""
    stop = datetime(end.year, end.month, end.day, tzinfo=UTC)
    events = frame(tables["events"].select(["timestamp", "user_id", "account_id"]))
    active = (
        events.filter(
            (pl.col("timestamp") >= stop - timedelta(DAYS))
            & (pl.col("timestamp") < stop)
            & pl.col("account_id").is_not_null()
        )
        .group_by("account_id")
        .agg(active=pl.col("user_id").n_unique())
    )
    last = stop - timedelta(seconds=1)
    seats = frame(tables["seat_contracts"]).filter(
        (pl.col("starts_at") <= last)
        & (pl.col("ends_at").is_null() | (pl.col("ends_at") > last))
    )
    return (
        seats.select("account_id", "seats")
        .join(active, on="account_id", how="left")
        .with_columns(pl.col("active").fill_null(0))
        .with_columns(use=pl.col("active") / pl.col("seats"))
    )
