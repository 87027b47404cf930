"""Charts of several lines over whole numbers: days before, months since."""

from __future__ import annotations

from collections.abc import Sequence
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
#: Names at the ends of lines stand at least so far apart, of the height.
_APART = 0.07


@dataclass(frozen=True)
class Line:
    """A line through `values` by place, with `bounds` of its doubt where drawn; a
    `quiet` one is grey, for comparison."""

    name: str
    values: dict[int, float]
    bounds: dict[int, tuple[float, float]] | None = None
    quiet: bool = False


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
    """Lines over whole numbers, named at their ends.

    `falling`: the highest number first, as days before something; `stepped` where a
    value holds until the next.
    """
    shown = list(lines)[:MOST_LINES]
    places = sorted({k for line in shown for k in line.values}, reverse=falling)
    rows = [_row(k, shown, unit, regional) for k in places]
    known = [v for line in shown for v in line.values.values()]
    known += [
        b for line in shown for pair in (line.bounds or {}).values() for b in pair
    ]
    x = _x(places, axis, falling=falling)
    y = value_y(known, unit, regional, zero=from_zero)
    drawn = {"interpolate": "step-after"} if stepped else {}
    layers = [
        layer(
            {"type": "area", "color": _color(n, line), "opacity": 0.12, **drawn},
            x,
            {**y, "field": f"low{n}"},
            f"high{n}",
        )
        for n, line in enumerate(shown)
        if line.bounds
    ]
    layers += [
        layer(
            {"type": "line", "color": _color(n, line), **drawn},
            x,
            {**y, "field": f"y{n}"},
        )
        for n, line in enumerate(shown)
    ]
    layers += [_names(shown, places, x, y)]
    layers.append(hover(x, [line.name for line in shown]))
    columns = (Column(axis, "number"), *(Column(line.name, unit) for line in lines))
    behind = tuple((k, *(line.values.get(k) for line in lines)) for k in places)
    return Chart(whole(rows, layers, height, right=140), columns, behind, height)


def _row(place: int, lines: Sequence[Line], unit: Unit, regional: Regional) -> Spec:
    row: Spec = {"x": place, "title": formats.number(place, regional)}
    for n, line in enumerate(lines):
        value = line.values.get(place)
        low, high = (line.bounds or {}).get(place, (None, None))
        row |= {f"y{n}": value, f"low{n}": low, f"high{n}": high}
        row[line.name] = text_of(value, unit, regional)
    return row


def _x(places: Sequence[int], axis: str, *, falling: bool) -> Spec:
    shown = places if len(places) <= 7 else [k for k in places if k % 6 == 0]
    ticks: Spec = {"values": shown, "tickCount": len(shown), "title": axis}
    ticks |= {"titleAnchor": "end", "grid": False, "labelFlush": False}
    scale = {"domain": [min(places), max(places)], "reverse": falling, "nice": False}
    return {"field": "x", "type": "quantitative", "axis": ticks, "scale": scale}


def _names(lines: Sequence[Line], places: Sequence[int], x: Spec, y: Spec) -> Spec:
    """Names at the last place that each line has, moved apart where they would meet."""
    ends = []
    for n, line in enumerate(lines):
        at = [k for k in places if k in line.values]
        if at:
            ends.append((line.values[at[-1]], at[-1], n))
    values = [v for line in lines for v in line.values.values()]
    apart = _APART * ((max(values) - min(values)) or 1.0)
    texts: list[Spec] = []
    last = float("-inf")
    for value, place, n in sorted(ends):
        last = max(value, last + apart)
        text = {"x": place, "y": last, "text": lines[n].name, "n": str(n)}
        texts.append(text)
    mark: Spec = {"type": "text", "align": "left", "dx": 8}
    color: Spec = {
        "field": "n",
        "type": "nominal",
        "legend": None,
        "scale": {
            "domain": [str(n) for n in range(len(lines))],
            "range": [_color(n, line) for n, line in enumerate(lines)],
        },
    }
    return on(texts, layer(mark, x, y, text={"field": "text"}, color=color))


def _color(n: int, line: Line) -> str:
    return "$ink-3" if line.quiet else f"$c{n + 1}"
