"""The answer to a question, with everything that explains it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from perennial.metrics.query import Query

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Result:
    """Rows of a metric. `rows` is one row per period and group, oldest first."""

    query: Query
    rows: pl.DataFrame
    _sql: Callable[[], str]
    _behind: Callable[[], pl.DataFrame]

    @property
    def value(self) -> float | None:
        """The value of an answer of one row; of several, the last one's."""
        values = self.rows["value"]
        return None if values.is_empty() else values[-1]

    def to_polars(self) -> pl.DataFrame:
        return self.rows

    def to_arrow(self) -> pa.Table:
        return self.rows.to_arrow()

    def to_pandas(self) -> pd.DataFrame:
        return self.rows.to_pandas()

    def to_dicts(self) -> list[dict[str, Any]]:
        """Rows as the command line and the API print them."""
        return self.rows.to_dicts()

    def sql(self) -> str:
        """The query that computed numerators and denominators, in the engine's SQL."""
        return self._sql()

    @cached_property
    def behind(self) -> pl.DataFrame:
        """The rows behind the numbers: the same question by the metric's entity."""
        return self._behind()

    def explain(self) -> dict[str, Any]:
        """Formula, numbers, inputs, caveats and the rows behind, as plain values."""
        metric = self.query.metric.counted(self.query.variant)
        return {
            "metric": metric.key,
            "title": metric.title,
            "description": metric.description,
            "formula": metric.formula,
            "variant": self.query.variant or None,
            "unit": metric.unit,
            "source": metric.source,
            "inputs": list(metric.reads),
            "caveats": metric.caveats or None,
            "timezone": self.query.settings.timezone,
            "computed_at": self.query.now.isoformat(),
            "rows": self.to_dicts(),
            "entity": metric.entity,
            "behind": self.behind.to_dicts(),
        }
