"""A file as numbered batches of rows, whatever its format.

The first row of data is number 1. Source columns are called c0, c1, ... inside a
batch, because their own names may be anything; `_row` is the number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import pyarrow as pa

from perennial.core.errors import BadValue

#: Planning one statement over all columns takes seconds a thousand, and gigabytes.
MOST_COLUMNS = 2_000
#: Columns that a message names before it only counts them.
_NAMED = 20
ROW = "_row"
#: What DuckDB may use before it puts data on disk.
MEMORY = "1GB"
#: A batch holds at most this many rows, and about this many bytes.
BATCH_ROWS = 500_000
BATCH_BYTES = 64 << 20
#: DuckDB reads the parts of an Arrow table in parallel: one part, one thread.
_PART = 50_000

#: What a source value is: text that may stand for anything, a string and nothing
#: else, a JSON value, or already typed.
Kind = Literal[
    "text",
    "string",
    "json",
    "int",
    "float",
    "decimal",
    "bool",
    "date",
    "local",
    "instant",
    "nested",
    "other",
]


@dataclass(frozen=True)
class SourceColumn:
    """A column of the file: its name there, its place, and what its values are.

    `title` is what the file calls it, where another column had that name first.
    """

    name: str
    index: int
    kind: Kind
    title: str = ""

    @property
    def called(self) -> str:
        return self.title or self.name


@dataclass(frozen=True)
class Malformed:
    """A row that could not be cut into fields."""

    row: int
    text: str
    sentence: str


@dataclass(frozen=True)
class Batch:
    """Rows of a file. `done`: share of the file read so far."""

    rows: pa.Table
    malformed: list[Malformed] = field(default_factory=list)
    done: float = 0.0


class Source(Protocol):
    """A file that can be read from the start as often as needed."""

    @property
    def columns(self) -> tuple[SourceColumn, ...]: ...
    @property
    def recognized(self) -> dict[str, str]: ...
    def batches(self) -> Iterator[Batch]: ...


def source_columns(
    titles: Sequence[str], kinds: Sequence[Kind]
) -> tuple[SourceColumn, ...]:
    """The columns of a file by what it calls them, every name once."""
    check_width(len(titles))
    titles = [title or f"column_{at}" for at, title in enumerate(titles, start=1)]
    named = zip(_unique(titles), titles, kinds, strict=True)
    return tuple(
        SourceColumn(name, index, kind, title if title != name else "")
        for index, (name, title, kind) in enumerate(named)
    )


def check_width(columns: int) -> None:
    if columns > MOST_COLUMNS:
        raise BadValue(
            f"the file has more than {MOST_COLUMNS:,} columns: leave out what is not "
            "needed, or write one row for each value"
        )


def _unique(titles: Sequence[str]) -> list[str]:
    """Names, numbered where they repeat."""
    names: dict[str, None] = {}
    for title in titles:
        name, again = title, 2
        while name in names:
            name = f"{title}_{again}"
            again += 1
        names[name] = None
    return list(names)


def listed(columns: Sequence[SourceColumn]) -> str:
    """The names of columns for a message."""
    names = ", ".join(column.name for column in columns[:_NAMED])
    more = len(columns) - _NAMED
    return f"{names} and {more:,} more" if more > 0 else names


def numbered(rows: pa.Table, numbers: pa.Array) -> pa.Table:
    """Rows with their numbers as column `_row`, columns called c0, c1, ..."""
    names = [f"c{index}" for index in range(rows.num_columns)]
    return rows.rename_columns(names).append_column(ROW, numbers)


def gathered(batches: Iterable[Batch]) -> Iterator[Batch]:
    """The same rows in batches near the limits."""
    waiting: list[Batch] = []
    rows = size = 0
    for batch in batches:
        for part in _cut(batch, min(BATCH_ROWS, _PART)):
            count, weight = part.rows.num_rows, part.rows.nbytes
            if waiting and (rows + count > BATCH_ROWS or size + weight > BATCH_BYTES):
                yield _joined(waiting)
                waiting, rows, size = [], 0, 0
            waiting.append(part)
            rows += count
            size += weight
    if waiting:
        yield _joined(waiting)


def _cut(batch: Batch, rows: int) -> Iterator[Batch]:
    if batch.rows.num_rows <= rows:
        yield batch
        return
    yield Batch(batch.rows.slice(0, rows), batch.malformed, batch.done)
    for at in range(rows, batch.rows.num_rows, rows):
        yield Batch(batch.rows.slice(at, rows), [], batch.done)


def _joined(batches: list[Batch]) -> Batch:
    rows = pa.concat_tables([batch.rows for batch in batches])
    malformed = [bad for batch in batches for bad in batch.malformed]
    return Batch(rows, malformed, batches[-1].done)
