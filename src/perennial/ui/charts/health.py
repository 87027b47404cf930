"""Charts of health: shares over time, amounts by state, a score on its bands.

The words of the states come from the page, translated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, TypeAlias

from perennial.ui import formats
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
    value_y,
    whole,
)
from perennial.ui.formats import Regional

#: Lowest state first: risk has the straight baseline.
STATES: Final = ("red", "orange", "yellow", "green", "none")

Words: TypeAlias = Mapping[str, str]
Counts: TypeAlias = Sequence[tuple[date, Mapping[str, float]]]


def stacked_health_chart(
    rows: Counts,
    regional: Regional,
    *,
    words: Words,
    grain: Grain = "week",
    period: str = "Period",
    height: int = 240,
) -> Chart:
    """Shares of the five states over time; risk lowest, direct labels."""
    last = max((at for at, _ in rows), default=None)
    data: list[Spec] = []
    for at, counts in rows:
        title = period_text(at, grain, regional)
        data += _shares(counts, words, regional, at=at, title=title, is_last=at == last)
    x = time_x([at for at, _ in rows], grain)
    axis = {"title": None, "format": ".0%", "tickCount": 5, "grid": True}
    y: Spec = {"field": "y", "type": "quantitative", "scale": {"domain": [0, 1]}}
    y["axis"] = axis
    layers = [_area(state, x, y) for state in STATES]
    words_mark = {"type": "text", "align": "left", "dx": 8}
    ends = layer(words_mark, x, {**y, "field": "mid"}, text={"field": "label"})
    shown = {"filter": "datum.is_last && datum.share > 0.02"}
    layers.append({"transform": [shown], **ends})
    layers.append(hover(x, [words[state] for state in reversed(STATES)]))
    columns = (Column(period), *(Column(words[s], "number") for s in STATES))
    behind = _behind(rows, STATES, grain, regional)
    return Chart(whole(data, layers, height, right=96), columns, behind, height)


def _shares(
    counts: Mapping[str, float],
    words: Words,
    regional: Regional,
    *,
    at: date,
    title: str,
    is_last: bool,
) -> list[Spec]:
    total = sum(counts.get(state, 0) for state in STATES) or 1.0
    shares = {state: counts.get(state, 0) / total for state in STATES}
    texts = {words[s]: formats.percent(share, regional) for s, share in shares.items()}
    out: list[Spec] = []
    low = 0.0
    for state, share in shares.items():
        place = {"low": low, "y": low + share, "mid": low + share / 2}
        said = {"label": f"{words[state]} {texts[words[state]]}", "title": title}
        facts = {"x": at.isoformat(), "state": state, "share": share}
        out.append({**facts, **place, **said, **texts, "is_last": is_last})
        low += share
    return out


def _area(state: str, x: Spec, y: Spec) -> Spec:
    """Green and grey at half strength, so that risk is seen first."""
    mark: Spec = {"type": "area", "color": f"${state}", "stroke": "$surface"}
    mark |= {"strokeWidth": 1.5, "opacity": 0.5 if state in {"green", "none"} else 1}
    shown = {"filter": f"datum.state == '{state}'"}
    return {"transform": [shown], **layer(mark, x, y, "low")}


def _behind(
    rows: Counts, states: Sequence[str], grain: Grain, regional: Regional
) -> tuple[tuple[object, ...], ...]:
    return tuple(
        (period_text(at, grain, regional), *(counts.get(s, 0) for s in states))
        for at, counts in rows
    )


def health_bar_chart(
    rows: Counts,
    regional: Regional,
    *,
    words: Words,
    unit: Unit = "money",
    grain: Grain = "month",
    period: str = "Period",
    height: int = 160,
) -> Chart:
    """Amounts by state as stacked bars: renewals ahead by month and health."""
    used = [s for s in reversed(STATES) if any(counts.get(s) for _, counts in rows)]
    data: list[Spec] = []
    for at, counts in rows:
        low = 0.0
        for state in used:
            value = counts.get(state, 0.0)
            data.append(
                {
                    "x": at.isoformat(),
                    "low": low,
                    "y": low + value,
                    "state": words[state],
                    "title": period_text(at, grain, regional),
                    "text": text_of(value, unit, regional),
                }
            )
            low += value
    tops = [sum(counts.values()) for _, counts in rows]
    colors = {"domain": [words[s] for s in used], "range": [f"${s}" for s in used]}
    # All five states in one line are wider than a side column.
    legend = {"columns": 3} if len(used) > 4 else {}
    drawn = layer(
        {"type": "bar", "stroke": "$surface", "strokeWidth": 1},
        bar_x([at for at, _ in rows], grain, inner=0.5),
        value_y(tops, unit, regional, zero=True),
        "low",
        color={"field": "state", "type": "nominal", "scale": colors, "legend": legend},
    )
    drawn["encoding"]["tooltip"] = [
        {"field": "title", "type": "nominal", "title": "title"},
        {"field": "state", "type": "nominal", "title": " "},
        {"field": "text", "type": "nominal", "title": "  "},
    ]
    columns = (Column(period), *(Column(words[s], unit) for s in used))
    behind = _behind(rows, used, grain, regional)
    return Chart(whole(data, [drawn], height), columns, behind, height)


def health_band_chart(
    points: Sequence[Point],
    regional: Regional,
    *,
    words: Words,
    name: str,
    cuts: tuple[float, float, float] = (40, 60, 80),
    color: str = "none",
    events: Sequence[Note] = (),
    grain: Grain = "week",
    period: str = "Period",
    height: int = 160,
) -> Chart:
    """A score over time on the bands of the states, with what happened."""
    x = time_x([p.at for p in points], grain)
    edges = [0.0, *cuts, 100.0]
    y: Spec = {"field": "y", "type": "quantitative", "scale": {"domain": [0, 100]}}
    y["axis"] = {"title": None, "values": edges, "tickCount": 5, "grid": False}
    layers: list[Spec] = []
    for low, high, state in zip(edges, edges[1:], STATES, strict=False):
        layers += _band(y, low, high, state, words[state])
    layers += _events(events, x)
    layers.append(layer({"type": "line", "color": "$accent"}, x, y))
    layers += last_value(points, x, y, "number", regional, color=color, below=True)
    layers.append(hover(x, [name]))
    rows = [row_of(p, [name], "number", grain, regional) for p in points]
    columns = (Column(period), Column(name, "number"))
    behind = tuple((period_text(p.at, grain, regional), p.value) for p in points)
    return Chart(whole(rows, layers, height, right=10), columns, behind, height)


def _band(y: Spec, low: float, high: float, state: str, word: str) -> list[Spec]:
    values = [{"low": low, "y": high, "word": word}]
    ground = {"type": "rect", "color": f"${state}-soft"}
    span = {"y": {**y, "field": "low"}, "y2": {"field": "y"}}
    words: Spec = {"type": "text", "align": "left", "baseline": "top", "x": 6}
    words |= {"dy": 5, "fontSize": 11}
    said = {"y": y, "text": {"field": "word"}}
    return [
        on(values, {"mark": ground, "encoding": span}),
        on(values, {"mark": words, "encoding": said}),
    ]


def _events(events: Sequence[Note], x: Spec) -> list[Spec]:
    if not events:
        return []
    values = [{"x": e.at.isoformat(), "text": e.text} for e in events]
    rule = {"type": "rule", "color": "$ink-2", "strokeDash": [1, 3], "strokeWidth": 1.5}
    words: Spec = {"type": "text", "align": "right", "baseline": "top", "y": 0}
    words |= {"dx": -5, "dy": 5}
    said = {"x": x, "text": {"field": "text"}}
    return [
        on(values, {"mark": rule, "encoding": {"x": x}}),
        on(values, {"mark": words, "encoding": said}),
    ]
