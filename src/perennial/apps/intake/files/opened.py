"""From a path to a source: what the bytes are decides, not the name."""

from __future__ import annotations

from pathlib import Path

from perennial.apps.intake.files.lines import CsvSource
from perennial.apps.intake.files.model import ImportOptions
from perennial.apps.intake.files.objects import JsonSource
from perennial.apps.intake.files.parquet import ParquetSource
from perennial.apps.intake.files.sources import Source
from perennial.apps.intake.files.stream import (
    Bytes,
    decoded_head,
    recognize_encoding,
)
from perennial.core.errors import BadValue

_TABULAR = (".csv", ".tsv", ".txt", ".tab")
_OTHERS = {
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"SQLi": "an SQLite database",
    b"BZh": "compressed with bzip2",
    b"\xfd7zX": "compressed with xz",
    b"%PDF": "a PDF",
}


def open_source(path: Path, options: ImportOptions) -> Source:
    """The file at `path`, ready to be read as rows."""
    if not path.is_file():
        raise BadValue(f"there is no file {path}")
    data = Bytes.of(path)
    head = data.head()
    if head.startswith(b"PAR1"):
        return ParquetSource.of(data)
    for magic, what in _OTHERS.items():
        if head.startswith(magic):
            raise BadValue(
                f"{path.name} is {what}: save it as CSV, JSON or Parquet, "
                "plain or as .gz or .zst"
            )
    encoding = recognize_encoding(data, options.encoding)
    text, _ = decoded_head(data, encoding)
    suffixes = {suffix.lower() for suffix in path.suffixes}
    if text.lstrip()[:1] in ("{", "[") and not suffixes & set(_TABULAR):
        return JsonSource.of(data, encoding)
    if suffixes & {".json", ".jsonl", ".ndjson"}:
        raise BadValue(f"{path.name} does not hold JSON objects")
    return CsvSource.of(data, encoding, options.delimiter)
