"""`where`: a simple condition over source columns, as SQL that is safe to run.

sqlglot parses it; only comparisons of a column with values, AND, OR, NOT and IS NULL
are translated, into SQL of our own. Everything else is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from perennial.apps.intake.files.columns import find
from perennial.apps.intake.files.given import PLAIN, Format, Formats, Given
from perennial.apps.intake.files.sources import SourceColumn, listed
from perennial.apps.intake.files.sql import column as named
from perennial.apps.intake.files.sql import literal
from perennial.apps.intake.files.values import text_of, tidy_sql, value_sql
from perennial.core.errors import BadValue
from perennial.lake.tables import Column
from perennial.metrics.filters import mistake

_OPERATORS: dict[type[exp.Expression], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}([ T].*)?")
_TYPES = {
    "number": Column("where", "float", ""),
    "bool": Column("where", "bool", ""),
    "time": Column("where", "timestamp", ""),
}
_ALLOWED = "comparisons (=, !=, <, <=, >, >=), in (...), is null, and, or, not"

Value = str | float | bool


@dataclass(frozen=True)
class Comparison:
    """A column beside values. `type` says how both are read."""

    given: Given
    label: str
    operator: str
    values: tuple[Value, ...]

    @property
    def type(self) -> str:
        first = self.values[0]
        if isinstance(first, bool):
            return "bool"
        if not isinstance(first, str):
            return "number"
        is_day = all(_DAY.fullmatch(str(value)) for value in self.values)
        return "time" if is_day else "text"


class Filter:
    """A parsed condition. `sql` needs the formats of the columns compared."""

    def __init__(self, text: str, columns: Sequence[SourceColumn]) -> None:
        self._text = text
        self._columns = columns
        self._root = self._parse()
        self.comparisons = [
            self._comparison(node)
            for node in self._root.walk()
            if isinstance(node, exp.Expression) and type(node) in (*_OPERATORS, exp.In)
        ]
        self.sql({}, "UTC")  # refuse what cannot be translated now

    def sql(self, formats: Formats, zone: str) -> str:
        return self._translate(self._root, formats, zone)

    def _parse(self) -> exp.Expression:
        try:
            trees = sqlglot.parse(f"SELECT 1 WHERE {self._text}", dialect="duckdb")
        except SqlglotError as error:
            raise BadValue(f"--where {self._text!r}: {mistake(error)}") from error
        select = trees[0]
        where = select.args.get("where") if isinstance(select, exp.Select) else None
        known = {"kind", "hint", "distinct", "expressions", "limit", "where"}
        more = {key for key, arg in (select.args if select else {}).items() if arg}
        if len(trees) != 1 or where is None or not more <= known - {"limit"}:
            raise self._refused("more than one condition")
        root: exp.Expression = where.this
        return root

    def _refused(self, what: str) -> BadValue:
        return BadValue(
            f"--where {self._text!r}: {what} cannot be used; allowed are {_ALLOWED}"
        )

    def _translate(self, node: exp.Expression, formats: Formats, zone: str) -> str:
        kind = type(node)
        if kind is exp.Paren:
            return f"({self._translate(node.this, formats, zone)})"
        if kind is exp.Not:
            return f"(NOT {self._translate(node.this, formats, zone)})"
        if kind in (exp.And, exp.Or):
            left = self._translate(node.args["this"], formats, zone)
            right = self._translate(node.args["expression"], formats, zone)
            return f"({left} {'AND' if kind is exp.And else 'OR'} {right})"
        if kind is exp.Is:
            return self._is(node, formats, zone)
        if kind in _OPERATORS or kind is exp.In:
            return _compare(self._comparison(node), formats, zone)
        raise self._refused(_words(node))

    def _is(self, node: exp.Expression, formats: Formats, zone: str) -> str:
        what = node.args["expression"]
        if type(what) is exp.Null:
            return f"(({text_of(self._given(node.this))}) IS NULL)"
        if type(what) is exp.Boolean:
            given, label = self._given(node.this), node.this.name
            comparison = Comparison(given, label, "=", (bool(what.this),))
            return f"coalesce({_compare(comparison, formats, zone)}, false)"
        raise self._refused(_words(node))

    def _comparison(self, node: exp.Expression) -> Comparison:
        if type(node) is exp.In:
            if any(node.args.get(key) for key in ("query", "unnest", "field")):
                raise self._refused("a query")
            values = tuple(self._value(value) for value in node.expressions)
            if not values or len({type(value) for value in values}) > 1:
                raise self._refused("a list of different kinds of values")
            return Comparison(self._given(node.this), node.this.name, "IN", values)
        left, right = node.args["this"], node.args["expression"]
        operator = _OPERATORS[type(node)]
        if type(left) is not exp.Column:
            left, right = right, left
            operator = _MIRRORED.get(operator, operator)
        value = (self._value(right),)
        return Comparison(self._given(left), left.name, operator, value)

    def _given(self, node: exp.Expression) -> Given:
        if type(node) is not exp.Column or len(node.parts) != 1:
            raise self._refused(_words(node))
        column = find(node.name, self._columns)
        if column is None:
            raise BadValue(
                f"--where {self._text!r}: the file has no column {node.name}; "
                f"it has {listed(self._columns)}"
            )
        return Given(named(column.index), column.kind)

    def _value(self, node: exp.Expression) -> Value:
        kind = type(node)
        if kind is exp.Boolean:
            return bool(node.this)
        if kind is exp.Neg and type(node.this) is exp.Literal:
            inner = self._value(node.this)
            if not isinstance(inner, str):
                return -inner
        if kind is exp.Literal:
            text = str(node.this)
            return text if node.args.get("is_string") else float(text)
        raise self._refused(_words(node))


def _words(node: exp.Expression) -> str:
    return f"{type(node).__name__.lower()} ({node.sql()[:40]})"


def _compare(comparison: Comparison, formats: Formats, zone: str) -> str:
    given, type_ = comparison.given, comparison.type
    if type_ == "text":
        left = f"({text_of(given)})"
        right = [literal(str(value)) for value in comparison.values]
    else:
        left = _converted(given, type_, formats.get(given.sql, PLAIN), zone)
        right = [_typed(value, type_, zone) for value in comparison.values]
    if comparison.operator == "IN":
        return f"({left} IN ({', '.join(right)}))"
    return f"({left} {comparison.operator} {right[0]})"


def _typed(value: Value, type_: str, zone: str) -> str:
    if type_ == "time":
        return _converted(Given(literal(str(value)), "text"), type_, PLAIN, zone)
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def _converted(given: Given, type_: str, form: Format, zone: str) -> str:
    column = _TYPES[type_]
    if given.kind in ("text", "string", "json"):
        given = Given(f"({text_of(given)})", "text")
    tidy = tidy_sql(column, given, form)
    text = Given(f"({tidy})", "text") if tidy else given
    return value_sql(column, text, form, zone)
