"""DuckDB connections: opened here and nowhere else."""

from __future__ import annotations

import os
import tempfile
from threading import Lock

import duckdb

#: The one DuckDB of each process; a fork keeps away from that of its parent.
_OPEN: dict[int, duckdb.DuckDBPyConnection] = {}
_GUARD = Lock()


def connect() -> duckdb.DuckDBPyConnection:
    """A connection to this process's in-memory DuckDB, in UTC.

    Its temporary tables, views and macros are its own; make no others. To open a
    DuckDB takes longer than most of what it is asked, so there is but one.
    """
    process = os.getpid()
    with _GUARD:
        if not _is_alive(_OPEN.get(process)):
            _OPEN[process] = connect_apart()
        return _OPEN[process].cursor()


def _is_alive(connection: duckdb.DuckDBPyConnection | None) -> bool:
    """Can it still be asked? An internal error of DuckDB ends all of it."""
    if connection is None:
        return False
    try:
        connection.execute("SELECT 1").fetchall()
    except duckdb.Error:
        return False
    return True


def connect_apart(*, memory_limit: str | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB of one's own: for settings of its own, or for tables that are not
    temporary, which several connections share."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": False,
        "temp_directory": tempfile.gettempdir(),
    }
    if memory_limit is not None:
        config["memory_limit"] = memory_limit
    connection = duckdb.connect(config=config)
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    # Footers are read once; a file that changed since is read again.
    connection.execute("SET GLOBAL parquet_metadata_cache = true")
    return connection
