"""Conditions on accounts as documents: read, checked, written back.

    all:
      - {field: health_color, op: is, value: [red, orange]}
      - {field: active_users_change, op: fell_by, value: 0.2}
      - not: {field: "feature:reports", op: at_least, value: 1, days: 30}

Groups are `all`, `any` and `not`, inside each other as deep as anybody reads. What
is not known of an account fulfils no row but `is_not`, `not_within`, `unknown`: an
account that was never touched is one not touched within 30 days.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Any, Literal, TypeAlias

import yaml

from perennial.core.errors import BadValue
from perennial.metrics.condition_fields import BARE, FAMILIES, OPERATORS, Field, field

Value: TypeAlias = "float | str | tuple[str, ...] | None"

#: Deeper or longer conditions are a mistake, or an attack.
DEEPEST, MOST_ROWS, MOST_VALUES = 6, 60, 200
#: Days a count looks back by default, and at most.
USUAL_DAYS, MOST_DAYS = 30, 366
_LISTED = frozenset({"is", "is_not"})


@dataclass(frozen=True)
class Row:
    """One field compared with a value; `days` is how far a count looks back."""

    field: str
    op: str
    value: Value = None
    days: int | None = None

    @property
    def about(self) -> Field:
        found = field(self.field)
        assert found is not None, self.field
        return found

    @property
    def family(self) -> str:
        family, colon, _ = self.field.partition(":")
        return family if colon else ""

    @property
    def name(self) -> str:
        """What of the family it speaks of."""
        return self.field.partition(":")[2]


@dataclass(frozen=True)
class Group:
    """All of these, or any of these; of none, `all` is everybody."""

    join: Literal["all", "any"]
    parts: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Not:
    part: Condition


Condition: TypeAlias = "Row | Group | Not"

EVERYBODY = Group("all")


def read(document: object) -> Condition:
    """The condition of a document; raises `BadValue` with the place and the reason."""
    found = _read(document, "", 0)
    if sum(1 for _ in rows(found)) > MOST_ROWS:
        raise BadValue(f"a condition has at most {MOST_ROWS} rows")
    return found


def parse(text: str) -> Condition:
    """The condition of a YAML or JSON text."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise BadValue(f"this is not YAML{where}") from None
    return read(document)


def to_document(condition: Condition) -> dict[str, Any]:
    """The document a condition is read from."""
    if isinstance(condition, Group):
        return {condition.join: [to_document(part) for part in condition.parts]}
    if isinstance(condition, Not):
        return {"not": to_document(condition.part)}
    told: dict[str, Any] = {"field": condition.field, "op": condition.op}
    if condition.value is not None:
        value = condition.value
        told["value"] = list(value) if isinstance(value, tuple) else value
    if condition.days is not None:
        told["days"] = condition.days
    return told


def rows(condition: Condition) -> Iterator[Row]:
    """Every row, in order."""
    if isinstance(condition, Row):
        yield condition
    elif isinstance(condition, Not):
        yield from rows(condition.part)
    else:
        for part in condition.parts:
            yield from rows(part)


def segments(condition: Condition) -> set[str]:
    """Segments a condition speaks of."""
    found = (row for row in rows(condition) if row.about.kind == "member")
    return {key for row in found if isinstance(row.value, tuple) for key in row.value}


def expanded(condition: Condition, known: Mapping[str, Condition]) -> Condition:
    """The condition with what segments stand for in their place.

    Raises `BadValue` for a segment that is not known, or goes round in a circle.
    """
    return _expanded(condition, known, ())


def _expanded(
    condition: Condition, known: Mapping[str, Condition], path: tuple[str, ...]
) -> Condition:
    if isinstance(condition, Not):
        return Not(_expanded(condition.part, known, path))
    if isinstance(condition, Group):
        parts = (_expanded(part, known, path) for part in condition.parts)
        return Group(condition.join, tuple(parts))
    if condition.about.kind != "member":
        return condition
    assert isinstance(condition.value, tuple)
    found = []
    for key in condition.value:
        if key in path:
            circle = " → ".join((*path[path.index(key) :], key))
            raise BadValue(f"segments speak of each other in a circle: {circle}")
        if key not in known:
            raise BadValue(f"there is no segment {key!r}")
        found.append(_expanded(known[key], known, (*path, key)))
    member = Group("any", tuple(found))
    return member if condition.op == "is" else Not(member)


