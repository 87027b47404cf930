"""File import: CSV, JSONL, JSON and Parquet into a fact table.

The way of a file: `stream` (bytes, encoding) -> `sources` (batches of numbered
rows) -> `columns` (which column feeds which) -> `formats` (how numbers and dates
are written) -> `convert` (SQL: values, then `rules`) -> `repeats` -> the lake, with
`journal` keeping rejects and the record of the import. `run` puts them together.
"""

from __future__ import annotations

from perennial.apps.intake.files.model import (
    ImportOptions,
    ImportReport,
    LakeWriter,
    Written,
)
from perennial.apps.intake.files.rules import Reason
from perennial.apps.intake.files.run import import_file

__all__ = [
    "ImportOptions",
    "ImportReport",
    "LakeWriter",
    "Reason",
    "Written",
    "import_file",
]
