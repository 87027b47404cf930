"""Numbers as people and programs write them."""

from __future__ import annotations

#: Longer ones are no number anybody means, and slow to read.
_LONGEST = 18


def whole(text: str) -> int | None:
    """A whole number from zero on; None where `text` is anything else.

    `str.isdigit` is no test: it takes "²", and a number of ten thousand digits.
    """
    is_number = text.isascii() and text.isdecimal() and len(text) <= _LONGEST
    return int(text) if is_number else None
