"""Targets of metrics, kept in the lake: every change with date and author."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pyarrow as pa

from perennial.lake.store import Lake
from perennial.lake.tables import TABLES
from perennial.metrics.targets import Target

NAME = "metric_targets"


def load(lake: Lake) -> list[Target]:
    """The targets in force: of each metric, segment and group the newest."""
    rows = lake.read(NAME).sort_by("changed_at").to_pylist()
    newest = {(r["metric"], r["segment"], r["group"]): Target(**r) for r in rows}
    return [target for _, target in sorted(newest.items()) if not target.is_empty]


def change(lake: Lake, target: Target, *, by: str, at: datetime) -> Target:
    """Record a target; one without values takes the former away."""
    kept = replace(target, changed_at=at, changed_by=by)
    schema = TABLES[NAME].schema()
    lake.write(NAME, pa.Table.from_pylist([vars(kept)], schema=schema))
    return kept
