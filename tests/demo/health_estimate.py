"""H01 of kpis.md, computed plainly: an independent look at the demo's health."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pyarrow as pa

from tests.demo.frames import frame

WINDOW = 28


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _live(frame: pl.DataFrame, when: datetime) -> pl.DataFrame:
    ends = pl.col("ends_at").is_null() | (pl.col("ends_at") > when)
    return frame.filter((pl.col("starts_at") <= when) & ends)


def activity(tables: Mapping[str, pa.Table], start: date, end: date) -> pl.DataFrame:
    """Activity events of [start, end) with account, feature and session."""
    definitions = frame(tables["event_definitions"])
    silent = definitions.filter(~pl.col("counts_as_activity"))["name"].to_list()
    outside = frame(tables["users"]).filter(pl.col("is_test") | pl.col("is_internal"))
    features = definitions.select(event="name", feature_id="feature_id").unique()
    events = (
        frame(tables["events"].select(["event", "timestamp", "user_id", "account_id"]))
        .filter(
            (pl.col("timestamp") >= _at(start))
            & (pl.col("timestamp") < _at(end))
            & pl.col("user_id").is_not_null()
            & ~pl.col("event").is_in(silent)
            & ~pl.col("user_id").is_in(outside["user_id"].to_list())
            & pl.col("account_id").is_not_null()
        )
        .join(features, on="event", how="left")
        .sort("account_id", "user_id", "timestamp")
    )
    gap = pl.col("timestamp").diff() > timedelta(minutes=30)
    fresh = (gap | gap.is_null()).over("account_id", "user_id")
    return events.with_columns(session=fresh.cum_sum())


def live_customers(tables: Mapping[str, pa.Table], end: date) -> pl.DataFrame:
    """Accounts with a paid, not paused, not test subscription just before `end`."""
    when = _at(end) - timedelta(seconds=1)
    items = frame(tables["subscription_items"])
    runs = items.filter(
        (pl.col("valid_from") <= when)
        & (pl.col("valid_to").is_null() | (pl.col("valid_to") > when))
        & ~pl.col("is_trial")
        & (pl.col("usage_type") == "licensed")
        & ~(
            (pl.col("paused_from") <= when)
            & (pl.col("paused_to").is_null() | (pl.col("paused_to") > when)).fill_null(
                True
            )
        ).fill_null(False)
    )
    accounts = frame(tables["accounts"]).filter(~pl.col("is_test"))
    return accounts.join(runs.select("account_id").unique(), on="account_id")


def components(tables: Mapping[str, pa.Table], end: date) -> pl.DataFrame:
    """One row a live customer that is past its onboarding: components and score."""
    when, start = _at(end) - timedelta(seconds=1), end - timedelta(WINDOW)
    accounts = live_customers(tables, end)
    done = pl.coalesce("onboarding_completed_at", pl.col("created_at") + timedelta(30))
    accounts = accounts.with_columns(
        onboarding=(done > when) | (pl.col("created_at") > when - timedelta(30))
    )
    key = _key_features(tables)
    by_account = _measures(activity(tables, start, end), key)
    before = activity(tables, start - timedelta(WINDOW), start)
    entitled = (
        _live(frame(tables["entitlements"]), when)
        .filter(key)
        .group_by("account_id")
        .agg(entitled=pl.col("feature_id").n_unique())
    )
    seats = _live(frame(tables["seat_contracts"]), when).select("account_id", "seats")
    earlier = before.group_by("account_id").agg(
        active_before=pl.col("user_id").n_unique()
    )
    rows = accounts
    for other in (by_account, entitled, seats, earlier):
        rows = rows.join(other, on="account_id", how="left")
    counts = ("active", "used", "key_events", "active_before")
    return _scored(rows.with_columns(pl.col(counts).fill_null(0)))


def _key_features(tables: Mapping[str, pa.Table]) -> pl.Expr:
    features = frame(tables["features"]).filter(pl.col("is_key"))["feature_id"]
    return pl.col("feature_id").is_in(features.to_list())


def _measures(now: pl.DataFrame, key: pl.Expr) -> pl.DataFrame:
    """What is measured of each account in the window."""
    days = now.group_by("account_id", "user_id").agg(
        days=pl.col("timestamp").dt.date().n_unique()
    )
    spans = now.group_by("account_id", "session").agg(
        s=(pl.col("timestamp").max() - pl.col("timestamp").min()).dt.total_seconds()
    )
    people = days.group_by("account_id").agg(
        active=pl.len(), active_days=pl.col("days").median()
    )
    minutes = spans.group_by("account_id").agg(minutes=pl.col("s").sum() / 60)
    used = now.group_by("account_id").agg(
        used=pl.col("feature_id").filter(key).n_unique(),
        key_events=key.sum(),
        sessions=pl.col("session").n_unique(),
    )
    return used.join(people, on="account_id").join(minutes, on="account_id")


def _scored(rows: pl.DataFrame) -> pl.DataFrame:
    some = pl.col("active") > 0
    minutes = pl.col("minutes") / pl.col("active")
    frequency = (
        (pl.col("active_days") / 12).clip(0, 1) + (minutes / 120).clip(0, 1)
    ) * 50
    breadth = (pl.col("active") / pl.col("seats") / 0.8).clip(0, 1) * 100
    coverage = (pl.col("used") / pl.col("entitled") / 0.7).clip(0, 1)
    per_session = (pl.col("key_events") / pl.col("sessions") / 5).clip(0, 1)
    change = (pl.col("active") / pl.col("active_before") - 1) / 0.2
    users = 50 + 50 * change.clip(-1, 1)
    rows = rows.with_columns(
        frequency=pl.when(some).then(frequency).otherwise(0.0),
        breadth=breadth,
        depth=pl.when(some).then(75 * coverage + 25 * per_session).otherwise(0.0),
        # MRR is left out of growth: most accounts pay what they paid 90 days ago.
        growth=pl.when(pl.col("active_before") > 0)
        .then((users + 50) / 2)
        .otherwise(50),
    )
    weights = {"frequency": 0.3, "breadth": 0.25, "depth": 0.3, "growth": 0.15}
    total = sum((pl.col(k) * w).fill_null(0) for k, w in weights.items())
    weight = sum(pl.col(k).is_not_null() * w for k, w in weights.items())
    score = pl.when(~pl.col("onboarding")).then(total / weight)
    return rows.with_columns(score=score).with_columns(
        color=pl.when(pl.col("score").is_null())
        .then(pl.lit("grey"))
        .when(pl.col("score") < 40)
        .then(pl.lit("red"))
        .when(pl.col("score") < 60)
        .then(pl.lit("orange"))
        .when(pl.col("score") < 80)
        .then(pl.lit("yellow"))
        .otherwise(pl.lit("green"))
    )


def shares(tables: Mapping[str, pa.Table], end: date) -> dict[str, float]:
    """Share of the live customers by color, grey included."""
    colors = components(tables, end)["color"]
    return {
        color: (colors == color).sum() / len(colors)
        for color in ("green", "yellow", "orange", "red", "grey")
    }
