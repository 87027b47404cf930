"""Active users by month of tenure, computed plainly: section U13 of kpis.md."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl
import pyarrow as pa

from tests.demo.frames import frame


def curve(
    tables: Mapping[str, pa.Table], end: date, segment: str | None = None
) -> pl.DataFrame:
    """By whole month since onboarding: mean share of seats active, and accounts.

    Only accounts and months that lie fully within the data and before an account
    left.
    """
    first = frame(tables["events"].select(["timestamp"]))["timestamp"].min()
    accounts = frame(tables["accounts"]).filter(
        pl.col("onboarding_completed_at").is_not_null() & ~pl.col("is_test")
    )
    if segment is not None:
        accounts = accounts.filter(pl.col("segment") == segment)
    left = (
        frame(tables["contracts"])
        .filter(pl.col("outcome") == "cancelled")
        .group_by("account_id")
        .agg(left=pl.col("term_end").min())
    )
    months = (
        accounts.select("account_id", done=pl.col("onboarding_completed_at").dt.date())
        .join(left, on="account_id", how="left")
        .join(pl.DataFrame({"k": range(14)}), how="cross")
        .with_columns(
            begin=pl.col("done").dt.offset_by(pl.format("{}mo", "k")),
            stop=pl.col("done").dt.offset_by(pl.format("{}mo", pl.col("k") + 1)),
        )
        .filter(
            (pl.col("begin") >= first)
            & (pl.col("stop") <= end)
            & (pl.col("left").is_null() | (pl.col("stop") <= pl.col("left")))
        )
    )
    seats = frame(tables["seat_contracts"]).drop("properties")
    last = pl.col("stop").cast(pl.Datetime("us", "UTC"))
    seated = months.join(seats, on="account_id").filter(
        (pl.col("starts_at") < last)
        & (pl.col("ends_at").is_null() | (pl.col("ends_at") >= last))
    )
    return _shares(tables, seated)


def _shares(tables: Mapping[str, pa.Table], months: pl.DataFrame) -> pl.DataFrame:
    events = frame(tables["events"].select(["timestamp", "user_id", "account_id"]))
    days = events.select(
        "account_id", "user_id", day=pl.col("timestamp").dt.date()
    ).unique()
    active = (
        months.join(days, on="account_id")
        .filter((pl.col("day") >= pl.col("begin")) & (pl.col("day") < pl.col("stop")))
        .group_by("account_id", "k")
        .agg(active=pl.col("user_id").n_unique())
    )
    return (
        months.join(active, on=["account_id", "k"], how="left")
        .with_columns(y=pl.col("active").fill_null(0) / pl.col("seats"))
        .group_by("k")
        .agg(y=pl.col("y").mean(), n=pl.len())
        .sort("k")
    )


def dips(by_month: pl.DataFrame) -> dict[int, float]:
    """Change of each month against the mean of the three before it."""
    y = by_month["y"].to_list()
    return {
        int(by_month["k"][i]): y[i] / (sum(y[i - 3 : i]) / 3) - 1
        for i in range(3, len(y))
    }
