"""Settings of a workspace, kept in its lake: every change with date and author."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

import pyarrow as pa

from perennial.core.settings import JSON, Settings
from perennial.lake.store import Lake
from perennial.lake.tables import TABLES


def load(lake: Lake) -> Settings:
    """The settings in force: defaults, and the newest value of each changed one."""
    rows = lake.read("settings").sort_by("changed_at").to_pylist()
    return Settings().with_values(
        {row["key"]: json.loads(row["value"]) for row in rows}
    )


def changed(lake: Lake) -> Mapping[str, tuple[datetime, str]]:
    """When, and by whom, each setting was last changed."""
    rows = lake.read("settings").sort_by("changed_at").to_pylist()
    return {row["key"]: (row["changed_at"], row["changed_by"]) for row in rows}


def change(
    lake: Lake, values: Mapping[str, JSON], *, by: str, at: datetime
) -> Settings:
    """Record changed settings; raises before writing when one does not fit."""
    changed = load(lake).with_values(values)
    rows = [
        {"key": k, "value": json.dumps(v), "changed_at": at, "changed_by": by}
        for k, v in values.items()
    ]
    lake.write(
        "settings", pa.Table.from_pylist(rows, schema=TABLES["settings"].schema())
    )
    return changed
