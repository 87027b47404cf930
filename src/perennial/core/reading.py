"""Reading documents that people write: texts in languages, lists, numbers, days.

What does not fit raises `BadValue`, with the place it stands at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal, TypeAlias

from perennial.core.errors import BadValue

#: A text by language.
Words: TypeAlias = Mapping[str, str]

LONGEST: Final = 1_000
#: Languages that are written from the right.
_FROM_THE_RIGHT: Final = frozenset({"ar", "fa", "he", "ur", "yi"})
_MOST_TEXTS, _LONGEST_TEXT = 50, 200


def direction(language: str) -> Literal["ltr", "rtl"]:
    """Which way a language is written."""
    return "rtl" if language in _FROM_THE_RIGHT else "ltr"


def spoken(wanted: Iterable[str], languages: Sequence[str]) -> str:
    """The first language of those wanted that there is, as `de` for `de-AT`; else the
    first there is."""
    short = (code.lower().replace("_", "-").partition("-")[0] for code in wanted)
    return next((code for code in short if code in languages), languages[0])


def said(words: Words | None, language: str, default: str) -> str:
    """The text in a language, or in the one that stands in for others."""
    found = words or {}
    return found.get(language) or found.get(default) or ""


def languages(given: object) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(str(each) for each in listed(given, "languages")))
    if not found or not all(len(each) == 2 and each.isalpha() for each in found):
        raise BadValue("languages: two letters each, as en")
    return found


def words(
    given: object, place: str, languages: Sequence[str], *, is_needed: bool = False
) -> Words:
    """A text in some languages; needed in every one, or in none."""
    texts = mapping(given or {}, place)
    found = {
        code: str(texts[code]).strip()
        for code in languages
        if str(texts.get(code) or "").strip()
    }
    if is_needed:
        for code in languages:
            if code not in found:
                raise BadValue(f"{place}: the text in {code} is missing")
    if any(len(text) > LONGEST for text in found.values()):
        raise BadValue(f"{place}: at most {LONGEST} characters")
    return found


def mapping(given: object, place: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise BadValue(f"{place}: names and values are expected")
    return given


def part(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of a document that may be left out."""
    return mapping(document.get(name) or {}, name)


def listed(given: object, place: str) -> list[Any]:
    if not isinstance(given, list | tuple):
        raise BadValue(f"{place}: a list is expected")
    return list(given)


def rows(document: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of names and values that may be left out."""
    found = listed(document.get(name) or (), name)
    return [mapping(each, f"{name} {n}") for n, each in enumerate(found, 1)]


def texts(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of short texts; none where it is left out."""
    found = listed(given.get(name) or (), name)
    if len(found) > _MOST_TEXTS:
        raise BadValue(f"{name}: at most {_MOST_TEXTS}")
    return tuple(str(e).strip()[:_LONGEST_TEXT] for e in found if str(e).strip())


def number(given: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    """A whole number in `[low, high]`; None where it is left out."""
    found = given.get(name)
    if found is None or found == "":
        return None
    if isinstance(found, bool) or not isinstance(found, int):
        raise BadValue(f"{name}: a whole number is expected")
    if not low <= found <= high:
        raise BadValue(f"{name}: {low} to {high}")
    return found


def day(given: Mapping[str, Any], name: str) -> date | None:
    found = given.get(name)
    try:
        return date.fromisoformat(str(found)) if found else None
    except ValueError:
        raise BadValue(f"{name}: a day is expected, as 2026-11-22") from None


def one_of(
    given: Mapping[str, Any],
    name: str,
    known: Sequence[str],
    usual: str,
    place: str = "",
) -> str:
    """A choice by its name; empty: the usual one."""
    found = str(given.get(name) or usual)
    if found not in known:
        raise BadValue(f"{place}{name}: one of {', '.join(known)}")
    return found
