"""Lists in pages: a cursor names the last item of the page before."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

import ibis.expr.types as ir
import polars as pl
from django.db.models import Model, QuerySet
from django.http import Http404
from ninja import Query, Schema

from perennial.core.errors import BadValue
from perennial.core.numbers import whole
from perennial.lake.workspace import Workspace as Lake

T = TypeVar("T")
M = TypeVar("M", bound=Model)

#: Items of a page where none are asked for, and the most there can be.
USUAL, MOST = 100, 1000
Limit = Annotated[int, Query(ge=1, le=MOST)]


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


def of_table(
    lake: Lake, found: ir.Table, key: str, limit: int, written: str | None
) -> tuple[pl.DataFrame, str | None]:
    """The rows of a page of the lake by their key, and the cursor of the next page."""
    last = after(written)
    if last is not None:
        found = found.filter(found[key] > last)
    rows = lake.engine.run(found.order_by(key).limit(limit + 1))
    more = cursor(rows[key][limit - 1]) if len(rows) > limit else None
    return rows[:limit], more


def by_id(
    found: QuerySet[M], make: Callable[[M], T], limit: int, written: str | None
) -> Page[T]:
    """A page by primary key: no more rows are read than it has, and one."""
    last = after(written)
    if last is not None:
        pk = whole(last)
        if pk is None:
            raise BadValue(f"not a cursor: {written!r}")
        found = found.filter(pk__gt=pk)
    rows = list(found.order_by("pk")[: limit + 1])
    more = cursor(str(rows[limit - 1].pk)) if len(rows) > limit else None
    return Page(items=[make(row) for row in rows[:limit]], next_cursor=more)


def fits(pk: int) -> bool:
    """Can a database have a row with this key?"""
    return 0 < pk < 2**63


def get_or_404(found: QuerySet[M], pk: int) -> M:
    """The row with a key that a program named."""
    row = found.filter(pk=pk).first() if fits(pk) else None
    if row is None:
        raise Http404(f"no such {found.model._meta.verbose_name}")
    return row
