"""SQL text: literals and names, quoted."""

from __future__ import annotations

from typing import Any

import duckdb

from perennial.lake.relations import quoted

__all__ = ["any_of", "column", "literal", "one", "quoted"]


def literal(text: str) -> str:
    """Text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def any_of(texts: tuple[str, ...]) -> str:
    """A list of string literals for IN."""
    return "(" + ", ".join(literal(text) for text in texts) + ")"


def column(index: int) -> str:
    """The name a source column has in a batch: the source's own may be anything."""
    return f"c{index}"


def one(duck: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """The only row of a query."""
    [row] = duck.sql(query).fetchall()
    return tuple(row)
