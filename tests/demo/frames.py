"""Tables of the demo company as Polars frames."""

from __future__ import annotations

import polars as pl
import pyarrow as pa


def frame(table: pa.Table) -> pl.DataFrame:
    """The table as a frame."""
    found = pl.from_arrow(table)
    assert isinstance(found, pl.DataFrame)
    return found
