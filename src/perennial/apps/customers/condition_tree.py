"""A condition as a form has it: rows, and groups of rows inside each other.

Every row is named by its place, `2` or `2-0-1`, so that a plain form says which group
it is in. `not` has no row of its own: "none of these" and "not all of these" say it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from django.http import QueryDict

#: What a group can ask of its rows.
JOINS: Final = ("all", "any", "none", "not_all")
_NEGATED: Final = {"any": "none", "all": "not_all"}
_PLACE: Final = re.compile(r"\d{1,4}(-\d{1,4}){0,8}")

Document: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Nest:
    """A group; its parts are rows, as documents, and groups."""

    join: str
    parts: Sequence[Part]


Part: TypeAlias = "Nest | Document"


def of_document(document: Document) -> Nest:
    """The outermost group of a document; it is one that is not negated."""
    found = _part(document)
    is_plain = isinstance(found, Nest) and found.join in ("all", "any")
    return found if is_plain and isinstance(found, Nest) else Nest("all", [found])


def to_document(part: Part) -> dict[str, Any]:
    """The document of a group; one row that is negated needs no group around it."""
    if not isinstance(part, Nest):
        return dict(part)
    told = [to_document(each) for each in part.parts]
    if part.join in ("all", "any"):
        return {part.join: told}
    if part.join == "none" and len(told) == 1 and not isinstance(part.parts[0], Nest):
        return {"not": told[0]}
    return {"not": {"any" if part.join == "none" else "all": told}}


def _part(document: Any) -> Part:
    if not isinstance(document, Mapping):
        return {}
    for join, negated in _NEGATED.items():
        if isinstance(document.get(join), list):
            return Nest(join, [_part(each) for each in document[join]])
        inside = document.get("not")
        if isinstance(inside, Mapping) and isinstance(inside.get(join), list):
            return Nest(negated, [_part(each) for each in inside[join]])
    if "not" in document:
        return Nest("none", [_part(document["not"])])
    return document


def of_form(
    sent: QueryDict, row: Callable[[QueryDict, str], Document], new: Document
) -> Nest:
    """The groups of a form; `row` reads one row, `new` is what an added one says.

    The button that was pressed says what goes, or comes where.
    """
    do, _dot, at = sent.get("do", "").partition(".")
    places = [place for place in sent.getlist("row") if _PLACE.fullmatch(place)]
    if do == "remove":
        places = [p for p in places if p != at and not p.startswith(f"{at}-")]
    join = do.removeprefix("join_") if do.startswith("join_") else sent.get("join")
    offered: dict[str, Part] = {"add_condition": new, "add_group": Nest("any", [new])}
    added = offered.get(do)
    return _nest(_Form(sent, row, places, added, at), "", str(join))


@dataclass(frozen=True)
class _Form:
    sent: QueryDict
    row: Callable[[QueryDict, str], Document]
    places: Sequence[str]
    added: Part | None
    at: str


def _nest(form: _Form, place: str, join: str) -> Nest:
    allowed = JOINS if place else ("all", "any")
    parts: list[Part] = []
    for each in form.places:
        if each.rpartition("-")[0] != place:
            continue
        inner = form.sent.get(f"join.{each}")
        if inner is None:
            parts.append(form.row(form.sent, each))
        else:
            parts.append(_nest(form, each, inner))
    if form.added is not None and form.at == place:
        parts.append(form.added)
    return Nest(join if join in allowed else "all", parts)
