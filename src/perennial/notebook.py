"""Perennial in Python and in notebooks: answers that show themselves.

The same questions as on the command line and the screens, with the same answers;
here they also draw their chart and print as a table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from perennial.lake import workspace as tables
from perennial.lake.result import Result
from perennial.metrics.query import Query
from perennial.metrics.registry import Unit
from perennial.ui.charts import Grain, Point, bar_chart, line_chart, to_altair
from perennial.ui.charts import Unit as ChartUnit
from perennial.ui.formats import Regional

if TYPE_CHECKING:
    import altair

_UNITS: dict[Unit, ChartUnit] = {
    "count": "number",
    "ratio": "percent",
    "money": "money",
}
_GRAINS: dict[str, Grain] = {
    "total": "day",
    "day": "day",
    "week": "week",
    "month": "month",
    "quarter": "quarter",
    "year": "year",
}
#: Rows of a table a notebook shows.
_SHOWN = 20


@dataclass(frozen=True)
class Answer(Result):
    """A `Result` that draws itself."""

    def chart(self, *, theme: str = "light") -> altair.TopLevelMixin:
        """A line over the periods of one group, as an Altair chart."""
        settings = self.query.settings
        regional = Regional("en", settings.currency, settings.timezone)
        points = [Point(*row) for row in self._points().iter_rows()]
        grain = _GRAINS[self.query.grain.value]
        unit = _UNITS.get(self.query.metric.unit_of(self.query.variant), "decimal")
        draw = line_chart if len(points) > 1 else bar_chart
        return to_altair(
            draw(
                points, regional, name=self.query.metric.title, unit=unit, grain=grain
            ),
            theme,
        )

    def _points(self) -> pl.DataFrame:
        """Period and value of the first group; several groups are a table's work."""
        groups = self.rows.select(self._groups).unique(maintain_order=True)
        rows = self.rows
        if self._groups:
            rows = rows.join(groups.head(1), on=self._groups, nulls_equal=True)
        return rows.select("period_start", "value")

    @property
    def _groups(self) -> list[str]:
        own = {"metric", "period_start", "period_end", "value", "numerator"}
        own |= {"denominator", "n", "status"}
        return [name for name in self.rows.columns if name not in own]

    def _repr_html_(self) -> str:
        metric = self.query.metric
        shown = self.rows.drop("metric").head(_SHOWN)
        more = self.rows.height - shown.height
        return (
            f"<p><b>{escape(metric.title)}</b>: {escape(metric.formula)}</p>"
            f"{shown._repr_html_()}"
            + (f"<p>… and {more} more rows</p>" if more else "")
        )


class Workspace(tables.Workspace):
    """A workspace whose answers draw themselves; see `perennial.lake.workspace`."""

    def make_result(
        self,
        query: Query,
        rows: pl.DataFrame,
        sql: Callable[[], str],
        behind: Callable[[], pl.DataFrame],
    ) -> Answer:
        return Answer(query, rows, sql, behind)

    def metric(self, key: str, **asked: Any) -> Answer:
        """The values of a metric; see `perennial.lake.workspace.Workspace.metric`."""
        found = super().metric(key, **asked)
        assert isinstance(found, Answer)
        return found


def open_workspace(data: str | Path, key: str = "default") -> Workspace:
    """The workspace `key` in a data folder."""
    opened = tables.open_workspace(data, key)
    return Workspace(opened.lake)


def connect(*, lake: str | Path, engine: str = "duckdb") -> Workspace:
    """The workspace whose Delta tables lie below `lake`, asked through `engine`."""
    opened = tables.connect(lake=lake, engine=engine)
    return Workspace(opened.lake, engine=opened.engine)
