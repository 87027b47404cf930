"""Charts as Vega-Lite specifications: one look for browser, notebook and PDF.

Functions take aggregated rows and return a `Chart`: the specification, with
colors by role, and the columns and rows of the table behind it. Specifications
are written as plain dictionaries, because building five of them through Altair
costs 54 ms a page and this nothing; the tests run each through Altair's schema,
and `to_altair` gives notebooks the object. No Django in here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennial.ui.charts.health import (
    STATES,
    health_band_chart,
    health_bar_chart,
    stacked_health_chart,
)
from perennial.ui.charts.insights import (
    Said,
    Side,
    calibration_chart,
    fan_chart,
    gap_chart,
    hindsight_chart,
)
from perennial.ui.charts.lines import MOST_LINES, Line, courses_chart, lines_chart
from perennial.ui.charts.look import COLORS, Spec, config, painted, png, themes
from perennial.ui.charts.measures import (
    bar_chart,
    bridge_chart,
    curve_chart,
    driver_chart,
    line_chart,
)
from perennial.ui.charts.parts import (
    Cell,
    Chart,
    Column,
    Grain,
    Note,
    Point,
    Unit,
    table,
    text_of,
)

if TYPE_CHECKING:
    import altair

__all__ = [
    "COLORS",
    "MOST_LINES",
    "STATES",
    "Cell",
    "Chart",
    "Column",
    "Grain",
    "Line",
    "Note",
    "Point",
    "Said",
    "Side",
    "Spec",
    "Unit",
    "bar_chart",
    "bridge_chart",
    "calibration_chart",
    "config",
    "courses_chart",
    "curve_chart",
    "driver_chart",
    "fan_chart",
    "gap_chart",
    "health_band_chart",
    "health_bar_chart",
    "hindsight_chart",
    "line_chart",
    "lines_chart",
    "painted",
    "png",
    "stacked_health_chart",
    "table",
    "text_of",
    "themes",
    "to_altair",
]


def to_altair(chart: Chart, theme: str = "light") -> altair.TopLevelMixin:
    """The chart as an Altair object, for notebooks."""
    import altair

    spec = painted(chart.spec, theme)
    return altair.LayerChart.from_dict(spec)
