"""SQL of tables and of their rows, for DuckDB."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa

from perennial.lake.tables import TABLES, Table


def relation_of(
    name: str, files: Sequence[str], columns: frozenset[str], *, some: bool = False
) -> str:
    """SQL of a table's declared columns from files of a version with `columns`.

    Where they are but `some` of its files, each may be older than a column.
    """
    if not files:
        return empty(name)
    declared = TABLES[name].schema()
    selected = ", ".join(
        quoted(f.name)
        if some or f.name in columns
        else f"NULL::{_sql_type(f.type)} AS {quoted(f.name)}"
        for f in declared
    )
    read = (
        f"read_parquet([{strings(files)}], "
        "union_by_name = true, hive_partitioning = false)"
    )
    if some:
        read = f"(FROM {read} UNION ALL BY NAME FROM {empty(name)})"
    return f"(SELECT {selected} FROM {read})"


def empty(name: str) -> str:
    """SQL of a relation with the columns of a table and no rows."""
    columns = TABLES[name].schema()
    nulls = (f"NULL::{_sql_type(f.type)} AS {quoted(f.name)}" for f in columns)
    return f"(SELECT {', '.join(nulls)} WHERE false)"


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def listed(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def strings(values: Iterable[str]) -> str:
    """Values as SQL string literals, separated by commas."""
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)


def _sql_type(type_: pa.DataType) -> str:
    if pa.types.is_decimal(type_):
        return f"DECIMAL({type_.precision}, {type_.scale})"
    names = {
        pa.string(): "VARCHAR",
        pa.int64(): "BIGINT",
        pa.float64(): "DOUBLE",
        pa.bool_(): "BOOLEAN",
        pa.date32(): "DATE",
        pa.timestamp("us", tz="UTC"): "TIMESTAMPTZ",
    }
    return names[type_]


def count(duck: duckdb.DuckDBPyConnection, relation: str) -> int:
    found = duck.sql(f"SELECT count(*) FROM {relation}").fetchall()
    return int(found[0][0])


def one_a_key(
    duck: duckdb.DuckDBPyConnection, table: Table, rows: pa.Table
) -> pa.Table:
    """The rows with one a key: the last, or the first where the table only inserts.

    Only keys with equal hashes are looked at: to put whole rows in order for a few
    repeated ones took a quarter of an import.
    """
    alike = _alike(duck, table, rows)
    if not alike.num_rows:
        return rows
    duck.register("alike", alike)
    kept = "min" if table.insert_only else "max"
    repeated = (
        f"SELECT {listed(table.key)}, {kept}(_at) AS _kept FROM alike GROUP BY ALL"
    )
    gone = duck.sql(
        f"SELECT _at FROM alike JOIN ({repeated}) repeated "
        f"ON {same_key(table, 'alike', 'repeated')} WHERE _at <> _kept"
    ).fetchnumpy()["_at"]
    duck.unregister("alike")
    is_kept = np.ones(rows.num_rows, bool)
    is_kept[gone] = False
    return rows.filter(pa.array(is_kept))


def _alike(duck: duckdb.DuckDBPyConnection, table: Table, rows: pa.Table) -> pa.Table:
    """The keys, and `_at`, the places, of rows whose keys have a hash in common."""
    placed = rows.select(table.key).append_column(
        "_at", pa.array(np.arange(rows.num_rows))
    )
    duck.register("placed", placed)
    query = f"SELECT _at, hash({listed(table.key)}) AS hash FROM placed"
    found = duck.sql(query).fetchnumpy()
    duck.unregister("placed")
    ordered = np.sort(found["hash"])
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(repeated):
        return placed.slice(0, 0)
    return placed.take(pa.array(found["_at"][np.isin(found["hash"], repeated)]))


def same_key(table: Table, left: str, right: str) -> str:
    return " AND ".join(
        f"{left}.{quoted(name)} IS NOT DISTINCT FROM {right}.{quoted(name)}"
        for name in table.key
    )


def months_of(
    duck: duckdb.DuckDBPyConnection, table: Table, relation: str
) -> list[str] | None:
    if table.partition_by is None:
        return None
    rows = duck.sql(f"SELECT DISTINCT {month_of(table)} FROM {relation}")
    return sorted(row[0] for row in rows.fetchall())


def month_of(table: Table) -> str:
    """SQL of a row's partition."""
    return f"strftime({_when(table)}, '%Y-%m')"


def _when(table: Table) -> str:
    """SQL of the date or instant a row is partitioned by; UTC, without a zone, of
    which the time zone library would be asked row by row."""
    assert table.partition_by is not None
    at = quoted(table.partition_by)
    is_instant = pa.types.is_timestamp(table.schema().field(table.partition_by).type)
    return f"make_timestamp(epoch_us({at}))" if is_instant else at


def days_of(duck: duckdb.DuckDBPyConnection, table: Table, relation: str) -> list[date]:
    """UTC days (local days where the column is a date) of a relation's rows."""
    if table.partition_by is None:
        return []
    rows = duck.sql(f"SELECT DISTINCT {_when(table)}::DATE FROM {relation}")
    return sorted(row[0] for row in rows.fetchall())
