"""A file as numbered batches of rows, whatever its format.

The first row of data is number 1. Source columns are called c0, c1, ... inside a
batch, because their own names may be anything; `_row` is the number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

import pyarrow as pa

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
    """A column of the file: its name there, its place, and what its values are."""

    name: str
    index: int
    kind: Kind


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
