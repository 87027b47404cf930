"""Rows of one file that share a key: which counts, and which are refused.

Facts are replaced by key, so the last row counts; events are kept once, so the
first does. Equal rows are the same row told twice and are no error. Only hashes
are kept of rows already seen, 40 bytes each, and DuckDB puts them on disk when
memory is short.
"""

from __future__ import annotations

import duckdb

from perennial.apps.intake.files.sources import ROW
from perennial.apps.intake.files.sql import one

_EMPTY = "CREATE OR REPLACE TEMP TABLE repeats (row BIGINT, kept BIGINT, is_same BOOL)"


class Ledger:
    """Keys of a file, read from the table `converted`, batch by batch.

    `find` fills the table `repeats`: rows of the batch that give way to row `kept`.
    """

    def __init__(self, duck: duckdb.DuckDBPyConnection, *, keep_first: bool) -> None:
        self._duck = duck
        self._keep = "min" if keep_first else "max"
        duck.execute(_EMPTY)
        duck.execute(
            "CREATE TEMP TABLE ledger (key UHUGEINT, content UBIGINT, row BIGINT)"
        )

    def add(self) -> None:
        """Remember the good rows of the batch."""
        self._duck.execute(
            f"INSERT INTO ledger SELECT _key, _content, {ROW} "
            "FROM converted WHERE _problem IS NULL"
        )

    def find(self) -> int:
        """Rows of the batch that give way to an equal row."""
        self._duck.execute(_EMPTY)
        keep = self._keep
        self._duck.execute(
            f"INSERT INTO repeats SELECT b.{ROW}, k.kept, b._content = k.content "
            "FROM converted b JOIN ("
            f"SELECT key, {keep}(row) AS kept, arg_{keep}(content, row) AS content "
            "FROM ledger WHERE key IN "
            "(SELECT _key FROM converted WHERE _problem IS NULL) "
            "GROUP BY key HAVING count(*) > 1) k ON b._key = k.key "
            f"WHERE b._problem IS NULL AND b.{ROW} <> k.kept"
        )
        return int(one(self._duck, "SELECT count(*) FROM repeats WHERE is_same")[0])
