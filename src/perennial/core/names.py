"""Names that people give."""

from __future__ import annotations

from collections.abc import Collection


def free(title: str, taken: Collection[str]) -> str:
    """The title, with a number where there is one already."""
    names = (title if n == 1 else f"{title} {n}" for n in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
