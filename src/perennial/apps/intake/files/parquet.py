"""Parquet as numbered batches, a part of a row group at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from perennial.apps.intake.files.lines import trimmed_column
from perennial.apps.intake.files.sources import (
    BATCH_BYTES,
    BATCH_ROWS,
    Batch,
    Kind,
    SourceColumn,
    gathered,
    numbered,
    source_columns,
)
from perennial.apps.intake.files.stream import Bytes
from perennial.core.errors import BadValue


@dataclass(frozen=True)
class ParquetSource:
    """A Parquet file; a compressed one is unpacked to a temporary file first."""

    data: Bytes
    columns: tuple[SourceColumn, ...]

    @classmethod
    def of(cls, data: Bytes) -> ParquetSource:
        with _opened(data) as file:
            schema = file.schema_arrow
        return cls(
            data, source_columns(schema.names, [kind_of(t) for t in schema.types])
        )

    @property
    def recognized(self) -> dict[str, str]:
        return {"format": "parquet"}

    def batches(self) -> Iterator[Batch]:
        return gathered(self._parts())

    def _parts(self) -> Iterator[Batch]:
        with _opened(self.data) as file:
            total = file.metadata.num_rows
            last = 0
            for part in file.iter_batches(batch_size=_rows_a_batch(file.metadata)):
                numbers = pa.array(np.arange(last + 1, last + 1 + part.num_rows))
                last += part.num_rows
                rows = numbered(_plain(pa.table(part)), numbers)
                yield Batch(rows, [], last / max(total, 1))


@contextmanager
def _opened(data: Bytes) -> Iterator[pyarrow.parquet.ParquetFile]:
    with tempfile.TemporaryDirectory(prefix="perennial-import-") as folder:
        path = data.path
        if data.compression is not None:
            path = Path(folder) / "copy.parquet"
            with data.open() as reader, path.open("wb") as copy:
                for chunk in reader.chunks():
                    copy.write(chunk)
        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                yield file
        except (pa.ArrowInvalid, OSError) as error:
            name = data.path.name
            raise BadValue(f"{name} is not a readable Parquet file: {error}") from error


def _rows_a_batch(metadata: pyarrow.parquet.FileMetaData) -> int:
    size = sum(
        metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups)
    )
    width = max(size // max(metadata.num_rows, 1), 1)
    return int(max(1_000, min(BATCH_ROWS, BATCH_BYTES // width)))


def _plain(rows: pa.Table) -> pa.Table:
    """Text trimmed; types DuckDB cannot take as ones it can."""
    columns = [_plain_column(column) for column in rows.columns]
    return pa.table(columns, names=[f"c{at}" for at in range(rows.num_columns)])


def _plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    type_ = column.type
    if pa.types.is_dictionary(type_):
        column = column.cast(type_.value_type)
        type_ = column.type
    if kind_of(type_) == "string":
        return trimmed_column(column.cast(pa.string()))
    if pa.types.is_float16(type_):
        return column.cast(pa.float32())
    if pa.types.is_decimal256(type_):
        return pc.cast(column, pa.float64())
    return column


def kind_of(type_: pa.DataType) -> Kind:
    """What values of an Arrow type are."""
    types = pa.types
    if types.is_dictionary(type_):
        return kind_of(type_.value_type)
    checks: tuple[tuple[bool, Kind], ...] = (
        (types.is_string(type_) or types.is_large_string(type_), "string"),
        (types.is_string_view(type_), "string"),
        (types.is_integer(type_), "int"),
        (types.is_floating(type_) or types.is_decimal256(type_), "float"),
        (types.is_decimal(type_), "decimal"),
        (types.is_boolean(type_), "bool"),
        (types.is_date(type_), "date"),
        (types.is_timestamp(type_) and type_.tz is not None, "instant"),
        (types.is_timestamp(type_), "local"),
        (types.is_nested(type_), "nested"),
    )
    return next((kind for holds, kind in checks if holds), "other")
