"""How rows become a commit: files, their order, and what the commit says of itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Final, Literal

import numpy as np
import pyarrow as pa
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    Transaction,
    WriterProperties,
    write_deltalake,
)

from perennial.core.errors import PerennialError
from perennial.lake.relations import listed, month_of, strings
from perennial.lake.stored import DAYS
from perennial.lake.tables import MONTH, Table

# zstd-1 beats zstd-3 in size and speed here (measured: 41.9 against 42.7 B/event).
# Values that are all different gain nothing from a dictionary; instants become small
# as differences (sessions: a fifth smaller, a fifth quicker). Nobody reads statistics
# of single pages.
_STATISTICS: Literal["CHUNK"] = "CHUNK"


def _writer(group: int) -> WriterProperties:
    return WriterProperties(
        compression="ZSTD",
        compression_level=1,
        max_row_group_size=group,
        default_column_properties=ColumnProperties(statistics_enabled=_STATISTICS),
        column_properties={
            "event_id": ColumnProperties(
                dictionary_enabled=False, statistics_enabled=_STATISTICS
            ),
        }
        | {
            name: ColumnProperties(
                dictionary_enabled=False,
                encoding="DELTA_BINARY_PACKED",
                statistics_enabled=_STATISTICS,
            )
            for name in ("timestamp", "started_at", "ended_at", "last_at")
        },
    )


WRITER: Final = _writer(250_000)
#: Who looks up one account reads few other rows.
BY_ACCOUNT: Final = _writer(32_768)


def query(table: Table, relation: str) -> str:
    """SQL of a relation's rows as the table's files have them."""
    wanted = listed(table.names)
    if table.partition_by:
        wanted += f", {month_of(table)} AS {MONTH}"
    if not table.by_account:
        return f"SELECT {wanted} FROM {relation}"
    # Two columns find an account's rows; all of them take three times as long.
    return f"SELECT {wanted} FROM {relation} ORDER BY {listed(table.sort_by[:2])}"


def filed(table: Table, rows: pa.Table) -> pa.Table:
    """What a `query` gives, of rows that need no order and all have an instant.

    Not through DuckDB, whose copy was a third of a commit.
    """
    if not table.partition_by:
        return rows
    months = rows[table.partition_by].to_numpy().astype("datetime64[M]")
    found, which = np.unique(months, return_inverse=True)
    names = pa.array(np.datetime_as_string(found), pa.string())
    return rows.append_column(MONTH, names.take(pa.array(which)))


def commit(
    target: DeltaTable | str,
    table: Table,
    rows: pa.Table | pa.RecordBatchReader,
    *,
    mode: Literal["append", "overwrite"],
    months: Sequence[str] | None,
    days: Iterable[date],
    progress: Mapping[str, int] | None,
) -> None:
    """Write the rows of a `query`, or rows that are `filed`, to a table, given by its
    address where there is none yet. An overwrite is of `months`, or of the whole
    table."""
    schema = table.schema(partitions=True)
    is_whole = mode == "overwrite" and months is None
    write = partial(
        write_deltalake,
        target,
        rows.cast(schema),
        partition_by=[MONTH] if table.partition_by else None,
        schema_mode=_schema_mode(target, table, schema, is_whole=is_whole),
        writer_properties=BY_ACCOUNT if table.by_account else WRITER,
        commit_properties=CommitProperties(
            custom_metadata={DAYS: json.dumps([day.isoformat() for day in days])},
            app_transactions=[
                Transaction(app, at) for app, at in (progress or {}).items()
            ],
        ),
    )
    if mode == "append":
        write(mode="append")
    else:
        some = None if months is None else f"{MONTH} IN ({strings(months)})"
        write(mode="overwrite", predicate=some)


def _schema_mode(
    target: DeltaTable | str, table: Table, schema: pa.Schema, *, is_whole: bool
) -> Literal["merge", "overwrite"] | None:
    if isinstance(target, str):
        return None
    stored = pa.schema(target.schema().to_arrow())
    if is_whole and not stored.equals(schema):
        return "overwrite"
    _check_evolution(table, schema, stored)
    return "merge" if len(schema.names) > len(stored.names) else None


def _check_evolution(table: Table, declared: pa.Schema, stored: pa.Schema) -> None:
    """Columns may be added; a type never changes under stored rows."""
    for field in stored:
        if field.name not in declared.names:
            raise PerennialError(f"{table.name}.{field.name} is stored but unknown")
        if not declared.field(field.name).type.equals(field.type):
            raise PerennialError(
                f"{table.name}.{field.name} is stored as {field.type}, "
                f"not {declared.field(field.name).type}"
            )
