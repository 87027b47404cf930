"""What people write in surveys: themes, in English, German and Swedish.

A comment is made of whole sentences, so that any of them go together: an opening or
none, a sentence about a theme, a closing or none.
"""

from __future__ import annotations

from functools import cache
from itertools import product

from perennial.demo.phrases import (
    CLOSINGS,
    LANGUAGES,
    NEGATIVE,
    OPENINGS,
    POSITIVE,
    SENTENCES,
    THEMES,
)


@cache
def sentences(language: str, theme: str, sentiment: str) -> tuple[str, ...]:
    """Every comment there is in a language, about a theme, with a sentiment."""
    parts = product(
        OPENINGS[language],
        SENTENCES[language, theme, sentiment],
        CLOSINGS[language, sentiment],
    )
    return tuple(" ".join(part for part in some if part) for some in parts)


@cache
def pool() -> tuple[tuple[str, ...], int]:
    """All comments in one row, ordered by language, theme and sentiment; and how many
    there are of each of these."""
    groups = [
        sentences(*key) for key in product(LANGUAGES, THEMES, (POSITIVE, NEGATIVE))
    ]
    return tuple(text for group in groups for text in group), len(groups[0])
