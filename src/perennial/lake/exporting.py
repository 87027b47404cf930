"""Tables out of the lake, in formats other tools read."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from perennial.lake.duck import connect
from perennial.lake.store import Lake


def export(lake: Lake, name: str, format_: str, output: Path | None) -> None:
    """Write a table to a file or standard output, batch by batch."""
    with connect() as duck:
        reader = duck.sql(f"FROM {lake.source(name)}").to_arrow_reader(100_000)
        if output is None:
            _write(reader, format_, pa.PythonFile(sys.stdout.buffer, mode="w"))
        else:
            # Opened by Python, whose errors name the file.
            with output.open("wb") as file, pa.PythonFile(file, mode="w") as sink:
                _write(reader, format_, sink)


def _write(reader: pa.RecordBatchReader, format_: str, sink: pa.NativeFile) -> None:
    if format_ == "jsonl":
        for batch in reader:
            rows = pa.Table.from_batches([batch])
            frame = _frame(rows)
            sink.write(frame.write_ndjson().encode())
        return
    writer = (
        pa.csv.CSVWriter(sink, reader.schema)
        if format_ == "csv"
        else pa.parquet.ParquetWriter(sink, reader.schema, compression="zstd")
    )
    with writer:
        for batch in reader:
            writer.write_batch(batch)


def _frame(rows: pa.Table):  # type: ignore[no-untyped-def]
    import polars as pl

    return pl.from_arrow(rows)
