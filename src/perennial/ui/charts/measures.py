"""Charts of one measure: a line, bars over time, bars of what moved it."""

from __future__ import annotations

from collections.abc import Sequence

from perennial.ui.charts.look import Spec
from perennial.ui.charts.parts import (
    Chart,
    Column,
    Grain,
    Note,
    Point,
    Unit,
    bar_x,
    hover,
    last_value,
    layer,
    on,
    period_text,
    row_of,
    text_of,
    time_x,
    tooltip,
    value_y,
    whole,
)
from perennial.ui.formats import Regional


def line_chart(
    points: Sequence[Point],
    regional: Regional,
    *,
    name: str,
    unit: Unit = "number",
    grain: Grain = "month",
    before: str = "",
    target: float | None = None,
    target_name: str = "",
    zero: bool = False,
    notes: Sequence[Note] = (),
    period: str = "Period",
    height: int = 240,
) -> Chart:
    """One measure over time, its comparison, target, doubt and notes."""
    names = [name, before] if before else [name]
    known = [v for p in points for v in (p.value, p.low, p.high) if v is not None]
    known += [p.before for p in points if before and p.before is not None]
    known += [target] if target is not None else []
    x = time_x([p.at for p in points], grain)
    y = value_y(known, unit, regional, zero=zero)
    layers: list[Spec] = []
    if any(p.low is not None for p in points):
        layers.append(
            layer({"type": "area", "color": "$band"}, x, _of(y, "low"), "high")
        )
    if before:
        layers.append(layer(_DASHED, x, _of(y, "p")))
    if target is not None:
        layers += _target(y, target, target_name)
    layers.append(layer({"type": "line", "color": "$accent"}, x, y))
    layers += last_value(points, x, y, unit, regional)
    layers += _notes(notes, points, x, y)
    layers.append(hover(x, names))
    rows = [row_of(p, names, unit, grain, regional) for p in points]
    columns = (Column(period), *(Column(n, unit) for n in names))
    behind = tuple(
        (period_text(p.at, grain, regional), p.value, *([p.before] if before else []))
        for p in points
    )
    return Chart(whole(rows, layers, height, right=16), columns, behind, height)


#: Colors of what adds, what takes away, and their sum.
_BY_KIND: Spec = {
    "field": "kind",
    "type": "nominal",
    "legend": None,
    "scale": {
        "domain": ["gain", "loss", "sum"],
        "range": ["$gain", "$loss", "$accent"],
    },
}

_DASHED: Spec = {
    "type": "line",
    "color": "$compare",
    "strokeWidth": 1.5,
    "strokeDash": [4, 3],
}


def _of(encoding: Spec, field: str) -> Spec:
    return {**encoding, "field": field}


def _target(y: Spec, target: float, name: str) -> list[Spec]:
    values = [{"target": target, "name": name}]
    at = _of(y, "target")
    rule = {"type": "rule", "strokeDash": [1, 3], "strokeWidth": 1.5}
    words = {"type": "text", "align": "left", "dy": -8, "x": 0}
    said = {"y": at, "text": {"field": "name"}}
    return [
        on(values, {"mark": rule, "encoding": {"y": at}}),
        on(values, {"mark": words, "encoding": said}),
    ]


def _notes(
    notes: Sequence[Note], points: Sequence[Point], x: Spec, y: Spec
) -> list[Spec]:
    """Letters in circles over the line; the texts stand beside the chart."""
    values: list[Spec] = []
    for index, note in enumerate(notes):
        near = min(points, key=lambda p, at=note.at: abs(p.at - at))  # type: ignore[misc]
        letter = chr(ord("A") + index)
        values.append({"x": near.at.isoformat(), "y": near.value, "letter": letter})
    if not values:
        return []
    disc: Spec = {"type": "point", "filled": True, "size": 240, "yOffset": -16}
    disc |= {"opacity": 1, "color": "$band"}
    words: Spec = {"type": "text", "dy": -15.5, "fontSize": 11, "fontWeight": 600}
    words |= {"color": "$accent"}
    return [
        on(values, layer(disc, x, y)),
        on(values, layer(words, x, y, text={"field": "letter"})),
    ]


def bar_chart(
    points: Sequence[Point],
    regional: Regional,
    *,
    name: str,
    unit: Unit = "number",
    grain: Grain = "month",
    period: str = "Period",
    weaker: bool = False,
    height: int = 200,
) -> Chart:
    """One measure as bars over time; bars start at zero."""
    known = [p.value for p in points if p.value is not None]
    x = bar_x([p.at for p in points], grain)
    y = value_y(known, unit, regional, zero=True)
    color = "$weaker" if weaker else "$accent"
    mark: Spec = {"type": "bar", "color": color, "cornerRadiusEnd": 2}
    drawn = layer(mark, x, y)
    drawn["encoding"]["tooltip"] = tooltip([name])
    rows = [row_of(p, [name], unit, grain, regional) for p in points]
    columns = (Column(period), Column(name, unit))
    behind = tuple((period_text(p.at, grain, regional), p.value) for p in points)
    return Chart(whole(rows, [drawn], height), columns, behind, height)


