"""From a path to a source: what the bytes are decides, not the name."""

from __future__ import annotations

import unicodedata
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
#: Control characters that texts have, and the share of others that may stray in.
_LAYOUT = "\t\r\n\v\f\x1f"
_STRAY = 0.05
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
    _check_is_file(path)
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
    if not options.delimiter and not _is_text(text):
        raise BadValue(f"{path.name} is no text: save it as CSV, JSON or Parquet")
    return CsvSource.of(data, encoding, options.delimiter)


def _check_is_file(path: Path) -> None:
    if path.is_dir():
        raise BadValue(f"{path} is a folder: name the files in it, as {path}/*.csv")
    if not path.exists():
        raise BadValue(f"there is no file {path}")
    if not path.is_file():
        raise BadValue(
            f"{path} can be read only once, and an import reads twice: save it as a "
            "file first"
        )


def _is_text(start: str) -> bool:
    """Has it hardly a control character? Of random bytes, one in nine is one."""
    controls = sum(
        unicodedata.category(character) == "Cc" and character not in _LAYOUT
        for character in start
    )
    return controls <= _STRAY * len(start)
