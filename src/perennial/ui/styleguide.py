"""Invented rows that show every component on the style guide."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from perennial.ui import charts
from perennial.ui.charts import Chart, Note, Point
from perennial.ui.formats import Regional
from perennial.ui.templatetags.ui import STATES, state_word

_NOW = datetime(2026, 5, 12, 6, 41, tzinfo=UTC)
_WEEKS = [date(2025, 11, 17) + timedelta(weeks=n) for n in range(26)]
_MONTHS = [date(2025 + (4 + n) // 12, (4 + n) % 12 + 1, 1) for n in range(12)]
_NRR = [
    1.041,
    1.040,
    1.044,
    1.049,
    1.051,
    1.059,
    1.062,
    1.064,
    1.068,
    1.059,
    1.062,
    1.065,
]
_LAST_YEAR = [
    1.018,
    1.022,
    1.020,
    1.026,
    1.031,
    1.034,
    1.032,
    1.035,
    1.039,
    1.042,
    1.040,
    1.039,
]
_SCORES = [
    68,
    69,
    70,
    71,
    70,
    72,
    73,
    72,
    74,
    75,
    74,
    76,
    75,
    76,
    77,
    76,
    74,
    73,
    70,
    68,
    66,
    61,
    57,
    53,
    49,
    46,
]


def accounts() -> list[dict[str, object]]:
    rows = [
        ("Quillmark Medical", 31, "red", -14, 6900, 28, 0.24),
        ("Kestrel Vale Logistics", 46, "orange", -15, 4750, 41, 0.38),
        ("Pinefall Insurance", 71, "yellow", -8, 4080, 112, 0.97),
        ("Hazelmoor Retail", 82, "green", 6, 5310, 292, 0.80),
        ("Alderline Transport", 88, "green", 1, 3970, 242, 0.87),
        ("Sablewood Retail", None, "", None, 2400, 325, 0.0),
    ]
    keys = ("name", "score", "color", "change", "mrr", "days", "use")
    out: list[dict[str, object]] = [dict(zip(keys, row, strict=True)) for row in rows]
    for n, row in enumerate(out):
        row["status"] = "onboarding" if row["score"] is None else "ok"
        row["renewal"] = (_NOW + timedelta(days=int(str(row["days"])))).date()
        row["seen"] = _NOW - timedelta(days=n * 2)
        row["line"] = [60 + (n - 2) * k + (k * 7919 + n) % 7 for k in range(12)]
    return out


def _weekly() -> list[tuple[date, dict[str, float]]]:
    return [
        (
            week,
            {
                "green": 230.0 - n,
                "yellow": 90 + n / 4,
                "orange": 34 + n / 3,
                "red": 22 + n / 3,
                "none": 25.0,
            },
        )
        for n, week in enumerate(_WEEKS)
    ]


def _ahead() -> list[tuple[date, dict[str, float]]]:
    states = ("green", "yellow", "orange", "red")
    amounts = [
        (2100.0, 0.0, 0.0, 1980.0),
        (4200.0, 1900.0, 4750.0, 6900.0),
        (3100.0, 2400.0, 0.0, 3420.0),
        (1200.0, 0.0, 0.0, 0.0),
    ]
    return [
        (date(2026, 5 + n, 1), dict(zip(states, row, strict=True)))
        for n, row in enumerate(amounts)
    ]


def _charts(where: Regional) -> dict[str, Chart]:
    words = {state: state_word(state) for state in STATES}
    drivers = [
        ("Expansion", 96_850.0),
        ("Contraction", -21_300.0),
        ("Churn", -38_460.0),
    ]
    return {
        "line": charts.line_chart(
            [Point(m, v, b) for m, v, b in zip(_MONTHS, _NRR, _LAST_YEAR, strict=True)],
            where,
            name="Net revenue retention",
            unit="percent",
            before="Previous 12 months",
            target=1.05,
            target_name="Target 105%",
            notes=[Note(_MONTHS[5], "Price rise"), Note(_MONTHS[9], "Thornbury left")],
        ),
        "band": charts.line_chart(
            [Point(m, 18 + n, low=9 + n, high=27 + n) for n, m in enumerate(_MONTHS)],
            where,
            name="NPS",
            zero=True,
            height=200,
        ),
        "bars": charts.bar_chart(
            [Point(w, float((n * 37) % 6 + 1)) for n, w in enumerate(_WEEKS[:13])],
            where,
            name="Starts",
            grain="week",
        ),
        "drivers": charts.driver_chart(
            drivers, where, name="MRR", unit="money", total="Net"
        ),
        "stack": charts.stacked_health_chart(_weekly(), where, words=words),
        "renewals": charts.health_bar_chart(_ahead(), where, words=words),
        "health": charts.health_band_chart(
            [Point(w, float(s)) for w, s in zip(_WEEKS, _SCORES, strict=True)],
            where,
            words=words,
            name="Health",
            color="orange",
            events=[Note(_WEEKS[14], "18 seats added"), Note(_WEEKS[20], "P1 tickets")],
        ),
    }


def context(regional: Regional | None = None) -> dict[str, object]:
    where = regional or Regional(currency="EUR")
    uses = [
        ("Work orders", [216, 200, 180, 145, 110, 86]),
        ("Reports", [12, 8, 5, 0, 0, 0]),
    ]
    return {
        "now": _NOW,
        "regional": where,
        "accounts": accounts(),
        "states": list(STATES),
        "split": [("green", 22), ("yellow", 9), ("orange", 5), ("red", 3), ("none", 3)],
        "rising": [3, 4, 4, 6, 5, 7, 8, 8, 10, 11, 12, 14],
        "heat_rows": uses,
        **_charts(where),
    }
