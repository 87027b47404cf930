"""Charts of results, and the words of their parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from perennial.apps.surveys.results import Point
from perennial.core.windows import DAY
from perennial.ui import charts
from perennial.ui.charts import Chart
from perennial.ui.formats import Regional

DIMENSIONS: Final[Mapping[str, Promise]] = {
    "segment": gettext_lazy("Segment"),
    "role": gettext_lazy("Role"),
    "owner_email": gettext_lazy("Owner"),
    "touchpoint": pgettext_lazy("of a survey", "Touchpoint"),
    "wave": pgettext_lazy("of a survey", "Wave"),
    "channel": gettext_lazy("Channel"),
    "language": gettext_lazy("Language"),
}


@dataclass(frozen=True)
class Bar:
    """A score, how many gave it, its share of the most frequent one."""

    score: int
    n: int
    share: float
    color: str


def trend(points: Sequence[Point], kind: str, regional: Regional) -> Chart | None:
    """The score over a year with its 95 % band; None where there is none yet."""
    known = [point for point in points if point.score.value is not None]
    if len(known) < 2:
        return None
    drawn = [
        charts.Point(
            # A window is named by its last day.
            point.day - DAY,
            point.score.value,
            low=_moved(point, -1),
            high=_moved(point, 1),
        )
        for point in points
    ]
    return charts.line_chart(
        drawn,
        regional,
        name={"nps": "NPS", "csat": "CSAT", "ces": "CES"}[kind],
        unit="number" if kind == "nps" else "percent",
        period=_("Period"),
        height=180,
    )


def _moved(point: Point, way: int) -> float | None:
    if point.score.value is None or point.score.margin is None:
        return None
    return point.score.value + way * point.score.margin


def bars(counted: Sequence[tuple[int, int]], kind: str) -> list[Bar]:
    """Answers by score; of an NPS survey in the colors of its groups."""
    most = max((n for _, n in counted), default=0) or 1
    return [
        Bar(score, n, n / most, _color(score) if kind == "nps" else "accent")
        for score, n in counted
    ]


def _color(score: int) -> str:
    return "green" if score >= 9 else "gray" if score >= 7 else "red"
