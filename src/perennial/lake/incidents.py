"""Days on which tracking broke: seen when they are over, and written down.

Only a refresh of the present day looks for them: it freezes scores then, and later
windows count the day as not measured until its events have come after all.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from perennial.core.windows import DAY
from perennial.lake.tables import TABLES
from perennial.scoring import outage
from perennial.scoring.health import WINDOW

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

NAME = "data_incidents"
_VOLUMES = "event_days"
_LOOK_BACK = DAY * 63


def detect(workspace: Workspace, as_of: date) -> bool:
    """Was the day before `as_of` an outage? Written down the first time."""
    day = as_of - DAY
    if as_of != workspace.today:
        return False
    volumes = _volumes(workspace, day - _LOOK_BACK, as_of)
    first = min(volumes, default=day)
    holidays = {date.fromisoformat(text) for text in workspace.settings.holidays}
    usual = outage.expected(volumes, day, first, holidays)
    if not outage.is_outage(volumes.get(day, 0), usual):
        return False
    if day not in workspace.lake.read(NAME)["date"].to_pylist():
        row = {
            "date": day,
            "events": volumes.get(day, 0),
            "expected": usual,
            "detected_at": workspace.now,
        }
        schema = TABLES[NAME].schema()
        workspace.lake.write(NAME, pa.Table.from_pylist([row], schema=schema))
    return True


def of_yesterday(workspace: Workspace) -> Mapping[str, Any] | None:
    """What was written down of the day that is just over; None: it was no outage."""
    rows = workspace.lake.read(NAME).to_pylist()
    return next((row for row in rows if row["date"] == workspace.today - DAY), None)


def _volumes(workspace: Workspace, start: date, end: date) -> dict[date, int]:
    """Events by local day `[start, end)`, whether they count or not."""
    table = workspace.engine.table(_VOLUMES)
    table = table.filter((table.date >= start) & (table.date < end))
    found = workspace.engine.run(table.group_by("date").agg(events=table.events.sum()))
    return dict(found.select("date", "events").iter_rows())


def open_days(workspace: Workspace) -> list[date]:
    """Incidents whose events have not come since, oldest first."""
    rows = workspace.lake.read(NAME).sort_by("date").to_pylist()
    if not rows:
        return []
    volumes = _volumes(workspace, rows[0]["date"], rows[-1]["date"] + DAY)
    return [
        row["date"]
        for row in rows
        if outage.is_outage(volumes.get(row["date"], 0), row["expected"])
    ]


def with_measured_days(workspace: Workspace, rows: pl.DataFrame) -> pl.DataFrame:
    """Days of each window on which events arrived as they do; at least one."""
    missing = open_days(workspace)
    if not missing or rows.is_empty():
        return rows
    days = {
        day: max(WINDOW - sum(day - DAY * WINDOW <= d < day for d in missing), 1)
        for day in rows["date"].unique().to_list()
    }
    return rows.with_columns(
        measured_days=pl.col("date").replace_strict(days, return_dtype=pl.Int32)
    )
