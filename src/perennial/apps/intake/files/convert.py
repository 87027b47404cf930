"""Batches of a source as rows of a table, on one DuckDB connection."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from perennial.apps.intake.files.sources import Batch
from perennial.apps.intake.files.sql import one
from perennial.apps.intake.files.statement import Statement
from perennial.core.errors import BadValue

#: Rows that cannot be taken, as `rejects` has them.
REFUSED = pa.schema(
    [
        ("row_number", pa.int64()),
        ("code", pa.string()),
        ("reason", pa.string()),
        ("payload", pa.string()),
    ]
)


class Converter:
    """Converts batch after batch; the other methods speak of the last one."""

    def __init__(self, duck: duckdb.DuckDBPyConnection, statement: Statement) -> None:
        self._duck = duck
        self._statement = statement
        self._check_constants()

    def convert(self, batch: Batch) -> None:
        """Fill `converted` from a batch; `raw` stays until the next."""
        self._duck.register("raw", batch.rows)
        query = self._statement.converted()
        self._duck.execute(f"CREATE OR REPLACE TEMP TABLE converted AS {query}")

    def good(self) -> pa.Table:
        rows = self._duck.sql(self._statement.good()).to_arrow_table()
        return rows.cast(self._statement.plan.table.schema())

    def refused(self) -> pa.Table:
        if not one(self._duck, "SELECT count(_problem) FROM converted")[0]:
            return REFUSED.empty_table()
        return self._refused(self._statement.refused())

    def repeated(self) -> pa.Table:
        if not one(self._duck, "SELECT count(*) FROM repeats WHERE NOT is_same")[0]:
            return REFUSED.empty_table()
        return self._refused(self._statement.repeated())

    def _refused(self, query: str) -> pa.Table:
        rows = self._duck.sql(query).to_arrow_table()
        return rows.rename_columns(REFUSED.names).cast(REFUSED)

    def _check_constants(self) -> None:
        plan = self._statement.plan
        for name, binding in plan.bindings.items():
            if not binding.is_constant:
                continue
            if one(self._duck, self._statement.constant(binding))[0] is None:
                kind = ", ".join(binding.column.choices) or binding.column.type
                raise BadValue(
                    f"the constant {binding.label.removeprefix('= ')!r} does not fit "
                    f"{plan.table.name}.{name}, which is {kind}"
                )