# --- reading -----------------------------------------------------------------


def _read(given: object, place: str, depth: int) -> Condition:
    if depth > DEEPEST:
        raise _bad(place, f"groups are nested deeper than {DEEPEST}")
    if not isinstance(given, Mapping):
        raise _bad(place, "must be a mapping: a row with field and op, or a group")
    joins = [join for join in ("all", "any", "not") if join in given]
    if not joins:
        return _row(given, place)
    if len(given) > 1:
        raise _bad(place, "a group is one of all, any, not, and nothing beside it")
    join, inside = joins[0], given[joins[0]]
    here = f"{place}.{join}" if place else join
    if join == "not":
        return Not(_read(inside, here, depth + 1))
    if not isinstance(inside, Sequence) or isinstance(inside, str):
        raise _bad(here, "must be a list")
    parts = (_read(each, f"{here}[{n}]", depth + 1) for n, each in enumerate(inside))
    return Group("all" if join == "all" else "any", tuple(parts))


def _row(given: Mapping[Any, Any], place: str) -> Row:
    for name in given:
        if name not in ("field", "op", "value", "days"):
            raise _bad(place, f"{name!r} is not known; known: field, op, value, days")
    key = given.get("field")
    about = field(key) if isinstance(key, str) else None
    if about is None or not isinstance(key, str):
        families = ", ".join(f"{name}:…" for name in FAMILIES)
        raise _bad(f"{place}.field", f"{key!r} is not known; families: {families}")
    op = given.get("op")
    known = OPERATORS[about.kind]
    if op not in known:
        raise _bad(f"{place}.op", f"must be one of {', '.join(known)}, not {op!r}")
    value = _value(about, str(op), given.get("value"), f"{place}.value")
    return Row(key, str(op), value, _days(about, given.get("days"), f"{place}.days"))


def _days(about: Field, given: object, place: str) -> int | None:
    if about.kind != "count":
        if given is not None:
            raise _bad(place, f"does not go with {about.key}")
        return None
    days = USUAL_DAYS if given is None else given
    if (
        isinstance(days, bool)
        or not isinstance(days, int)
        or not 1 <= days <= MOST_DAYS
    ):
        raise _bad(place, f"must be a whole number from 1 to {MOST_DAYS}")
    return days


def _value(about: Field, op: str, given: object, place: str) -> Value:
    if op in BARE:
        if given is not None:
            raise _bad(place, f"does not go with {op}")
        return None
    if op in ("before", "from"):
        return _date(given, place)
    if op in _LISTED:
        return _list(about, given, place)
    if op == "contains":
        if not isinstance(given, str) or not given.strip():
            raise _bad(place, "must be a text")
        return given.strip()
    number = _number(given, place)
    if op in ("within", "not_within") and not (0 <= number <= 3660 and number % 1 == 0):
        raise _bad(place, "must be a whole number of days from 0 to 3660")
    if about.kind == "change" and number <= 0:
        raise _bad(place, "must be above 0: the operator says the direction")
    return number


def _number(given: object, place: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise _bad(place, f"must be a number, not {given!r}")
    if not isfinite(given):
        raise _bad(place, "must be a finite number")
    return float(given)


def _date(given: object, place: str) -> str:
    if isinstance(given, date):  # YAML reads dates of itself
        return given.isoformat()[:10]
    try:
        return date.fromisoformat(str(given)).isoformat()
    except ValueError:
        raise _bad(place, f"must be a date like 2026-11-22, not {given!r}") from None


def _list(about: Field, given: object, place: str) -> tuple[str, ...]:
    values = [given] if isinstance(given, str | int | float) else given
    if not isinstance(values, Sequence) or not values or len(values) > MOST_VALUES:
        raise _bad(place, f"must be a list of 1 to {MOST_VALUES} values")
    for value in values:
        if not isinstance(value, str | int | float) or not str(value).strip():
            raise _bad(place, f"holds {value!r}, which is no text")
        if about.choices and value not in about.choices:
            raise _bad(place, f"{value!r} is none of {', '.join(about.choices)}")
    return tuple(dict.fromkeys(_text(value) for value in values))


def _text(value: str | float) -> str:
    if isinstance(value, bool):  # as attributes are stored
        return str(value).lower()
    return str(value).strip()


def _bad(place: str, reason: str) -> BadValue:
    return BadValue(f"{place.lstrip('.')}: {reason}" if place else reason)
