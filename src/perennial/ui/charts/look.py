"""The look of every chart: colors by role, the Vega-Lite configuration, words.

Values are those of docs' look page; tests/ui/test_tokens.py compares them with
the style sheet. `$accent` and its like in a specification are roles; `painted`
puts the values of a theme in, and the browser does the same (js/src/paint.ts).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from babel.dates import get_day_names, get_month_names

from perennial.ui import formats
from perennial.ui.formats import Regional

Spec: TypeAlias = dict[str, Any]

#: The typeface of the application, as files, for what no browser draws.
FONTS: Final = Path(__file__).parent.parent / "fonts"

COLORS: Final[dict[str, dict[str, str]]] = {
    "light": {
        "surface": "#FFFFFF",
        "ink": "#1C1C20",
        "ink-2": "#55555E",
        "ink-3": "#6C6C76",
        "green": "#1E9968",
        "yellow": "#BF8C0A",
        "orange": "#BB5121",
        "red": "#9A1430",
        "none": "#73737C",
        "green-soft": "#E6F4EC",
        "yellow-soft": "#FAF1D8",
        "orange-soft": "#FCEBE1",
        "red-soft": "#FBE6E8",
        "grid": "#EDEDF0",
        "axis": "#D2D2D8",
        "accent": "#4B48C8",
        "weaker": "#A9A8E6",
        "band": "#DADAF5",
        "compare": "#9A9AA4",
        "gain": "#1E9968",
        "loss": "#9A1430",
        "c1": "#4B48C8",
        "c2": "#2398BB",
        "c3": "#B13C6A",
        "c4": "#5C3312",
        "c5": "#888C92",
    },
    "dark": {
        "surface": "#17171A",
        "ink": "#EDEDF0",
        "ink-2": "#A8A8B2",
        "ink-3": "#8F8F9A",
        "green": "#5DBFA4",
        "yellow": "#E6CC5C",
        "orange": "#DE7417",
        "red": "#C03A42",
        "none": "#74747E",
        "green-soft": "#1A2F29",
        "yellow-soft": "#322D1A",
        "orange-soft": "#362617",
        "red-soft": "#3A2022",
        "grid": "#242428",
        "axis": "#3B3B42",
        "accent": "#8F8DF5",
        "weaker": "#56549F",
        "band": "#2B2A4C",
        "compare": "#6E6E78",
        "gain": "#5DBFA4",
        "loss": "#E0606A",
        "c1": "#8F8DF5",
        "c2": "#96E3F5",
        "c3": "#EC86AA",
        "c4": "#E9BE8B",
        "c5": "#626770",
    },
}

SEQUENTIAL: Final = {
    "light": [
        "#EFEFFC",
        "#D3D3F6",
        "#AEADEC",
        "#8684DC",
        "#615FD0",
        "#4B48C8",
        "#33319A",
    ],
    "dark": [
        "#222238",
        "#2E2D55",
        "#3F3E7C",
        "#5553A8",
        "#706EDB",
        "#8F8DF5",
        "#BDBCFB",
    ],
}
DIVERGING: Final = {
    "light": [
        "#9A1430",
        "#C9707F",
        "#E9C3C9",
        "#F2F2F4",
        "#BFDDCF",
        "#6DB893",
        "#1E9968",
    ],
    "dark": [
        "#C03A42",
        "#7F3A40",
        "#43292C",
        "#242428",
        "#26403A",
        "#438474",
        "#5DBFA4",
    ],
}

FONT: Final = "Inter Variable, Inter, system-ui, sans-serif"


def config(theme: str) -> Spec:
    """The Vega-Lite configuration; the same for browser, notebook and PDF."""
    return {
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            "domain": False,
            "ticks": False,
            "grid": False,
            "labelColor": "$ink-3",
            "labelFont": FONT,
            "labelFontSize": 12,
            "labelPadding": 6,
            "titleFont": FONT,
            "titleFontSize": 12,
            "titleFontWeight": 400,
            "titleColor": "$ink-3",
            "titleAnchor": "end",
            "gridColor": "$grid",
            "domainColor": "$axis",
        },
        "axisX": {"domain": True, "labelFlush": False},
        "axisY": {"grid": True, "tickCount": 4},
        "line": {"strokeWidth": 2, "strokeCap": "round", "strokeJoin": "round"},
        "text": {"font": FONT, "fontSize": 12, "color": "$ink-2"},
        "bar": {"color": "$accent"},
        "rule": {"color": "$ink-3"},
        "range": {
            "category": [f"$c{n}" for n in range(1, 6)],
            "ramp": SEQUENTIAL[theme],
            "heatmap": SEQUENTIAL[theme],
            "diverging": DIVERGING[theme],
        },
        "legend": {
            "orient": "top",
            "symbolType": "square",
            "symbolSize": 80,
            "title": None,
            "labelFont": FONT,
            "labelFontSize": 12,
            "labelColor": "$ink-2",
        },
    }


def themes(regional: Regional) -> Spec:
    """What the browser needs to draw: both themes, words of numbers and dates."""
    return {
        "light": {"colors": COLORS["light"], "config": config("light")},
        "dark": {"colors": COLORS["dark"], "config": config("dark")},
        "number": _number_words(regional),
        "time": _time_words(regional),
    }


def painted(spec: Spec, theme: str = "light") -> Spec:
    """The specification with the configuration and the colors of one theme."""
    whole = {**spec, "config": config(theme)}
    return {key: _paint(value, COLORS[theme]) for key, value in whole.items()}


def png(spec: Spec, regional: Regional, *, width: int, scale: float = 2) -> bytes:
    """The chart as a picture, in the light theme: for mails and documents."""
    import vl_convert  # 80 MB that most processes never need

    vl_convert.register_font_directory(str(FONTS))
    sized = {**painted(spec), "width": width}
    return bytes(
        vl_convert.vegalite_to_png(
            sized,
            vl_version="6.4",
            scale=scale,
            format_locale=_number_words(regional),
            time_format_locale=_time_words(regional),
        )
    )


def _paint(value: Any, colors: Mapping[str, str]) -> Any:
    if isinstance(value, str) and value.startswith("$"):
        return colors.get(value[1:], value)
    if isinstance(value, dict):
        return {key: _paint(item, colors) for key, item in value.items()}
    if isinstance(value, list):
        return [_paint(item, colors) for item in value]
    return value


def _number_words(regional: Regional) -> Spec:
    marks = {"de": (",", "."), "sv": (",", "\u00a0")}
    point, group = marks.get(regional.locale, (".", ","))
    return {
        "decimal": point,
        "thousands": group,
        "grouping": [3],
        "currency": ["", ""],
        "percent": "%" if regional.locale == "en" else "\u00a0%",
        "minus": formats.MINUS,
    }


def _time_words(regional: Regional) -> Spec:
    where = regional.locale
    months = get_month_names("wide", locale=where)
    short = get_month_names("abbreviated", locale=where)
    days = get_day_names("wide", locale=where)
    brief = get_day_names("abbreviated", locale=where)
    from_sunday = (6, 0, 1, 2, 3, 4, 5)
    return {
        "dateTime": "%-d %b %Y %H:%M",
        "date": "%-d %b %Y",
        "time": "%H:%M",
        "periods": ["AM", "PM"],
        "days": [str(days[n]) for n in from_sunday],
        "shortDays": [str(brief[n]) for n in from_sunday],
        "months": [str(months[n]) for n in range(1, 13)],
        "shortMonths": [str(short[n]) for n in range(1, 13)],
    }
