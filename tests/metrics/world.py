"""One company with all the dirt of real data, for numbers computed twice.

`World` is the seeded example company plus the rows that make numbers wrong in
practice: each family of metrics adds its own in a module `dirt_…`. Tests ask the
product for a number, compute it again from the plain rows in `tables` by a way of
their own, and compare.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from perennial.core.settings import JSON
from perennial.demo.generate import generate
from perennial.lake import settings_store
from perennial.lake.store import Lake
from perennial.lake.tables import TABLES
from perennial.lake.workspace import Workspace
from tests.builders import clock, instant

#: The last day of the company's data, and the instant questions are asked at.
END = date(2026, 6, 10)
NOW = "2026-06-10T05:00"

Tables = dict[str, pl.DataFrame]
Dirt = Callable[[Tables], None]


@dataclass(frozen=True)
class World:
    """`tables`: every fact as it was written, instants in UTC."""

    workspace: Workspace
    tables: Tables


def company(accounts: int = 60, months: int = 14) -> Tables:
    """The example company's facts, before any dirt."""
    made = generate(seed=3, end=END, accounts=accounts, months=months)
    frames = {name: pl.DataFrame(rows) for name, rows in made.items()}
    return {name: frame for name, frame in frames.items() if frame.height}


def append(tables: Tables, name: str, rows: list[Mapping[str, object]]) -> None:
    """Add rows to a table; columns that are not given are null."""
    schema = pl.DataFrame(TABLES[name].schema().empty_table()).schema
    frame = pl.DataFrame(
        [{column: row.get(column) for column in schema} for row in rows], schema=schema
    )
    known = tables.get(name, frame.clear())
    tables[name] = pl.concat([known, frame], how="diagonal")


def build(path: Path, tables: Tables, **settings: JSON) -> World:
    """A workspace that holds these facts, rolled up."""
    lake = Lake(path)
    if settings:
        settings_store.change(lake, settings, by="test", at=instant(NOW))
    write(lake, tables)
    world = opened(path, tables)
    world.workspace.roll_up()
    return world


def opened(path: Path, tables: Tables) -> World:
    """A workspace that was built."""
    return World(Workspace(Lake(path), clock=clock(instant(NOW))), tables)


def write(lake: Lake, tables: Tables) -> None:
    """Write every table's rows."""
    for name, frame in tables.items():
        schema = TABLES[name].schema()
        lake.write(name, frame.select(schema.names).to_arrow().cast(schema))
