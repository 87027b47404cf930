"""Conditions on attributes, written as people write them.

`segment = 'Enterprise' and country in ('DE', 'SE')`: comparisons, in, is null,
like, between, joined by and, or, not. Anything else is refused; nothing of the
text ever reaches an engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import ibis
import ibis.expr.types as ir
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from perennial.core.errors import BadValue

#: What a condition looks like, for who wrote another.
EXAMPLE = "segment = 'Enterprise' and seats > 10"

Condition = exp.Expr
Column = Callable[[str], ir.Column]

_COMPARE: dict[type[exp.Expr], Callable[[Any, Any], ir.BooleanValue]] = {
    exp.EQ: lambda a, b: a == b,
    exp.NEQ: lambda a, b: a != b,
    exp.GT: lambda a, b: a > b,
    exp.GTE: lambda a, b: a >= b,
    exp.LT: lambda a, b: a < b,
    exp.LTE: lambda a, b: a <= b,
}

_SIGNS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}


def text(value: str) -> str:
    """A value as it stands in a condition."""
    return "'" + value.replace("'", "''") + "'"


def quoted(attribute: str) -> str:
    """A name as it stands in a condition."""
    return exp.column(attribute, quoted=not attribute.isidentifier()).sql()


def parse(written: str) -> Condition:
    """The condition that is written; raises `BadValue` with the place of the error."""
    if not written.strip():
        raise BadValue("the condition is empty")
    try:
        parsed = sqlglot.parse_one(written, into=exp.Condition)
    except SqlglotError as error:
        raise BadValue(f"cannot read condition {written!r}: {mistake(error)}") from None
    condition(parsed, lambda name: ibis.table({"x": "string"}, name="t").x)
    return parsed


def mistake(error: SqlglotError) -> str:
    """Where a condition went wrong, in words that do not speak of the parser."""
    found = error.errors[0] if isinstance(error, sqlglot.ParseError) else {}
    near = str(found.get("highlight") or "").strip()
    said = f"it cannot be understood near {near!r}" if near else "it ends in the middle"
    return f"{said}; write it as in {EXAMPLE}"


def parts(written: str) -> list[Condition]:
    """The conditions that are joined with `and`."""
    parsed = parse(written)
    return list(parsed.flatten()) if isinstance(parsed, exp.And) else [parsed]


def joined(conditions: Iterable[Condition]) -> str:
    """Conditions as one text, all of which have to be met."""
    return " and ".join(
        f"({part.sql()})" if isinstance(part, exp.Or) else part.sql()
        for part in conditions
    )


def compared(parsed: Condition) -> tuple[str, str, str | float | bool] | None:
    """Name, sign and value of a plain comparison; None for any other condition."""
    sign = _SIGNS.get(type(parsed))
    if sign is None:
        return None
    return parsed.this.name, sign, _literal(parsed.expression)


def names(parsed: Condition) -> list[str]:
    """The attributes a condition speaks of, in order."""
    return list(dict.fromkeys(column.name for column in parsed.find_all(exp.Column)))


def condition(parsed: Condition, column: Column) -> ir.BooleanValue:
    """The condition as an expression over the columns `column` gives."""
    if isinstance(parsed, exp.Paren):
        return condition(parsed.this, column)
    if isinstance(parsed, exp.And):
        return condition(parsed.left, column) & condition(parsed.right, column)
    if isinstance(parsed, exp.Or):
        return condition(parsed.left, column) | condition(parsed.right, column)
    if isinstance(parsed, exp.Not):
        return ~condition(parsed.this, column)
    if isinstance(parsed, exp.Is) and isinstance(parsed.expression, exp.Null):
        return _named(parsed.this, column).isnull()
    if isinstance(parsed, exp.In) and parsed.expressions:
        values = [_literal(value) for value in parsed.expressions]
        return _typed(_named(parsed.this, column), values[0]).isin(values)
    if isinstance(parsed, exp.Between):
        low, high = _literal(parsed.args["low"]), _literal(parsed.args["high"])
        return _typed(_named(parsed.this, column), low).between(low, high)
    if isinstance(parsed, exp.Like):
        return (
            _named(parsed.this, column)
            .cast("string")
            .like(str(_literal(parsed.expression)))
        )
    compare = _COMPARE.get(type(parsed))
    if compare is not None:
        value = _literal(parsed.expression)
        return compare(_typed(_named(parsed.this, column), value), value)
    raise BadValue(f"a condition cannot contain {parsed.sql()!r}")


def one_of(parsed: Condition, name: str) -> tuple[list[str], bool]:
    """What `name` is one of by a condition on it alone, and whether that is meant.

    For names of which an account has several: `name = 'a'`, `name in ('a', 'b')`, and
    the two with `not`. Raises `BadValue` for everything else.
    """
    if isinstance(parsed, exp.Paren):
        return one_of(parsed.this, name)
    if isinstance(parsed, exp.Not):
        values, is_meant = one_of(parsed.this, name)
        return values, not is_meant
    if names(parsed) == [name]:
        if isinstance(parsed, exp.EQ):
            return [str(_literal(parsed.expression))], True
        if isinstance(parsed, exp.In) and parsed.expressions:
            return [str(_literal(value)) for value in parsed.expressions], True
    raise BadValue(f"{name} is compared with = or in, and joined by and")


def flagged(
    parsed: Condition, name: str, flag: Callable[[str], str]
) -> tuple[Condition, list[str]]:
    """The condition with `name = 'a'` as a column that is true or false, `flag('a')`,
    and the values it speaks of. Raises `BadValue` for other comparisons of `name`."""
    values: list[str] = []

    def change(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, (exp.EQ, exp.In)) or names(node) != [name]:
            if isinstance(node, exp.Column) and node.name == name:
                raise BadValue(f"{name} is compared with = or in")
            return node
        meant, _ = one_of(node, name)
        values.extend(meant)
        tests = [
            exp.EQ(this=exp.column(flag(value), quoted=True), expression=exp.true())
            for value in meant
        ]
        return exp.paren(exp.or_(*tests), copy=False)

    return parsed.copy().transform(change), values


def _named(parsed: exp.Expr, column: Column) -> Any:
    if not isinstance(parsed, exp.Column) or parsed.table:
        raise BadValue(f"expected the name of an attribute, not {parsed.sql()!r}")
    return column(parsed.name)


def _literal(parsed: exp.Expr) -> str | float | bool:
    if isinstance(parsed, exp.Neg):
        value = _literal(parsed.this)
        return -value if isinstance(value, float) else value
    if isinstance(parsed, exp.Boolean):
        return bool(parsed.this)
    if isinstance(parsed, exp.Literal):
        return str(parsed.this) if parsed.is_string else float(parsed.this)
    if isinstance(parsed, exp.Column) and not parsed.table and parsed.this.quoted:
        return parsed.name  # "Enterprise" in double quotes is meant as text
    raise BadValue(f"expected a value in quotes or a number, not {parsed.sql()!r}")


def _typed(column: Any, value: str | float | bool) -> Any:
    """The column as the kind of value it is compared with."""
    kind = column.type()
    if isinstance(value, bool):
        return column.cast("string").lower() == "true" if kind.is_string() else column
    if isinstance(value, float) and kind.is_string():
        return column.try_cast("float64")
    if isinstance(value, str) and not (kind.is_string() or kind.is_temporal()):
        return column.cast("string")
    return column
