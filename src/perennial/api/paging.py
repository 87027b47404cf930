"""Lists in pages: a cursor names the last item of the page before."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Generic, TypeVar

from ninja import Schema

from perennial.core.errors import BadValue

T = TypeVar("T")

#: Items of a page where none are asked for, and the most there can be.
USUAL, MOST = 100, 1000


class Page(Schema, Generic[T]):
    """`next_cursor` is null on the last page."""

    items: list[T]
    next_cursor: str | None = None


def cursor(key: str) -> str:
    """The cursor that goes on after the item with this key."""
    return base64.urlsafe_b64encode(key.encode()).decode()


def after(written: str | None) -> str | None:
    """The key a cursor stands for; raises `BadValue`."""
    if not written:
        return None
    try:
        return base64.b64decode(written, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise BadValue(f"not a cursor: {written!r}") from None


def page(rows: Sequence[tuple[str, T]], limit: int, written: str | None) -> Page[T]:
    """A page of `rows`, given as (key, item) in the order of their keys."""
    last = after(written)
    rest = [row for row in rows if last is None or row[0] > last]
    shown = rest[:limit]
    more = len(rest) > limit
    return Page(
        items=[item for _, item in shown],
        next_cursor=cursor(shown[-1][0]) if more else None,
    )
