"""Segments: conditions people named, and which accounts are in them day by day.

What people decide comes here from the application in the same step, so that a
refresh, the command line and a notebook need no application database.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from perennial.core.errors import PerennialError
from perennial.lake import matching, measures
from perennial.lake.segmentbook import NAME, Segment, known
from perennial.lake.tables import TABLES
from perennial.metrics import conditions

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

MEMBERS = "segment_members"


def keep(
    workspace: Workspace,
    segment: Segment,
    *,
    by: str,
    is_archived: bool = False,
) -> None:
    """Write down what a segment is from now on, and who is in it today.

    Raises `BadValue` where its condition goes round in a circle, or cannot be asked.
    """
    others = {key: s.condition for key, s in known(workspace).items()}
    if not is_archived:
        conditions.expanded(
            conditions.Row("member_of", "is", (segment.key,)),
            {**others, segment.key: segment.condition},
        )
        matching.refuse_unknown(workspace, segment.condition)
        matching.check(workspace, segment.condition)
    row = {
        "key": segment.key,
        "name": segment.name,
        "document": json.dumps(
            conditions.to_document(segment.condition), ensure_ascii=False
        ),
        "is_archived": is_archived,
        "changed_at": workspace.now,
        "changed_by": by,
    }
    schema = TABLES[NAME].schema()
    workspace.lake.write(NAME, pa.Table.from_pylist([row], schema=schema))
    take(workspace)


def members(workspace: Workspace, key: str) -> list[str]:
    """Ids of the accounts in a segment, as of the last refresh or change, sorted."""
    table = workspace.engine.table(MEMBERS)
    live = table.filter((table.segment == key) & table.ends_on.isnull())
    return (
        workspace.engine.run(live.select("account_id"))["account_id"].sort().to_list()
    )


def take(workspace: Workspace) -> None:
    """Write down who entered and who left since the last time.

    Of the day the account measures speak of. A day seen twice is corrected; a refresh
    of the past finds the table at a later day and leaves it alone.
    """
    day = measures.newest(workspace)
    now = _versions(workspace, day)
    lake = workspace.lake
    with lake.lock(MEMBERS):
        if day is None or all(lake.progress(MEMBERS, k) == v for k, v in now.items()):
            return
        stored = pl.from_arrow(lake.read(MEMBERS))
        assert isinstance(stored, pl.DataFrame)
        last = stored.select(pl.max_horizontal(pl.col("starts_on", "ends_on").max()))
        if not stored.is_empty() and (last.item() or day) > day:
            return
        changed = _changed(stored, _present(workspace), day)
        if changed.is_empty():
            lake.record(MEMBERS, now)
            return
        schema = TABLES[MEMBERS].schema()
        rows = changed.with_columns(properties=pl.lit(None, pl.String))
        lake.write(MEMBERS, rows.select(schema.names).to_arrow().cast(schema))
        lake.record(MEMBERS, now)


def _versions(workspace: Workspace, day: date | None) -> dict[str, int]:
    """What membership is made of, as numbers that a commit can say."""
    reads = matching.READS
    found = {name: workspace.lake.snapshot(name).version for name in reads}
    return {**found, "as_of": day.toordinal() if day else 0}


def _present(workspace: Workspace) -> pl.DataFrame:
    """Who is in what now: segment, account_id. One that fails has whom it had."""
    found: list[tuple[str, Sequence[str]]] = []
    for segment in known(workspace).values():
        try:
            ids = matching.matching(workspace, segment.condition)
        except PerennialError:  # a segment or metric it speaks of is gone
            ids = members(workspace, segment.key)
        found.append((segment.key, ids))
    pairs = [(key, account) for key, ids in found for account in ids]
    schema = {"segment": pl.String, "account_id": pl.String}
    return pl.DataFrame(pairs, schema=schema, orient="row")


def _changed(stored: pl.DataFrame, present: pl.DataFrame, day: date) -> pl.DataFrame:
    """Rows to write: intervals that end today, and those that begin."""
    keys = ["segment", "account_id"]
    columns = [*keys, "starts_on", "ends_on"]
    live = stored.filter(pl.col("ends_on").is_null())
    left = live.join(present, keys, how="anti").with_columns(ends_on=pl.lit(day))
    entered = present.join(live, keys, how="anti").with_columns(
        starts_on=pl.lit(day), ends_on=pl.lit(None, pl.Date)
    )
    return pl.concat([left.select(columns), entered.select(columns)])
