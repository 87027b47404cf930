"""Engines: where Ibis expressions over the lake are run.

Both read the same Delta tables. `DuckEngine` is in process and the default;
`SparkEngine` talks to any Spark Connect server. An engine gives tables by name,
bound to one version, and runs expressions over them.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Protocol

import duckdb
import ibis
import ibis.expr.types as ir
import polars as pl
import polars.selectors as cs
import pyarrow as pa
from ibis.backends.duckdb import Backend as DuckBackend
from ibis.backends.sql.compilers import PySparkCompiler
from ibis.expr.operations import DatabaseTable

from perennial.lake import merged
from perennial.lake.duck import connect
from perennial.lake.store import Lake
from perennial.lake.tables import TABLES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


# To merge nested SELECTs takes Ibis a third of compiling; engines do it themselves.
ibis.options.sql.fuse_selects = False


def _bit_or(
    compiler: PySparkCompiler, _op: object, *, arg: object, where: object
) -> object:
    return compiler.agg.bit_or(arg, where=where)


# Spark has it, and Ibis lacks the word for it.
PySparkCompiler.visit_BitOr = _bit_or

#: Of a table and of what is merged.
_Version = tuple[int, int]


def _version(lake: Lake, name: str) -> _Version:
    return lake.snapshot(name).version, lake.snapshot(merged.NAME).version


@contextmanager
def no_collection() -> Iterator[None]:
    """Expressions are many small objects that all live until the answer is there:
    the garbage collector looks through them again and again, and finds nothing."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Engine(Protocol):
    """Runs Ibis expressions over the tables of one lake."""

    def table(self, name: str) -> ir.Table:
        """The newest version of a table, with its declared columns."""

    def run(self, expression: ir.Table) -> pl.DataFrame:
        """The rows of an expression."""

    def rows(
        self,
        name: str,
        account_id: str,
        columns: Sequence[str] = (),
        since: date | None = None,
    ) -> pl.DataFrame:
        """The rows of one account, from a day on; all columns where none are named.

        The page of an account asks a dozen times for few rows: to build and compile an
        expression for each would take longer than to find them.
        """

    def sql(self, expression: ir.Table) -> str:
        """The expression in the engine's SQL."""


class DuckEngine:
    """DuckDB in process, one private connection a thread.

    A table is bound to the file list of a Delta version and bound again only when
    there is a newer one: binding costs more than most queries, and so did asking for
    columns, which are declared.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._local = threading.local()

    @property
    def _backend(self) -> DuckBackend:
        if not hasattr(self._local, "backend"):
            self._local.backend = ibis.duckdb.from_connection(connect())
            self._local.bound = {}
        return self._local.backend

    def table(self, name: str) -> ir.Table:
        backend, version = self._backend, _version(self._lake, name)
        bound: dict[str, tuple[_Version, ir.Table]] = self._local.bound
        if name not in bound or bound[name][0] != version:
            source = self._lake.source(name)
            backend.raw_sql(f'CREATE OR REPLACE TEMP VIEW "{name}" AS FROM {source}')
            table = DatabaseTable(name, schema=_schema(name), source=backend)
            bound[name] = (version, table.to_expr())
        return bound[name][1]

    def run(self, expression: ir.Table) -> pl.DataFrame:
        try:
            with no_collection():
                return _frame(self._backend.to_pyarrow(expression))
        except (duckdb.FatalException, duckdb.ConnectionException):
            self._local = threading.local()  # what is asked next connects again
            raise

    def rows(
        self,
        name: str,
        account_id: str,
        columns: Sequence[str] = (),
        since: date | None = None,
    ) -> pl.DataFrame:
        self.table(name)
        wanted = ", ".join(f'"{column}"' for column in columns) or "*"
        sql = f'SELECT {wanted} FROM "{name}" WHERE account_id = ?'
        asked: list[object] = [account_id]
        if since is not None:
            sql, asked = f"{sql} AND date >= ?", [account_id, since]
        return _frame(self._backend.con.sql(sql, params=asked).to_arrow_table())

    def sql(self, expression: ir.Table) -> str:
        return str(ibis.to_sql(expression, dialect=self._backend.name))


@cache
def _schema(name: str) -> ibis.Schema:
    return ibis.Schema.from_pyarrow(TABLES[name].schema())


class SparkEngine:
    """Any Spark Connect server that reads Delta: Databricks, Spark, LakeSail."""

    def __init__(self, lake: Lake, session: SparkSession) -> None:
        self._lake = lake
        self._session = session
        self._backend = ibis.pyspark.connect(session)
        self._bound: dict[str, _Version] = {}

    def table(self, name: str) -> ir.Table:
        version = _version(self._lake, name)
        if self._bound.get(name) != version:
            self._bind(name, version[0])
            self._bound[name] = version
        return self._backend.table(name)

    def _bind(self, name: str, version: int) -> None:
        from pyspark.sql.pandas.types import from_arrow_schema

        if version < 0 or not self._lake.snapshot(name).files:
            schema = from_arrow_schema(TABLES[name].schema())
            stored = self._session.createDataFrame([], schema=schema)
        else:
            stored = self._session.read.format("delta").load(self._lake.uri(name))
            stored = stored.select(*TABLES[name].names)
        self._merged(name, stored).createOrReplaceTempView(name)

    def _merged(self, name: str, stored: DataFrame) -> DataFrame:
        """As `merged.lens`."""
        from pyspark.sql import functions as f

        into = self._lake.merges
        if not into or name not in merged.FOLLOWING | merged.LEAVING:
            return stored
        pairs = self._session.createDataFrame(
            list(into.items()), "_old string, _new string"
        )

        def under(rows: DataFrame, column: str) -> DataFrame:
            found = rows.join(pairs, rows[column] == pairs["_old"], "left")
            return found.withColumn(column, f.coalesce("_new", column))

        if name in merged.FOLLOWING:
            return under(stored, merged.ACCOUNT).select(*stored.columns)
        left = stored.join(pairs, stored[merged.ACCOUNT] == pairs["_old"], "left_anti")
        if name != "accounts":
            return left
        below = under(left, merged.PARENT)
        alone = f.nullif(f.col(merged.PARENT), f.col(merged.ACCOUNT))
        return below.withColumn(merged.PARENT, alone).select(*stored.columns)

    def run(self, expression: ir.Table) -> pl.DataFrame:
        rows = _frame(self._backend.to_pyarrow(expression))
        # Spark says instants without their zone, which is UTC.
        return rows.with_columns(
            cs.datetime(time_zone=None).dt.replace_time_zone("UTC")
        )

    def rows(
        self,
        name: str,
        account_id: str,
        columns: Sequence[str] = (),
        since: date | None = None,
    ) -> pl.DataFrame:
        table = self.table(name)
        table = table.filter(table.account_id == account_id)
        if since is not None:
            table = table.filter(table.date >= since)
        return self.run(table.select(*columns) if columns else table)

    def sql(self, expression: ir.Table) -> str:
        return str(ibis.to_sql(expression, dialect="pyspark"))


def _frame(rows: pa.Table) -> pl.DataFrame:
    found = pl.from_arrow(rows)
    assert isinstance(found, pl.DataFrame)
    return found
