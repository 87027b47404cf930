"""What people say of the health of accounts: pulses and overrides, as of a day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from perennial.lake.tables import TABLES
from perennial.scoring import scores
from perennial.scoring.scorecard import Scorecard

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

OVERRIDES = "health_overrides"
PULSES = "health_pulses"


def with_pulses(
    workspace: Workspace, rows: pl.DataFrame, card: Scorecard
) -> pl.DataFrame:
    """The newest pulse of each account that has not expired by the row's date."""
    if not card.pulses:
        return rows
    said = _frame(workspace, PULSES).sort("date", "said_at")
    keys = rows.select("account_id", "date").unique()
    for name, pulse in card.pulses.items():
        held = keys.join(said, "account_id", suffix="_said").filter(
            (pl.col("date_said") <= pl.col("date"))
            & (
                pl.col("date")
                < pl.col("date_said") + pl.duration(days=pulse.expires_days)
            )
        )
        newest = held.group_by("account_id", "date", maintain_order=True).agg(
            pl.col("value").last().cast(pl.Float64).alias(scores.raw_column(name))
        )
        rows = rows.join(newest, ["account_id", "date"], how="left")
    return rows


def with_overrides(workspace: Workspace, rows: pl.DataFrame) -> pl.DataFrame:
    """The score that a person set for the row's date, the newest of several."""
    set_ = _frame(workspace, OVERRIDES).sort("set_at", "override_id")
    if set_.is_empty():
        return rows.with_columns(override=pl.lit(None, pl.Float64))
    held = (
        rows.select("account_id", "date")
        .unique()
        .join(set_, "account_id")
        .filter(
            (pl.col("starts_on") <= pl.col("date"))
            & (pl.col("date") < pl.col("ends_on"))
        )
        .group_by("account_id", "date", maintain_order=True)
        .agg(override=pl.col("score").last().cast(pl.Float64))
    )
    return rows.join(held, ["account_id", "date"], how="left")


def _frame(workspace: Workspace, name: str) -> pl.DataFrame:
    found = pl.from_arrow(workspace.lake.read(name))
    assert isinstance(found, pl.DataFrame)
    return found


def write_override(workspace: Workspace, row: Mapping[str, Any]) -> None:
    """Put an override into the lake, or what became of it."""
    _write(workspace, OVERRIDES, row)


def write_pulse(workspace: Workspace, row: Mapping[str, Any]) -> None:
    """Put a pulse into the lake."""
    _write(workspace, PULSES, row)


def _write(workspace: Workspace, name: str, row: Mapping[str, Any]) -> None:
    table = pa.Table.from_pylist([dict(row)], schema=TABLES[name].schema())
    workspace.lake.write(name, table)
