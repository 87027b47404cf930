"""The questions about a year, asked of a sample by pandas.

A tenth of the users, read from the file each time as the other peers read it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd

from benchmarks.year import STEPS


def write(events: Path, folder: Path) -> Path:
    """The events of a tenth of the users."""
    path = folder / "sample.parquet"
    with duckdb.connect() as duck:
        duck.execute(f"COPY (FROM '{events}' WHERE hash(user_id) % 10 = 0) TO '{path}'")
    return path


def questions(
    events: Path, subscriptions: Path, start: date, end: date
) -> dict[str, Callable[[], object]]:
    def read() -> pd.DataFrame:
        rows = pd.read_parquet(events)
        low, high = (pd.Timestamp(day, tz="UTC") for day in (start, end))
        return rows[(rows["timestamp"] >= low) & (rows["timestamp"] < high)]

    return {
        "dau, wau, mau of every day": lambda: _active(read()),
        "dau of every day": lambda: _daily(read()),
        "weekly retention": lambda: _weeks(read()),
        "funnel of four steps, 90 days": lambda: _funnel(read()),
        "funnel of four steps": lambda: _funnel(read()),
        "adoption by account": lambda: _adoption(read()),
        "MRR movements, 24 months": lambda: _movements(pd.read_parquet(subscriptions)),
    }


def _daily(rows: pd.DataFrame) -> pd.Series[int]:
    return rows.groupby(rows["timestamp"].dt.floor("D"))["user_id"].nunique()


def _active(rows: pd.DataFrame) -> pd.DataFrame:
    rows = pd.DataFrame(
        {"user": rows["user_id"], "day": rows["timestamp"].dt.floor("D")}
    )
    days = rows.drop_duplicates().sort_values(["user", "day"])
    following = days.groupby("user")["day"].shift(-1)
    found = {}
    for width in (1, 7, 30):
        until = days["day"] + pd.Timedelta(days=width)
        left = following.where(following < until, until)
        steps = days["day"].value_counts().sub(left.value_counts(), fill_value=0)
        found[width] = steps.sort_index().cumsum()
    return pd.DataFrame(found)  # fmt: skip


def _weeks(rows: pd.DataFrame) -> pd.Series[int]:
    day = rows["timestamp"].dt.floor("D")
    week = day - pd.to_timedelta(day.dt.dayofweek, unit="D")
    seen = pd.DataFrame({"user": rows["user_id"], "week": week}).drop_duplicates()
    seen["cohort"] = seen.groupby("user")["week"].transform("min")
    seen["k"] = (seen["week"] - seen["cohort"]).dt.days // 7
    return seen.groupby(["cohort", "k"]).size()


def _funnel(rows: pd.DataFrame) -> list[int]:
    at = None
    counts = []
    for name in STEPS:
        step = rows.loc[rows["event"] == name, ["user_id", "timestamp"]]
        if at is not None:
            step = step.merge(at, on="user_id")
            late = step["first"] + pd.Timedelta(days=30)
            step = step[(step["timestamp"] > step["at"]) & (step["timestamp"] < late)]
        found = step.groupby("user_id")["timestamp"].min().rename("at").reset_index()
        first = found["at"] if at is None else found["user_id"].map(at.set_index("user_id")["first"])  # fmt: skip
        at = found.assign(first=first)
        counts.append(len(at))
    return counts


def _adoption(rows: pd.DataFrame) -> pd.Series[float]:
    used = rows.groupby(["account_id", "event"])["user_id"].nunique()
    return used / rows.groupby("account_id")["user_id"].nunique()


def _movements(rows: pd.DataFrame) -> pd.DataFrame:
    firsts = pd.date_range("2023-12-01", periods=24, freq="MS")
    since, until = (pd.to_datetime(rows[name]) for name in ("valid_from", "valid_to"))
    stock = pd.DataFrame(
        {
            first: rows[(since < first) & ~(until < first)].groupby("account_id")["mrr"].sum()
            for first in firsts
        }
    )  # fmt: skip
    change = stock.diff(axis=1)
    return pd.DataFrame({"gained": change.clip(lower=0).sum(), "lost": change.clip(upper=0).sum()})  # fmt: skip
