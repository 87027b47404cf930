"""What charts are put together from: rows, axes, layers, and the table behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, TypeAlias

from babel.dates import format_date

from perennial.ui import formats
from perennial.ui.charts.look import Spec
from perennial.ui.formats import Regional

Unit: TypeAlias = Literal["number", "percent", "money", "decimal", "ratio"]
Grain: TypeAlias = Literal["day", "week", "month", "quarter", "year"]
Names: TypeAlias = Sequence[str]

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.4.1.json"


@dataclass(frozen=True)
class Column:
    """A column of the table behind a chart."""

    title: str
    unit: Unit | Literal["text"] = "text"


@dataclass(frozen=True)
class Chart:
    spec: Spec
    columns: tuple[Column, ...]
    rows: tuple[tuple[object, ...], ...]
    height: int

    @property
    def is_blank(self) -> bool:
        """Has it no value to draw, as before the first day of its data?"""
        return all(value is None for _, *values in self.rows for value in values)


@dataclass(frozen=True)
class Point:
    """One period: its first day, its value, what to compare with, the doubt."""

    at: date
    value: float | None
    before: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Note:
    at: date
    text: str


@dataclass(frozen=True)
class Cell:
    text: str
    raw: str
    is_figure: bool


# --- text --------------------------------------------------------------------


def text_of(value: object, unit: str, regional: Regional) -> str:
    if value is None:
        return formats.EMPTY
    if not isinstance(value, (int, float)):
        return str(value)
    match unit:
        case "percent":
            return formats.percent(value, regional)
        case "money":
            return formats.money(value, regional)
        case "decimal":
            return formats.number(value, regional, 1)
        case "ratio":
            return formats.number(value, regional, 2)
        case _:
            return formats.number(value, regional)


def period_text(at: date, grain: Grain, regional: Regional) -> str:
    patterns = {"day": "d MMM y", "month": "MMM y", "quarter": "QQQ y", "year": "y"}
    if grain in patterns:
        return str(format_date(at, patterns[grain], regional.locale))
    first = format_date(at, "d MMM", regional.locale)
    last = format_date(at + timedelta(days=6), "d MMM y", regional.locale)
    return f"{first} – {last}"


def table(chart: Chart, regional: Regional) -> list[list[Cell]]:
    """The rows behind a chart, as text and as plain values for a file."""
    return [
        [
            _cell(column, value, regional)
            for column, value in zip(chart.columns, row, strict=True)
        ]
        for row in chart.rows
    ]


def _cell(column: Column, value: object, regional: Regional) -> Cell:
    raw = "" if value is None else str(value)
    return Cell(text_of(value, column.unit, regional), raw, column.unit != "text")


def row_of(
    point: Point, names: Names, unit: Unit, grain: Grain, regional: Regional
) -> Spec:
    """A row of data; beside the plain values the words of the tooltip."""
    row: Spec = {"x": point.at.isoformat(), "y": point.value, "p": point.before}
    row |= {"low": point.low, "high": point.high}
    row["title"] = period_text(point.at, grain, regional)
    values = (point.value, point.before)
    for name, value in zip(names, values, strict=False):
        row[name] = text_of(value, unit, regional)
    return row


# --- axes --------------------------------------------------------------------


def time_x(ats: Sequence[date], grain: Grain) -> Spec:
    axis: Spec = {"title": None, "grid": False}
    axis |= {"labelOverlap": "parity", "labelSeparation": 8}
    if grain == "day":
        axis |= {"format": "%-d %b", "tickCount": 6}
    elif grain == "week":
        axis |= {"format": "%b", "tickCount": {"interval": "month", "step": 1}}
    elif grain == "year":
        axis |= {"format": "%Y", "values": _dates(ats), "tickCount": len(ats)}
    else:
        shown = _dates(_thinned(ats))
        axis |= {"values": shown, "tickCount": len(shown), "labelExpr": _MONTHS}
    return {"field": "x", "type": "temporal", "scale": {"type": "utc"}, "axis": axis}


#: The year stands at the first label and at every January.
_MONTHS: Final = (
    "datum.index == 0 || utcmonth(datum.value) == 0"
    " ? utcFormat(datum.value, '%b %Y') : utcFormat(datum.value, '%b')"
)


def _thinned(ats: Sequence[date]) -> Sequence[date]:
    """At most twelve, counted from the last, which is always shown."""
    step = max(-(-len(ats) // 12), 1)
    return ats[::-1][::step][::-1]


def _dates(ats: Sequence[date]) -> list[Spec]:
    return [
        {"year": at.year, "month": at.month, "date": at.day, "utc": True} for at in ats
    ]


def bar_x(ats: Sequence[date], grain: Grain, inner: float = 0.3) -> Spec:
    form = {"month": "%b", "quarter": "Q%q %y", "year": "%Y"}.get(grain, "%-d %b")
    axis: Spec = {
        "title": None,
        "labelAngle": 0,
        "tickCount": len(ats),
        "values": [at.isoformat() for at in _thinned(ats)],
        "labelExpr": f"utcFormat(toDate(datum.value), '{form}')",
        "labelOverlap": "parity",
        "labelSeparation": 8,
    }
    scale = {"paddingInner": inner, "paddingOuter": inner / 2}
    return {"field": "x", "type": "ordinal", "scale": scale, "axis": axis}


def value_y(
    values: Sequence[float], unit: Unit, regional: Regional, *, zero: bool
) -> Spec:
    axis: Spec = {"title": None, "grid": True, "tickCount": 4}
    axis |= _labels(values, unit, regional)
    scale: Spec = {"zero": zero, "nice": 4}
    return {"field": "y", "type": "quantitative", "axis": axis, "scale": scale}


def _labels(values: Sequence[float], unit: Unit, regional: Regional) -> Spec:
    """k and M stand on axes only; the currency where the locale puts it."""
    if unit == "percent":
        is_narrow = bool(values) and max(values) - min(values) < 0.04
        return {"format": ".1%" if is_narrow else ".0%"}
    high = max((abs(v) for v in values), default=0.0)
    power, suffix = 1, ""
    if high >= 10_000_000:
        power, suffix = 1_000_000, "M"
    elif high >= 10_000:
        power, suffix = 1_000, "k"
    before = after = ""
    if unit == "money":
        before, _, after = formats.money(0, regional).partition("0")
    figure = f"format(datum.value / {power}, ',~f')"
    return {"labelExpr": f"'{before}' + {figure} + '{suffix}{after}'"}


# --- layers ------------------------------------------------------------------


def whole(
    rows: Sequence[Spec], layers: list[Spec], height: int, right: int = 8
) -> Spec:
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": {"left": 0, "top": 6, "right": right, "bottom": 4},
        "datasets": {"rows": list(rows)},
        "data": {"name": "rows"},
        "layer": layers,
    }


def layer(mark: Spec, x: Spec, y: Spec, y2: str = "", **more: Spec) -> Spec:
    encoding: Spec = {"x": x, "y": y, **more}
    if y2:
        encoding["y2"] = {"field": y2}
    return {"mark": mark, "encoding": encoding}


def on(values: list[Spec], drawn: Spec) -> Spec:
    """A layer with rows of its own."""
    return {"data": {"values": values}, **drawn}


def tooltip(names: Names) -> list[Spec]:
    """The period first; then each name with its value as text."""
    head: Spec = {"field": "title", "type": "nominal", "title": "title"}
    return [head, *({"field": n, "type": "nominal", "title": n} for n in names)]


def hover(x: Spec, names: Names) -> Spec:
    """A rule that follows the pointer, with the values of its period."""
    select: Spec = {
        "type": "point",
        "on": "pointerover",
        "nearest": True,
        "clear": "pointerout",
        "encodings": ["x"],
    }
    shown = {"condition": {"param": "hover", "empty": False, "value": 0.6}, "value": 0}
    return {
        "params": [{"name": "hover", "select": select}],
        "mark": {"type": "rule", "color": "$ink-3", "strokeWidth": 1},
        "encoding": {"x": x, "opacity": shown, "tooltip": tooltip(names)},
    }


def last_value(
    points: Sequence[Point],
    x: Spec,
    y: Spec,
    unit: Unit,
    regional: Regional,
    *,
    color: str = "accent",
    below: bool = False,
) -> list[Spec]:
    """The end of a line: a point, and its value in bold."""
    known = [p for p in points if p.value is not None]
    if not known:
        return []
    last = known[-1]
    text = text_of(last.value, unit, regional)
    values = [{"x": last.at.isoformat(), "y": last.value, "text": text}]
    point: Spec = {"type": "point", "filled": True, "size": 48, "opacity": 1}
    words: Spec = {"type": "text", "align": "right", "fontWeight": 600, "color": "$ink"}
    words |= {"dx": -4, "dy": 14} if below else {"dx": 6, "dy": -12}
    return [
        on(values, layer(point | {"color": f"${color}"}, x, y)),
        on(values, layer(words, x, y, text={"field": "text"})),
    ]
