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

from perennial.lake import opening
from perennial.lake import workspace as tables
from perennial.lake.result import Result
from perennial.metrics.query import Query
from perennial.metrics.registry import Unit
from perennial.ui.charts import (
    MOST_LINES,
    Grain,
    Point,
    bar_chart,
    courses_chart,
    line_chart,
    to_altair,
)
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
        """The course of the number as an Altair chart, bars where it is one period.

        Of several groups each has its line. Where they are more than can be told
        apart, those with the largest last values have, and the title says so.
        """
        metric, settings = self.query.metric, self.query.settings
        regional = Regional("en", settings.currency, settings.timezone)
        courses = self._courses()
        grain = _GRAINS[self.query.grain.value]
        unit = _UNITS.get(metric.unit_of(self.query.variant), "decimal")
        if len(courses) > 1:
            few = f", the {MOST_LINES} largest of {len(courses)}"
            title = metric.title + (few if len(courses) > MOST_LINES else "")
            chart = courses_chart(courses, regional, unit=unit, grain=grain)
            return to_altair(chart, theme).properties(title=title)
        points = next(iter(courses.values()), [])
        draw = line_chart if len(points) > 1 else bar_chart
        chart = draw(points, regional, name=metric.title, unit=unit, grain=grain)
        return to_altair(chart, theme)

    def _courses(self) -> dict[str, list[Point]]:
        """Periods and values by group, the largest last value first."""
        found: dict[str, list[Point]] = {}
        for row in self.rows.iter_rows(named=True):
            name = ", ".join(str(row[key] or "none") for key in self._groups)
            found.setdefault(name, []).append(Point(row["period_start"], row["value"]))
        last = {name: points[-1].value or 0 for name, points in found.items()}
        return {name: found[name] for name in sorted(found, key=lambda n: -last[n])}

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
    opened = opening.open_workspace(data, key)
    return Workspace(opened.lake)


def connect(*, lake: str | Path, engine: str = "duckdb") -> Workspace:
    """The workspace whose Delta tables lie below `lake`, asked through `engine`."""
    opened = opening.connect(lake=lake, engine=engine)
    return Workspace(opened.lake, engine=opened.engine)
