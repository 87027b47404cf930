"""Charts of what is likely: gaps before a decision, ranges, chances held to account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from perennial.ui import formats
from perennial.ui.charts.look import Spec
from perennial.ui.charts.parts import (
    Chart,
    Column,
    Point,
    hover,
    last_value,
    layer,
    on,
    period_text,
    text_of,
    time_x,
    tooltip,
    value_y,
    whole,
)
from perennial.ui.formats import Regional

_BAND: Final[Spec] = {"type": "area", "color": "$band"}
_AHEAD: Final[Spec] = {"type": "line", "color": "$accent", "strokeDash": [4, 3]}


@dataclass(frozen=True)
class Side:
    """A mean of one group with its interval."""

    value: float
    low: float
    high: float


def gap_chart(
    months: Sequence[tuple[int, Side, Side]],
    regional: Regional,
    *,
    stayed: str,
    left: str,
    axis: str,
    height: int = 220,
) -> Chart:
    """Use by months before the decision, of those who stayed and who left."""
    rows: list[Spec] = [
        {
            "x": month,
            "y": a.value,
            "p": b.value,
            **{"a_low": a.low, "a_high": a.high, "b_low": b.low, "b_high": b.high},
            "title": formats.number(month, regional),
            stayed: formats.number(a.value, regional, 1),
            left: formats.number(b.value, regional, 1),
        }
        for month, a, b in months
    ]
    at = [month for month, *_ in months]
    ticks = {"values": at, "tickCount": len(at), "title": axis, "grid": False}
    ticks |= {"titleAnchor": "end", "labelFlush": False}
    x: Spec = {"field": "x", "type": "quantitative", "axis": ticks}
    x["scale"] = {"domain": [at[0], at[-1]], "nice": False}
    highest = max(v for _, a, b in months for v in (a.high, b.high))
    y = value_y([0, highest], "number", regional, zero=True)
    grey: Spec = {"type": "area", "color": "$ink-3", "opacity": 0.14}
    layers = [
        layer(grey, x, _of(y, "b_low"), "b_high"),
        layer(_BAND, x, _of(y, "a_low"), "a_high"),
        layer({"type": "line", "color": "$ink-3"}, x, _of(y, "p")),
        layer({"type": "line", "color": "$accent"}, x, y),
        *_ends(rows[-1], x, y, {"y": (stayed, "accent"), "p": (left, "ink-3")}),
        hover(x, [stayed, left]),
    ]
    columns = (
        Column(axis, "number"),
        Column(stayed, "decimal"),
        Column(left, "decimal"),
    )
    behind = tuple((month, a.value, b.value) for month, a, b in months)
    return Chart(whole(rows, layers, height, right=72), columns, behind, height)


def _ends(
    last: Spec, x: Spec, y: Spec, names: dict[str, tuple[str, str]]
) -> list[Spec]:
    """Names of lines at their ends, in their colors."""
    words: Spec = {"type": "text", "align": "left", "dx": 8}
    return [
        on(
            [{"x": last["x"], "y": last[field], "text": name}],
            layer(words | {"color": f"${color}"}, x, y, text={"field": "text"}),
        )
        for field, (name, color) in names.items()
    ]


def fan_chart(
    past: Sequence[Point],
    ahead: Sequence[Point],
    regional: Regional,
    *,
    name: str,
    range_name: str,
    period: str,
    height: int = 260,
) -> Chart:
    """What was, month by month, and what is expected, with its range."""
    points = [*past, *ahead]
    rows = [_fan_row(p, name, range_name, regional) for p in points]
    for n, row in enumerate(rows):
        row |= {"is_past": n < len(past), "is_ahead": n >= len(past) - 1}
    known = [v for p in points for v in (p.value, p.low, p.high) if v is not None]
    x = time_x([p.at for p in points], "month")
    y = value_y(known, "money", regional, zero=False)
    layers = [
        layer(_BAND, x, _of(y, "low"), "high"),
        _only("datum.is_ahead", layer(_AHEAD, x, y)),
        _only("datum.is_past", layer({"type": "line", "color": "$ink-2"}, x, y)),
        *last_value(past, x, y, "money", regional, color="ink-2"),
        *_range_ends(ahead[-1], x, y, regional),
        hover(x, [name, range_name]),
    ]
    columns = (Column(period), Column(name, "money"), Column(range_name))
    behind = tuple(
        (r["title"], p.value, r[range_name]) for r, p in zip(rows, points, strict=True)
    )
    return Chart(whole(rows, layers, height, right=72), columns, behind, height)


def _fan_row(point: Point, name: str, range_name: str, regional: Regional) -> Spec:
    return {
        "x": point.at.isoformat(),
        "y": point.value,
        "low": point.low,
        "high": point.high,
        "title": period_text(point.at, "month", regional),
        name: text_of(point.value, "money", regional),
        range_name: range_text(point, regional),
    }


def range_text(point: Point, regional: Regional) -> str:
    """ "€1,200–1,400", or a dash where nothing is uncertain."""
    if point.low is None or point.high is None:
        return formats.EMPTY
    low, high = (formats.money(v, regional) for v in (point.low, point.high))
    return f"{low}–{high}"


def _range_ends(last: Point, x: Spec, y: Spec, regional: Regional) -> list[Spec]:
    at = last.at.isoformat()
    values = [
        {"x": at, "y": v, "text": text_of(v, "money", regional)}
        for v in (last.high, last.value, last.low)
        if v is not None
    ]
    words: Spec = {"type": "text", "align": "left", "dx": 6, "color": "$ink-2"}
    return [on(values, layer(words, x, y, text={"field": "text"}))]


def _only(condition: str, drawn: Spec) -> Spec:
    return {"transform": [{"filter": condition}], **drawn}


@dataclass(frozen=True)
class Said:
    """Cases of which the same was said, and the share that came true."""

    said: float
    happened: float
    low: float
    high: float
    n: int


def calibration_chart(
    groups: Sequence[Said],
    regional: Regional,
    *,
    said: str,
    happened: str,
    count: str,
    height: int = 260,
) -> Chart:
    """Chances against what happened: on the diagonal they mean what they say."""
    rows: list[Spec] = [
        {
            "x": g.said,
            "y": g.happened,
            "low": g.low,
            "high": g.high,
            "title": f"{said} {formats.percent(g.said, regional, 0)}",
            happened: formats.percent(g.happened, regional, 0),
            count: formats.number(g.n, regional),
        }
        for g in groups
    ]
    axis: Spec = {"format": ".0%", "tickCount": 5, "titleAnchor": "end"}
    scale = {"domain": [0, 1]}
    x: Spec = {"field": "x", "type": "quantitative", "scale": scale}
    x["axis"] = {**axis, "title": said, "grid": False}
    y: Spec = {"field": "y", "type": "quantitative", "scale": scale}
    y["axis"] = {**axis, "title": happened, "grid": True}
    diagonal: Spec = {"type": "line", "color": "$compare", "strokeDash": [4, 3]}
    diagonal["strokeWidth"] = 1.5
    whisker: Spec = {"type": "rule", "color": "$weaker", "strokeWidth": 1.5}
    point: Spec = {"type": "point", "filled": True, "size": 60, "opacity": 1}
    point["color"] = "$accent"
    layers = [
        on([{"x": 0, "y": 0}, {"x": 1, "y": 1}], layer(diagonal, x, y)),
        layer(whisker, x, _of(y, "low"), "high"),
        layer(point, x, y, tooltip=tooltip([happened, count])),  # type: ignore[arg-type]
        hover(x, [happened, count]),
    ]
    columns = (
        Column(said, "percent"),
        Column(happened, "percent"),
        Column(count, "number"),
    )
    behind = tuple((g.said, g.happened, g.n) for g in groups)
    return Chart(whole(rows, layers, height), columns, behind, height)


def hindsight_chart(
    rows: Sequence[tuple[date, Point, float]],
    regional: Regional,
    *,
    expected: str,
    actual: str,
    range_name: str,
    period: str,
    outside: str,
    height: int = 200,
) -> Chart:
    """Forecasts with their range beside what happened; misses are marked."""
    data: list[Spec] = []
    for at, point, happened in rows:
        row = _fan_row(point, expected, range_name, regional)
        inside = (point.low or 0) <= happened <= (point.high or 0)
        row |= {"actual": happened, "is_out": not inside, "miss": outside}
        row[actual] = text_of(happened, "money", regional)
        row["title"] = period_text(at, "month", regional)
        data.append(row)
    known = [
        v for _, p, a in rows for v in (p.value, p.low, p.high, a) if v is not None
    ]
    x = time_x([at for at, *_ in rows], "month")
    y = value_y(known, "money", regional, zero=False)
    bar: Spec = {"type": "rule", "color": "$band", "strokeWidth": 14}
    tick: Spec = {"type": "tick", "color": "$accent", "thickness": 2, "size": 14}
    tick["orient"] = "horizontal"
    dot: Spec = {"type": "point", "filled": True, "size": 52, "opacity": 1}
    red = {"condition": {"test": "datum.is_out", "value": "$loss"}, "value": "$ink"}
    words: Spec = {"type": "text", "dy": 16, "color": "$loss"}
    layers = [
        layer(bar, x, _of(y, "low"), "high"),
        layer(tick, x, y),
        layer(dot, x, _of(y, "actual"), color=red),
        _only(
            "datum.is_out", layer(words, x, _of(y, "actual"), text={"field": "miss"})
        ),
        hover(x, [expected, range_name, actual]),
    ]
    columns = (
        *(Column(period), Column(expected, "money"), Column(range_name)),
        Column(actual, "money"),
    )
    behind = tuple((r["title"], r["y"], r[range_name], r["actual"]) for r in data)
    return Chart(whole(data, layers, height, right=24), columns, behind, height)


def _of(encoding: Spec, field: str) -> Spec:
    return {**encoding, "field": field}
