"""Texts in files that spreadsheets open."""

from __future__ import annotations

#: What spreadsheets take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe(text: str) -> str:
    """The text, so that it cannot become a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
