"""Filters of the global bar: conditions on attributes and measures of customers, which
stand in the address as people write them for the command line, joined by `and`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from django.http import QueryDict
from django.utils.translation import gettext as _

from perennial.apps.customers.words import STATES
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.values import CLASSES
from perennial.core.errors import BadValue, UnknownName
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics import filters
from perennial.metrics.condition_fields import OPERATOR_WORDS, Field
from perennial.metrics.filters import Condition
from perennial.metrics.measured import MEASURES
from perennial.ui import formats
from perennial.ui.formats import Regional

#: Signs of a comparison, with what conditions call them.
_SIGNS: Mapping[str, str] = {
    "=": "is",
    "!=": "is_not",
    ">=": "at_least",
    "<=": "at_most",
}
#: Greater numbers are written another way, and meant by nobody.
_GREATEST = 1e15


def operators() -> dict[str, str]:
    return {sign: _(OPERATOR_WORDS[op]) for sign, op in _SIGNS.items()}


def names(lake: Lake) -> dict[str, str]:
    """What can be asked about, with its title: measures, then attributes."""
    known = {key: _(field.title) for key, field in MEASURES.items()}
    return known | {n: n for n in sorted(lake.account_attributes) if n not in known}


def suggestions() -> list[str]:
    """Values of measures that are one of few."""
    return [word for field in MEASURES.values() for word in _choices(field)]


def _choices(field: Field) -> dict[str, str]:
    """The values of a measure that has few, by what people call them."""
    known = {**CLASSES, **STATES}
    return {str(known[value]): value for value in field.choices}


def with_typed(asked: Asked, query: QueryDict) -> Asked:
    """With the condition that a form sends as `f.name`, `f.is` and `f.value`.

    Raises `BadValue` for a value the name cannot have.
    """
    name, value = query.get("f.name", ""), query.get("f.value", "").strip()
    sign = query.get("f.is", "=")
    if not name or not value or sign not in _SIGNS:
        return asked
    literal = _literal(name, sign, value)
    added = filters.parse(f"{filters.quoted(name)} {sign} {literal}")
    return replace(asked, filter=filters.joined([*parts(asked), added]))


def parts(asked: Asked) -> Sequence[Condition]:
    return filters.parts(asked.filter) if asked.filter else ()


def check(asked: Asked, lake: Lake) -> None:
    """Raises `BadValue` and `UnknownName` for what an address cannot be asked with."""
    known = names(lake) if asked.filter else {}
    for part in parts(asked):
        for name in filters.names(part):
            if name not in known:
                raise UnknownName("attribute", name, list(known))


def without(asked: Asked, n: int) -> str:
    """What is left of the filter without its n-th condition."""
    left = parts(asked)
    return filters.joined([*left[:n], *left[n + 1 :]])


def said(part: Condition, regional: Regional) -> str:
    """A condition in words; as it is written where it compares nothing."""
    told = filters.compared(part)
    if told is None:
        return part.sql()
    name, sign, value = told
    field = MEASURES.get(name)
    title = _(field.title) if field else name
    return f"{title} {_PRINTED.get(sign, sign)} {_shown(field, value, regional)}"


_PRINTED: Mapping[str, str] = {"!=": "≠", ">=": "≥", "<=": "≤"}


def _shown(field: Field | None, value: str | float | bool, regional: Regional) -> str:
    if isinstance(value, str) or field is None:
        words = {v: word for word, v in _choices(field).items()} if field else {}
        return words.get(str(value), str(value))
    if field.unit == "share":
        return formats.percent(float(value), regional, 0)
    return formats.number(float(value), regional)


def _literal(name: str, sign: str, value: str) -> str:
    """A value as it stands in a condition on what is called so."""
    field = MEASURES.get(name)
    number = _number(value)
    if field is None:
        is_number = sign in (">=", "<=") and number is not None
        return str(number) if is_number else filters.text(value)
    if field.kind == "choice":
        words = _choices(field)
        known = {w.casefold(): v for w, v in words.items()} | {
            v: v for v in field.choices
        }
        if value.casefold() not in known:
            said = _("“%(value)s” is none of: %(known)s")
            raise BadValue(said % {"value": value, "known": ", ".join(words)})
        return filters.text(known[value.casefold()])
    if field.kind == "number":
        if number is None:
            raise BadValue(_("“%(value)s” is no number.") % {"value": value})
        return str(number)
    try:
        return filters.text(date.fromisoformat(value).isoformat())
    except ValueError:
        said = _("“%(value)s” is no day: write it as 2026-11-30.")
        raise BadValue(said % {"value": value}) from None


def _number(text: str) -> float | None:
    """A number as people write it: "1,000", "0,5" and "30 %" too; None without one."""
    plain = text.replace("\N{NO-BREAK SPACE}", "").replace(" ", "").replace("−", "-")
    is_share, plain = plain.endswith("%"), plain.removesuffix("%")
    head, comma, tail = plain.rpartition(",")
    if comma and "." not in tail and ("." in head or len(tail) != 3):
        plain = f"{head.replace('.', '')}.{tail}"
    try:
        found = float(plain.replace(",", ""))
    except ValueError:
        return None
    if not abs(found) < _GREATEST:
        return None
    return found / 100 if is_share else found