def driver_chart(
    parts: Sequence[tuple[str, float]],
    regional: Regional,
    *,
    name: str,
    part: str = "Part",
    total: str = "",
    unit: Unit = "number",
) -> Chart:
    """What moved a number: bars from zero, gains and losses, and their sum."""
    shown = list(parts)
    if total:
        shown.append((total, sum(value for _, value in parts)))
    rows = [_driver_row(label, value, unit, regional) for label, value in shown]
    if total:
        rows[-1]["kind"] = "sum"
    x, y = _driver_axes([value for _, value in shown])
    layers = [
        layer({"type": "bar"}, x, y, color=_BY_KIND),
        _driver_text(x, y, "right", 5),
        _driver_text(x, y, "left", -5),
        on([{"y": 0}], {"mark": {"type": "rule"}, "encoding": {"x": x}}),
    ]
    height = 28 * len(rows) + 8
    columns = (Column(part), Column(name, unit))
    return Chart(whole(rows, layers, height), columns, tuple(shown), height)


def curve_chart(
    values: Sequence[float | None],
    regional: Regional,
    *,
    name: str,
    step: str,
    unit: Unit = "percent",
    height: int = 200,
) -> Chart:
    """A share by how many steps it is since the beginning, which is 0."""
    known = [(k, value) for k, value in enumerate(values) if value is not None]
    x: Spec = {"field": "k", "type": "quantitative"}
    axis = {"title": step, "grid": False, "tickCount": len(known), "format": "d"}
    x |= {"axis": axis, "scale": {"nice": False}}
    y = value_y([value for _, value in known], unit, regional, zero=True)
    line = layer({"type": "line", "color": "$accent"}, x, y)
    dots = layer({"type": "point", "filled": True, "color": "$accent"}, x, y)
    dots["encoding"]["tooltip"] = [
        {"field": "k", "type": "quantitative", "title": step},
        {"field": "text", "type": "nominal", "title": name},
    ]
    rows: list[Spec] = [
        {"k": k, "y": value, "text": text_of(value, unit, regional)}
        for k, value in known
    ]
    columns = (Column(step), Column(name, unit))
    return Chart(
        whole(rows, [line, dots], height, right=16), columns, tuple(known), height
    )


def bridge_chart(
    first: tuple[str, float],
    steps: Sequence[tuple[str, float]],
    last: tuple[str, float],
    regional: Regional,
    *,
    name: str,
    part: str = "Part",
    unit: Unit = "number",
) -> Chart:
    """From one amount to another: what was added and lost, each where it stands."""
    rows, at = [_bridge_row(first[0], 0.0, first[1], "sum", unit, regional)], first[1]
    for label, value in steps:
        kind = "gain" if value >= 0 else "loss"
        rows.append(_bridge_row(label, at, at + value, kind, unit, regional))
        at += value
    rows.append(_bridge_row(last[0], 0.0, last[1], "sum", unit, regional))
    shown = [first, *steps, last]
    x, y = _driver_axes([max(row["y"], row["to"]) for row in rows])
    bars = layer({"type": "bar"}, x, y, color=_BY_KIND, x2={"field": "to"})
    mark: Spec = {"type": "text", "dx": 5, "color": "$ink", "align": "left"}
    end = {**x, "field": "end"}
    words = layer(mark, end, y, text={"field": "text"})
    height = 28 * len(rows) + 8
    columns = (Column(part), Column(name, unit))
    return Chart(whole(rows, [bars, words], height), columns, tuple(shown), height)


def _bridge_row(
    label: str, low: float, high: float, kind: str, unit: Unit, regional: Regional
) -> Spec:
    text = text_of(high - low, unit, regional)
    said = f"+{text}" if kind == "gain" and high > low else text
    ends = {"y": low, "to": high, "end": max(low, high)}
    return {"label": label, **ends, "text": said, "kind": kind}


def _driver_row(label: str, value: float, unit: Unit, regional: Regional) -> Spec:
    text = text_of(value, unit, regional)
    return {
        "label": label,
        "y": value,
        "text": f"+{text}" if value > 0 else text,
        "kind": "gain" if value >= 0 else "loss",
        "side": "left" if value < 0 else "right",
    }


def _driver_axes(values: Sequence[float]) -> tuple[Spec, Spec]:
    """Room for the figures beside the bars, on the side where there are any."""
    low, high = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
    room = 0.3 * ((high - low) or 1.0)
    domain = [low - (room if low < 0 else 0.0), high + room]
    x: Spec = {"field": "y", "type": "quantitative", "axis": None}
    y: Spec = {"field": "label", "type": "nominal", "sort": None}
    axis = {"title": None, "grid": False, "tickCount": len(values)}
    return (
        x | {"scale": {"domain": domain}},
        y | {"axis": axis, "scale": {"paddingInner": 0.55}},
    )


def _driver_text(x: Spec, y: Spec, side: str, dx: int) -> Spec:
    mark: Spec = {"type": "text", "dx": dx, "color": "$ink"}
    mark["align"] = "left" if side == "right" else "right"
    drawn = layer(mark, x, y, text={"field": "text"})
    return {"transform": [{"filter": f"datum.side == '{side}'"}], **drawn}
