"""The SQL of an import, made once a file from the declarations and the plan.

    raw -> given (filtered; g_) -> tidy (times in ISO; t_) -> values -> converted

`converted` holds every row with `_problem`, the index of the first rule it breaks,
and `_key` and `_content`, hashes that `repeats` compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from perennial.apps.intake.files.columns import Binding, Plan
from perennial.apps.intake.files.given import PLAIN, Format, Formats, Given
from perennial.apps.intake.files.properties import (
    canonical,
    merged_sql,
    object_sql,
)
from perennial.apps.intake.files.rules import Reason, Rule
from perennial.apps.intake.files.sources import ROW, SourceColumn
from perennial.apps.intake.files.sql import column as named
from perennial.apps.intake.files.sql import literal, quoted
from perennial.apps.intake.files.values import (
    given_sql,
    text_of,
    tidy_sql,
    value_sql,
)
from perennial.lake.tables import PROPERTIES

_SEPARATOR = "chr(31)"
_NOTHING = "chr(30)"


def has_own_key(plan: Plan) -> bool:
    """Does the file itself say which rows are the same?

    Events without ids get them from their content: equal ids are equal rows.
    """
    table = plan.table
    return bool(table.key) and (not table.insert_only or table.key[-1] in plan.bindings)


@dataclass(frozen=True)
class Statement:
    """All queries of an import. `where` is SQL over source columns."""

    plan: Plan
    columns: tuple[SourceColumn, ...]
    rules: tuple[Rule, ...]
    formats: Formats
    zone: str
    where: str | None
    plain: frozenset[int]

    def converted(self) -> str:
        """Every row, converted and checked."""
        names = _list(self.plan.table.names)
        hashes = "NULL AS _key, NULL AS _content"
        if has_own_key(self.plan):
            key = _joined([quoted(name) for name in self.plan.table.key])
            hashes = f"md5_number({key}) AS _key, hash({names}) AS _content"
        problem = " ".join(
            f"WHEN {rule.condition} THEN {index}"
            for index, rule in enumerate(self.rules)
        )
        filled = ", ".join(
            f"{self._filled(name)} AS {quoted(name)}" for name in self.plan.table.names
        )
        return (
            f"SELECT {ROW}, _problem, {names}, {hashes} FROM ("
            f"SELECT {ROW}, (CASE {problem} END)::SMALLINT AS _problem, {filled} "
            f"FROM ({self._valued()}))"
        )

    def good(self) -> str:
        """Rows to load: those that break no rule and are not in `repeats`."""
        return (
            f"SELECT {_list(self.plan.table.names)} FROM converted "
            f"WHERE _problem IS NULL AND {ROW} NOT IN (SELECT row FROM repeats)"
        )

    def refused(self) -> str:
        """Rows that break a rule, with the first one they break."""
        codes = _case("_problem", [literal(rule.reason) for rule in self.rules])
        sentences = _case("_problem", [rule.sentence for rule in self.rules])
        broken = f"SELECT {ROW}, _problem FROM converted WHERE _problem IS NOT NULL"
        return (
            f"SELECT {ROW}, {codes}, {sentences}, {self._payload()} FROM ("
            f"SELECT v.*, b._problem, r.* EXCLUDE ({ROW}) FROM ({self._valued()}) v "
            f"JOIN ({broken}) b USING ({ROW}) JOIN raw r USING ({ROW})) ORDER BY {ROW}"
        )

    def repeated(self) -> str:
        """Rows in `repeats` that say something else than the row that counts."""
        key = ", ".join(n for n in self.plan.table.key if n in self.plan.bindings)
        said = literal(f" has the same {key} and was taken instead")
        sentence = f"'row ' || p.kept || {said}"
        return (
            f"SELECT {ROW}, {literal(Reason.REPEATED_KEY)}, {sentence}, "
            f"{self._payload()} FROM raw r "
            f"JOIN repeats p ON p.row = r.{ROW} WHERE NOT p.is_same ORDER BY {ROW}"
        )

    def constant(self, binding: Binding) -> str:
        """The value of a constant, alone."""
        column = binding.column
        given = Given(f"({given_sql(column, binding.given)})", "text")
        tidy = tidy_sql(column, given, PLAIN)
        text = Given(f"({tidy})", "text") if tidy else given
        return f"SELECT {value_sql(column, text, PLAIN, self.zone)}"

    def _valued(self) -> str:
        """Every bound column as given, tidied and converted; properties."""
        bindings = [
            b for name, b in self.plan.bindings.items() if name != PROPERTIES.name
        ]
        extras = object_sql(self.plan.extras, self.plain)
        given, tidied, values = [ROW, f"{extras} AS x_properties"], ["*"], ["*"]
        given.append(f"{self._base()} AS g_properties")
        tidied.append(f"{self._properties()} AS {PROPERTIES.name}")
        for binding in bindings:
            column, form = binding.column, self._format(binding)
            current = Given(quoted(f"g_{column.name}"), binding.given.kind)
            given.append(f"{given_sql(column, binding.given)} AS {current.sql}")
            tidy = tidy_sql(column, current, form)
            if tidy is not None:
                current = Given(quoted(f"t_{column.name}"), current.kind)
                tidied.append(f"{tidy} AS {current.sql}")
            value = value_sql(column, current, form, self.zone)
            values.append(f"{value} AS {quoted(column.name)}")
        return (
            f"SELECT {', '.join(values)} FROM (SELECT {', '.join(tidied)} FROM ("
            f"SELECT {', '.join(given)} FROM raw WHERE {self._taken()}))"
        )

    def _taken(self) -> str:
        """Rows that `where` lets pass; rows of nothing are no rows, as blank lines."""
        names = (named(column.index) for column in self.columns)
        is_there = " OR ".join(f"{name} IS NOT NULL" for name in names)
        return f"({is_there}) AND {self.where}" if self.where else is_there

    def _format(self, binding: Binding) -> Format:
        return self.formats.get(binding.given.sql, PLAIN)

    def _base(self) -> str:
        """The source's own properties."""
        base = self.plan.bindings.get(PROPERTIES.name)
        return text_of(base.given) if base else "NULL::VARCHAR"

    def _properties(self) -> str:
        base = self.plan.bindings.get(PROPERTIES.name)
        if base is None:
            return "x_properties"
        is_json = base.given.kind in ("json", "nested")
        return merged_sql("g_properties", "x_properties", is_json=is_json)

    def _payload(self) -> str:
        """The row as it came, as JSON."""
        return f"coalesce({object_sql(self.columns)}, '{{}}')"

    def _filled(self, name: str) -> str:
        """A column's value, or what stands in for it; CASE, as coalesce is eager."""
        column = self.plan.table[name]
        other = self._derived(name)
        if other is None and column.default is not None:
            other = _default(column.default)
        if name not in self.plan.bindings and name != PROPERTIES.name:
            return other or "NULL"
        value = quoted(name)
        if other is None:
            return value
        return f"CASE WHEN {value} IS NULL THEN {other} ELSE {value} END"

    def _derived(self, name: str) -> str | None:
        """What a missing value follows from; only events have such columns."""
        if self.plan.table.name != "events":
            return None
        if name == "received_at":
            return quoted("timestamp")
        return self._event_id() if name == "event_id" else None

    def _event_id(self) -> str:
        """The first 32 hex digits of a hash of what the event says."""
        user, device, account = (
            quoted(name) if name in self.plan.bindings else "NULL"
            for name in ("user_id", "anonymous_id", "account_id")
        )
        properties = quoted(PROPERTIES.name)
        if PROPERTIES.name in self.plan.bindings:
            properties = canonical(properties)  # columns are in order already
        at = f"epoch_ms({quoted('timestamp')})"
        who = f"coalesce({user}, {device})"
        content = _joined([who, account, quoted("event"), at, properties])
        return f"left(sha256({content}), 32)"


def _list(names: Sequence[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def _joined(parts: Sequence[str]) -> str:
    """One text of several values, in which no two lists of values look the same."""
    texts = [f"coalesce({part}::VARCHAR, {_NOTHING})" for part in parts]
    if len(texts) == 1:
        return texts[0]
    return f"concat_ws({_SEPARATOR}, {', '.join(texts)})"


def _case(of: str, values: Sequence[str]) -> str:
    cases = " ".join(f"WHEN {index} THEN {sql}" for index, sql in enumerate(values))
    return f"CASE {of} {cases} END"


def _default(value: str | int | bool) -> str:
    return literal(value) if isinstance(value, str) else str(value).lower()
