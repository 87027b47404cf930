"""What calls say about a user or an account, put together: the last word counts.

Each trait remembers when it was last said, so calls that come late or twice end in
the same row as those in order. Columns that a file brought have no such time, and
give way to the first call.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from perennial.apps.intake.files.columns import fold
from perennial.lake.tables import FACTS, PROPERTIES, TRAITS_AT, Column

Row = dict[str, Any]
#: Other names that SDKs give to columns.
_ALSO: Final = {
    "users": {"title": "role", "position": "role"},
    "accounts": {"website": "domain"},
}
_MILLISECOND: Final = 1000


class Said(NamedTuple):
    """One call's traits, and when it was made, in epoch milliseconds."""

    at: int
    traits: Mapping[str, Any]


@lru_cache(maxsize=10_000)
def column_of(name: str, trait: str) -> Column | None:
    """The column of users or accounts a trait goes to; None: it stays a property."""
    table = FACTS[name]
    wanted = fold(_ALSO[name].get(fold(trait), trait))
    for column in table:
        if column.name in (*table.key, PROPERTIES.name, TRAITS_AT.name):
            continue
        if wanted in {fold(column.name), *(fold(alias) for alias in column.aliases)}:
            return column
    return None


def merged(name: str, row: Mapping[str, Any], calls: Iterable[Said]) -> Row:
    """A `row` of users or accounts with what calls say; the same in any order."""
    person = _Person(
        name,
        dict(row),
        json.loads(row[PROPERTIES.name] or "{}"),
        json.loads(row[TRAITS_AT.name] or "{}"),
    )
    for at, traits in calls:
        for trait, value in _whole(name, traits).items():
            person.hear(at, trait, value)
    return person.row()


@dataclass
class _Person:
    """A row being put together."""

    table: str
    columns: Row
    properties: dict[str, Any]
    times: dict[str, int]

    def hear(self, at: int, trait: str, value: Any) -> None:
        column = column_of(self.table, trait)
        fitting = None if column is None else _fitting(column, value)
        known = self.times.get(column.name if column else trait, -1)
        given = (fitting, "") if fitting is not None else (value, trait)
        # Of two values said in one millisecond the same one wins in any order.
        if at < known or (at == known and _key(*given) <= _key(*self._now(trait))):
            return
        self.times[column.name if column else trait] = at
        for other in self._told(trait):
            del self.properties[other]
        if column is not None:
            self.columns[column.name] = fitting
        if column is None or (fitting is None and value is not None):
            self.properties[trait] = value

    def _told(self, trait: str) -> list[str]:
        """The properties that say the same as a trait, under any of its names."""
        column = column_of(self.table, trait)
        if column is None:
            return [trait] if trait in self.properties else []
        return [p for p in self.properties if column_of(self.table, p) is column]

    def _now(self, trait: str) -> tuple[Any, str]:
        """The value in force; with the trait's name where it is a property."""
        column = column_of(self.table, trait)
        if column is not None and self.columns[column.name] is not None:
            return self.columns[column.name], ""
        told = self._told(trait)
        return (self.properties[told[0]], told[0]) if told else (None, "")

    def row(self) -> Row:
        return {
            **self.columns,
            PROPERTIES.name: _json(self.properties) if self.properties else None,
            TRAITS_AT.name: _json(self.times) if self.times else None,
        }


def _whole(table: str, traits: Mapping[str, Any]) -> Mapping[str, Any]:
    """A name made of first and last name, where there is no other."""
    names = [traits.get("firstName"), traits.get("lastName")]
    said = " ".join(name for name in names if isinstance(name, str) and name)
    if table == "users" and said and "name" not in traits:
        return {**traits, "name": said}
    return traits


def _fitting(column: Column, value: Any) -> Any:
    """The value as the column's type; None where it does not fit."""
    match column.type:
        case "string" if isinstance(value, (str, int, float)) and not column.choices:
            return None if isinstance(value, bool) else str(value).strip() or None
        case "bool" if isinstance(value, bool):
            return value
        case "timestamp":
            return _instant(value)
        case _:
            return None


def _instant(value: Any) -> datetime | None:
    """A time as JavaScript and Python write it; numbers are s or ms since 1970."""
    try:
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            seconds = value / _MILLISECOND if abs(value) >= 1e11 else value
            return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _key(value: Any, trait: str) -> tuple[str, str]:
    return json.dumps(value, default=str, sort_keys=True), trait


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
