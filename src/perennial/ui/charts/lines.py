"""Charts of several lines: over whole numbers, as days before, and over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from perennial.ui import formats
from perennial.ui.charts.look import Spec
from perennial.ui.charts.parts import (
    Chart,
    Column,
    Grain,
    Point,
    Unit,
    hover,
    layer,
    on,
    period_text,
    text_of,
    time_x,
    value_y,
    whole,
)
from perennial.ui.formats import Regional

#: More lines than colors that can be told apart are left to the table.
MOST_LINES = 5
#: Numbers on the axis, at most.
_MOST_TICKS = 12


@dataclass(frozen=True)
class Line:
    """A line through `values` by place, with `bounds` of its doubt where drawn."""

    name: str
    values: Mapping[int, float]
    bounds: Mapping[int, tuple[float, float]] | None = None


def lines_chart(
    lines: Sequence[Line],
    regional: Regional,
    *,
    axis: str,
    unit: Unit,
    falling: bool = False,
    stepped: bool = False,
    from_zero: bool = False,
    height: int = 260,
) -> Chart:
    """Lines over whole numbers; names stand above, for lines that meet at their ends.

    `falling`: the highest number first, as days before something; `stepped` where a
    value holds until the next.
    """
    shown = list(lines)[:MOST_LINES]
    places = sorted({k for line in lines for k in line.values}, reverse=falling)
    known = [v for line in shown for v in line.values.values()]
    known += [
        v for line in shown for pair in (line.bounds or {}).values() for v in pair
    ]
    x = _x(places, axis, falling=falling)
    y = value_y(known, unit, regional, zero=from_zero)
    drawn: Spec = {"interpolate": "step-after"} if stepped else {}
    layers: list[Spec] = []
    for n, line in enumerate(shown):
        if line.bounds:
            band: Spec = {"type": "area", "color": f"$c{n + 1}", "opacity": 0.12}
            low = {**y, "field": f"low{n}"}
            layers.append(layer(band | drawn, x, low, f"high{n}"))
    points: list[Spec] = [
        {"x": k, "y": line.values[k], "name": line.name}
        for line in shown
        for k in places
        if k in line.values
    ]
    mark: Spec = {"type": "line", **drawn}
    layers.append(
        on(points, layer(mark, x, y, color=_color([line.name for line in shown])))
    )
    layers.append(hover(x, [line.name for line in shown]))
    rows = [_row(k, shown, unit, regional) for k in places]
    columns = (Column(axis, "number"), *(Column(line.name, unit) for line in lines))
    behind = tuple((k, *(line.values.get(k) for line in lines)) for k in places)
    return Chart(whole(rows, layers, height, right=16), columns, behind, height)


def courses_chart(
    courses: Mapping[str, Sequence[Point]],
    regional: Regional,
    *,
    unit: Unit,
    grain: Grain,
    period: str = "Period",
    height: int = 260,
) -> Chart:
    """Courses of the same periods, a color each; bars where there is one period."""
    shown = dict(list(courses.items())[:MOST_LINES])
    ats = sorted({point.at for course in courses.values() for point in course})
    values = {
        name: {point.at: point.value for point in course}
        for name, course in courses.items()
    }
    points: list[Spec] = [
        {
            "x": at.isoformat(),
            "y": values[name].get(at),
            "name": name,
            "title": period_text(at, grain, regional),
            "text": text_of(values[name].get(at), unit, regional),
        }
        for name in shown
        for at in ats
    ]
    known = [point["y"] for point in points if point["y"] is not None]
    is_line = len(ats) > 1
    x = time_x(ats, grain) if is_line else _name_x(shown)
    y = value_y(known, unit, regional, zero=not is_line)
    line, bar = {"type": "line"}, {"type": "bar", "cornerRadiusEnd": 2}
    mark: Spec = line if is_line else {**bar, "color": "$accent"}
    color = {"color": _color(list(shown))} if is_line else {}
    told = [
        {"field": key, "type": "nominal", "title": key}
        for key in ("title", "name", "text")
    ]
    drawn = layer(mark, x, y)
    drawn["encoding"] |= {**color, "tooltip": told}
    columns = (Column(period), *(Column(name, unit) for name in courses))
    behind = tuple(
        (period_text(at, grain, regional), *(values[n].get(at) for n in courses))
        for at in ats
    )
    return Chart(whole(points, [drawn], height, right=16), columns, behind, height)


def _name_x(names: Iterable[str]) -> Spec:
    axis = {"title": None, "labelAngle": 0}
    return {"field": "name", "type": "nominal", "sort": list(names), "axis": axis}


def _row(place: int, lines: Sequence[Line], unit: Unit, regional: Regional) -> Spec:
    row: Spec = {"x": place, "title": formats.number(place, regional)}
    for n, line in enumerate(lines):
        value = line.values.get(place)
        low, high = (line.bounds or {}).get(place, (None, None))
        row |= {f"low{n}": low, f"high{n}": high}
        row[line.name] = text_of(value, unit, regional)
    return row


def _x(places: Sequence[int], axis: str, *, falling: bool) -> Spec:
    step = max(-(-len(places) // _MOST_TICKS), 1)
    step = step if step < 3 else 6 * -(-step // 6)
    at = list(places[::step])
    ticks: Spec = {"values": at, "tickCount": len(at), "title": axis, "grid": False}
    # The end of a falling axis is on the left.
    ticks |= {"titleAnchor": "start" if falling else "end", "titleAlign": "right"}
    ticks |= {"labelFlush": False, "labelOverlap": "parity"}
    scale = {"domain": [min(places), max(places)], "reverse": falling, "nice": False}
    return {"field": "x", "type": "quantitative", "axis": ticks, "scale": scale}


def _color(names: Sequence[str]) -> Spec:
    """By name, with a legend; one line needs none."""
    colors = [f"$c{n + 1}" for n in range(len(names))]
    legend: Spec | None = {"columns": 2, "symbolType": "stroke"}
    return {
        "field": "name",
        "type": "nominal",
        "scale": {"domain": names, "range": colors},
        "legend": legend if len(names) > 1 else None,
    }
