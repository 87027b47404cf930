"""Charts of several lines over whole numbers: days before, months since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from perennial.ui import formats
from perennial.ui.charts.look import Spec
from perennial.ui.charts.parts import (
    Chart,
    Column,
    Unit,
    hover,
    layer,
    on,
    text_of,
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
    layers.append(on(points, layer(mark, x, y, color=_color(shown))))
    layers.append(hover(x, [line.name for line in shown]))
    rows = [_row(k, shown, unit, regional) for k in places]
    columns = (Column(axis, "number"), *(Column(line.name, unit) for line in lines))
    behind = tuple((k, *(line.values.get(k) for line in lines)) for k in places)
    return Chart(whole(rows, layers, height, right=16), columns, behind, height)


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


def _color(lines: Sequence[Line]) -> Spec:
    """By name, with a legend; one line needs none."""
    names = [line.name for line in lines]
    colors = [f"$c{n + 1}" for n in range(len(names))]
    legend: Spec | None = {"columns": 2, "symbolType": "stroke"}
    return {
        "field": "name",
        "type": "nominal",
        "scale": {"domain": names, "range": colors},
        "legend": legend if len(names) > 1 else None,
    }
