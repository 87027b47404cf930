"""A taxonomy as a document that people edit.

    price:
      names: {en: Price, de: Preis, sv: Pris}
      words:
        en: price, pricing, cost*
        de: preis*, *kosten
        sv: pris*, kostnad

Words stand between commas, or in a list. What is wrong is said with its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from perennial.core.errors import BadValue
from perennial.scoring.taxonomy import LANGUAGES, OTHER, Topic

MOST_TOPICS, MOST_WORDS, LONGEST = 60, 300, 60
_KEY: Final = re.compile(r"[a-z][a-z0-9 _-]{0,39}")
#: Words between blanks, each with a star at its ends where it is part of compounds.
_PHRASE: Final = re.compile(r"\*?[^\W_][\w'-]*\*?(?: \*?[^\W_][\w'-]*\*?)*")


def read(document: object) -> tuple[Topic, ...]:
    """The topics of a document; raises `BadValue` with the place and the reason."""
    if not isinstance(document, Mapping) or not document:
        raise BadValue("topics by their keys are expected, one at least")
    if len(document) > MOST_TOPICS:
        raise BadValue(f"at most {MOST_TOPICS} topics")
    return tuple(_topic(key, given) for key, given in document.items())


def to_document(topics: Sequence[Topic]) -> dict[str, Any]:
    """The document topics are read from."""
    return {topic.key: _told(topic) for topic in topics}


def _told(topic: Topic) -> dict[str, Any]:
    words = {code: ", ".join(some) for code, some in topic.words.items() if some}
    return {**({"names": dict(topic.names)} if topic.names else {}), "words": words}


def _topic(key: object, given: object) -> Topic:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise BadValue(f"{key!r}: a key is of small letters, at most 40")
    if key == OTHER:
        raise BadValue(f"{key}: this is what speaks of no topic")
    found = _mapping(given, key, {"names", "words"})
    names = _mapping(found.get("names") or {}, f"{key}, names", set(LANGUAGES))
    words = _mapping(found.get("words") or {}, f"{key}, words", set(LANGUAGES))
    told = {code: _words(words.get(code) or (), f"{key}, {code}") for code in LANGUAGES}
    if not any(told.values()):
        raise BadValue(f"{key}: a word in one language at least")
    named = {code: str(name).strip()[:LONGEST] for code, name in names.items() if name}
    return Topic(key, told, named)


def _words(given: object, place: str) -> tuple[str, ...]:
    some = given.split(",") if isinstance(given, str) else given
    if not isinstance(some, Sequence):
        raise BadValue(f"{place}: words between commas, or a list")
    words = tuple(dict.fromkeys(" ".join(str(w).lower().split()) for w in some))
    words = tuple(word for word in words if word)
    if len(words) > MOST_WORDS:
        raise BadValue(f"{place}: at most {MOST_WORDS} words")
    for word in words:
        if len(word) > LONGEST or not _PHRASE.fullmatch(word):
            raise BadValue(f"{place}: {word!r} is no word; a star stands at its ends")
    return words


def _mapping(given: object, place: str, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise BadValue(f"{place}: names and values are expected")
    unknown = next((str(name) for name in given if name not in known), None)
    if unknown is not None:
        raise BadValue(f"{place}: {unknown!r} is not known: {', '.join(sorted(known))}")
    return given
