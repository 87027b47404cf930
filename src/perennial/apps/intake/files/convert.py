"""Batches of a source as rows of a table: one SQL statement, made once a file.

    raw -> given (filtered, as text or typed) -> valued (converted) -> converted

`converted` holds every row with `_problem`, the index of the first rule it breaks,
and `_key` and `_content`, hashes that `repeats` compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from perennial.apps.intake.files.columns import Binding, Plan, identity
from perennial.apps.intake.files.properties import canonical, properties_sql
from perennial.apps.intake.files.rules import Reason, rules
from perennial.apps.intake.files.sources import ROW, Batch, SourceColumn
from perennial.apps.intake.files.sql import literal, one, quoted
from perennial.apps.intake.files.values import (
    PLAIN,
    Formats,
    Given,
    given_sql,
    value_sql,
)
from perennial.core.errors import BadValue
from perennial.lake.tables import PROPERTIES

_SEPARATOR = "chr(31)"
_NOTHING = "chr(30)"


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
    """Converts batch after batch on one connection."""

    def __init__(
        self,
        duck: duckdb.DuckDBPyConnection,
        plan: Plan,
        columns: Sequence[SourceColumn],
        *,
        formats: Formats,
        zone: str,
        where: str | None,
        latest: datetime,
        plain: frozenset[int],
    ) -> None:
        self._duck = duck
        self._plan = plan
        self._columns = columns
        self._formats = formats
        self._zone = zone
        self._plain = plain
        self._rules = rules(plan.table, plan.bindings, latest=latest)
        self._valued = self._valued_sql(where)
        self._check_constants()

    def convert(self, batch: Batch) -> None:
        """Fill `converted` from a batch; `raw` stays until the next."""
        self._duck.register("raw", batch.rows)
        self._duck.execute(f"CREATE OR REPLACE TEMP TABLE converted AS {self._sql()}")

    def good(self) -> pa.Table:
        """Rows to load: those that break no rule and are not in `repeats`."""
        table = self._plan.table
        names = ", ".join(quoted(name) for name in table.names)
        rows = self._duck.sql(
            f"SELECT {names} FROM converted WHERE _problem IS NULL "
            f"AND {ROW} NOT IN (SELECT row FROM repeats)"
        ).to_arrow_table()
        return rows.cast(table.schema())

    def refused(self) -> pa.Table:
        """Rows that break a rule, with the first one they break."""
        if not one(self._duck, "SELECT count(_problem) FROM converted")[0]:
            return REFUSED.empty_table()
        codes = _case("_problem", [literal(rule.reason) for rule in self._rules])
        sentences = _case("_problem", [rule.sentence for rule in self._rules])
        return self._refused(
            f"SELECT {ROW}, {codes}, {sentences}, {self._payload()} FROM ("
            f"SELECT v.*, b._problem, r.* EXCLUDE ({ROW}) FROM ({self._valued}) v "
            f"JOIN (SELECT {ROW}, _problem FROM converted WHERE _problem IS NOT NULL) "
            f"b USING ({ROW}) JOIN raw r USING ({ROW})) ORDER BY {ROW}"
        )

    def repeated(self) -> pa.Table:
        """Rows in `repeats` that say something else than the row that counts."""
        key = ", ".join(identity(self._plan.table))
        sentence = f"'row ' || p.kept || {literal(f' has the same {key}, and counts')}"
        return self._refused(
            f"SELECT {ROW}, {literal(Reason.REPEATED_KEY)}, {sentence}, "
            f"{self._payload()} FROM raw r "
            f"JOIN repeats p ON p.row = r.{ROW} WHERE NOT p.is_same ORDER BY {ROW}"
        )

    def _refused(self, query: str) -> pa.Table:
        rows = self._duck.sql(query).to_arrow_table()
        return rows.rename_columns(REFUSED.names).cast(REFUSED)

    def _sql(self) -> str:
        table = self._plan.table
        names = ", ".join(quoted(name) for name in table.names)
        key = identity(table)
        hashes = (
            f"md5_number({_joined([quoted(name) for name in key])}) AS _key, "
            f"hash({names}) AS _content"
            if key
            else "NULL AS _key, NULL AS _content"
        )
        problem = " ".join(
            f"WHEN {rule.condition} THEN {index}"
            for index, rule in enumerate(self._rules)
        )
        problem = f"CASE {problem} END" if problem else "NULL"
        return (
            f"SELECT {ROW}, _problem, {names}, {hashes} FROM ("
            f"SELECT {ROW}, {problem}::SMALLINT AS _problem, {self._filled()} "
            f"FROM ({self._valued}))"
        )

    def _valued_sql(self, where: str | None) -> str:
        """Every bound column as given (g_) and converted; properties."""
        bindings = [
            b for name, b in self._plan.bindings.items() if name != "properties"
        ]
        given = [f"{given_sql(b.column, b.given)} AS {_g(b)}" for b in bindings]
        values = [
            f"{self._value(b, Given(_g(b), b.given.kind))} AS {quoted(b.column.name)}"
            for b in bindings
        ]
        base = self._plan.bindings.get(PROPERTIES.name)
        extras = self._plan.extras
        kept = properties_sql(base.given if base else None, extras, self._plain)
        rows = f"raw WHERE {where}" if where else "raw"
        inner = ", ".join([ROW, *given, f"{kept} AS properties"])
        outer = ", ".join(["*", *values])
        return f"SELECT {outer} FROM (SELECT {inner} FROM {rows})"

    def _value(self, binding: Binding, given: Given) -> str:
        form = self._formats.get(binding.given.sql, PLAIN)
        return value_sql(binding.column, given, form, self._zone)

    def _filled(self) -> str:
        """All columns of the table, with defaults and what follows from others."""
        return ", ".join(
            f"{self._fill(name)} AS {quoted(name)}" for name in self._plan.table.names
        )

    def _fill(self, name: str) -> str:
        """A column's value, or what stands in for it; CASE, as coalesce is eager."""
        column = self._plan.table[name]
        other = self._derived(name)
        if other is None and column.default is not None:
            other = _default(column.default)
        if name not in self._plan.bindings and name != PROPERTIES.name:
            return other or "NULL"
        value = quoted(name)
        return (
            f"CASE WHEN {value} IS NULL THEN {other} ELSE {value} END"
            if other
            else value
        )

    def _derived(self, name: str) -> str | None:
        """What a missing value follows from; only events have such columns."""
        if self._plan.table.name != "events":
            return None
        if name == "received_at":
            return quoted("timestamp")
        if name != "event_id":
            return None
        user, device, account = (
            quoted(name) if name in self._plan.bindings else "NULL"
            for name in ("user_id", "anonymous_id", "account_id")
        )
        properties = quoted(PROPERTIES.name)
        if PROPERTIES.name in self._plan.bindings:
            properties = canonical(properties)  # columns are in order already
        at = f"epoch_ms({quoted('timestamp')})"
        who = f"coalesce({user}, {device})"
        content = _joined([who, account, quoted("event"), at, properties])
        return f"left(sha256({content}), 32)"

    def _payload(self) -> str:
        return f"coalesce({properties_sql(None, self._columns)}, '{{}}')"

    def _check_constants(self) -> None:
        for name, binding in self._plan.bindings.items():
            if not binding.is_constant:
                continue
            given = f"({given_sql(binding.column, binding.given)})"
            value = self._value(binding, Given(given, "text"))
            if one(self._duck, f"SELECT {value}")[0] is None:
                raise BadValue(
                    f"the constant {binding.label.removeprefix('= ')!r} does not fit "
                    f"{self._plan.table.name}.{name}, which is {_kind_of(binding)}"
                )


def has_own_key(plan: Plan) -> bool:
    """Does the file itself say which rows are the same?

    Events without ids get them from their content: equal ids are equal rows.
    """
    return bool(plan.table.key) and not (
        plan.table.insert_only and plan.table.key[0] not in plan.bindings
    )


def _g(binding: Binding) -> str:
    return quoted(f"g_{binding.column.name}")


def _joined(parts: Sequence[str]) -> str:
    """One text of several values, in which no two lists of values look the same."""
    if len(parts) == 1:
        return f"coalesce({parts[0]}::VARCHAR, {_NOTHING})"
    texts = (f"coalesce({part}::VARCHAR, {_NOTHING})" for part in parts)
    return f"concat_ws({_SEPARATOR}, {', '.join(texts)})"


def _case(of: str, values: Sequence[str]) -> str:
    cases = " ".join(f"WHEN {index} THEN {sql}" for index, sql in enumerate(values))
    return f"CASE {of} {cases} END"


def _default(value: str | int | bool) -> str:
    if isinstance(value, str):
        return literal(value)
    return str(value).lower()


def _kind_of(binding: Binding) -> str:
    column = binding.column
    return f"one of {', '.join(column.choices)}" if column.choices else column.type
