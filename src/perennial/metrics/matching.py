"""Conditions as expressions over one row an account.

The rows are those of `account_measures` with a column for each further thing a
condition speaks of, called as `column_of` says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import reduce
from operator import and_, or_
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from perennial.core.money import SCALE
from perennial.core.windows import day_start
from perennial.metrics.conditions import Condition, Group, Not, Row


def column_of(row: Row) -> str:
    """The column that holds what a row speaks of."""
    if row.days is not None:
        return f"{row.field} in {row.days}"
    return row.about.column


def predicate(
    condition: Condition, table: ir.Table, as_of: date, zone: ZoneInfo
) -> ir.BooleanValue:
    """True or false for every account, never null."""
    if isinstance(condition, Not):
        return ~predicate(condition.part, table, as_of, zone)
    if isinstance(condition, Group):
        if not condition.parts:
            return ibis.literal(condition.join == "all")
        parts = [predicate(part, table, as_of, zone) for part in condition.parts]
        return reduce(and_ if condition.join == "all" else or_, parts)
    return _of_row(condition, table, as_of, zone)


def _of_row(row: Row, table: ir.Table, as_of: date, zone: ZoneInfo) -> ir.BooleanValue:
    value = _license_use(table) if row.field == "license_use" else table[column_of(row)]
    if row.op == "known":
        return value.notnull()
    if row.op == "unknown":
        return value.isnull()
    kind = row.about.kind
    if kind in ("past", "ahead"):
        return _of_date(row, value, as_of, zone)
    if kind == "change":
        return _of_change(row, table)
    if kind in ("choice", "text", "tags", "attribute"):
        return _of_text(row, value)
    number = row.value * SCALE if row.about.unit == "money" else row.value  # type: ignore[operator]
    return _COMPARE[row.op](value, number).fill_null(False)


_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "at_least": lambda a, b: a >= b,
    "at_most": lambda a, b: a <= b,
    "more_than": lambda a, b: a > b,
    "less_than": lambda a, b: a < b,
}


def _license_use(table: ir.Table) -> ir.Value:
    return table.active_users.cast("float64") / table.seats.nullif(0)


def _of_date(row: Row, value: Any, as_of: date, zone: ZoneInfo) -> ir.BooleanValue:
    """Dates as they are; instants against the first one of a local day."""

    def bound(day: date) -> ir.Value:
        return ibis.literal(day if value.type().is_date() else day_start(day, zone))

    if row.op in ("before", "from"):
        day = bound(date.fromisoformat(str(row.value)))
        found = value < day if row.op == "before" else value >= day
        return found.fill_null(False)
    days = timedelta(days=int(row.value))  # type: ignore[arg-type]
    if row.about.kind == "past":
        near = value >= bound(as_of - days)
    else:
        near = (value >= bound(as_of)) & (value <= bound(as_of + days))
    near = near.fill_null(False)
    return near if row.op == "within" else ~near


def _of_change(row: Row, table: ir.Table) -> ir.BooleanValue:
    now, before = table[row.about.column], table[row.about.before]
    moved = now.cast("float64") - before.cast("float64")
    if row.about.unit == "share":
        moved = moved / before.cast("float64").nullif(0)
    found = moved <= -row.value if row.op == "fell_by" else moved >= row.value  # type: ignore[operator]
    return found.fill_null(False)


def _of_text(row: Row, value: Any) -> ir.BooleanValue:
    if row.op in ("is", "is_not"):
        assert isinstance(row.value, tuple)
        found = _one_of(row, value, row.value).fill_null(False)
        return found if row.op == "is" else ~found
    if row.op == "contains":
        return value.lower().contains(str(row.value).lower()).fill_null(False)
    if row.op in ("before", "from"):
        day = str(row.value)  # ISO dates are ordered as texts are
        text = value.substr(0, 10)
        found = text < day if row.op == "before" else text >= day
        return found.fill_null(False)
    return _COMPARE[row.op](value.try_cast("float64"), row.value).fill_null(False)


def _one_of(row: Row, value: Any, wanted: tuple[str, ...]) -> ir.BooleanValue:
    if row.about.kind == "tags":  # a list, as JSON writes it
        quoted = [value.contains(f'"{tag}"') for tag in wanted]
        return reduce(or_, quoted)
    if row.field == "owner":
        return value.lower().isin([each.lower() for each in wanted])
    if row.field == "health_color":
        return value.fill_null("none").isin(list(wanted))
    return value.isin(list(wanted))
