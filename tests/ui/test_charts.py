from __future__ import annotations

import json
from itertools import pairwise

import altair
import pytest

from perennial.ui import charts, styleguide
from perennial.ui.charts import Chart, Point
from perennial.ui.formats import Regional

EN = Regional("en", "EUR", "UTC")
SAMPLES = {
    name: drawn
    for name, drawn in styleguide.context().items()
    if isinstance(drawn, Chart)
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_chart_is_a_valid_specification(name: str, theme: str) -> None:
    spec = charts.painted(SAMPLES[name].spec, theme)
    assert '"$' not in json.dumps({**spec, "$schema": ""}).replace('"$schema"', "")
    altair.LayerChart.from_dict(spec)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_table_behind_has_a_value_for_every_head(name: str) -> None:
    drawn = SAMPLES[name]
    rows = charts.table(drawn, EN)
    assert rows
    assert {len(row) for row in rows} == {len(drawn.columns)}


def test_missing_values_stay_missing() -> None:
    from datetime import date

    points = [Point(date(2026, 1, 1), None), Point(date(2026, 2, 1), 0.5)]
    drawn = charts.line_chart(points, EN, name="NRR", unit="percent")
    assert drawn.spec["datasets"]["rows"][0]["y"] is None
    cells = charts.table(drawn, EN)
    assert [c.text for c in cells[0]] == ["Jan 2026", "–"]
    assert (cells[1][1].text, cells[1][1].raw) == ("50.0%", "0.5")


@pytest.mark.parametrize(
    "draw",
    [
        lambda: charts.line_chart([], EN, name="x"),
        lambda: charts.bar_chart([], EN, name="x"),
        lambda: charts.driver_chart([], EN, name="x"),
        lambda: charts.stacked_health_chart(
            [], EN, words=dict.fromkeys(charts.STATES, "")
        ),
        lambda: charts.health_bar_chart([], EN, words=dict.fromkeys(charts.STATES, "")),
        lambda: charts.health_band_chart(
            [], EN, words=dict.fromkeys(charts.STATES, ""), name="x"
        ),
    ],
)
def test_no_data_is_no_error(draw: object) -> None:
    drawn = draw()  # type: ignore[operator]
    assert drawn.rows == ()
    json.dumps(drawn.spec)


def test_shares_add_up() -> None:
    from datetime import date

    words = {state: state.title() for state in charts.STATES}
    counts = {"green": 1, "yellow": 1, "orange": 1, "red": 0, "none": 0}
    drawn = charts.stacked_health_chart([(date(2026, 1, 5), counts)], EN, words=words)
    rows = drawn.spec["datasets"]["rows"]
    assert [row["state"] for row in rows] == list(charts.STATES)
    assert rows[-1]["y"] == pytest.approx(1)
    assert all(a["y"] == b["low"] for a, b in pairwise(rows))


def test_words_of_axes_follow_the_language() -> None:
    german = charts.themes(Regional("de", "EUR"))
    assert german["time"]["shortMonths"][4] == "Mai"
    assert (german["number"]["decimal"], german["number"]["thousands"]) == (",", ".")
    assert len(german["time"]["days"]) == 7
    assert german["time"]["days"][0] == "Sonntag"


def test_a_notebook_gets_an_altair_chart() -> None:
    assert isinstance(charts.to_altair(SAMPLES["line"]), altair.LayerChart)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_are_named_and_colored_from_one_scale(theme: str) -> None:
    lines = [
        charts.Line(f"Line {n}", {30: 0.8, 60: 0.7 - n / 10}, {30: (0.7, 0.9)})
        for n in range(charts.MOST_LINES + 1)
    ]
    drawn = charts.lines_chart(lines, EN, axis="days", unit="ratio", falling=True)
    altair.LayerChart.from_dict(charts.painted(drawn.spec, theme))
    [colored] = [part for part in drawn.spec["layer"] if "color" in part["encoding"]]
    names = [f"Line {n}" for n in range(charts.MOST_LINES)]
    assert colored["encoding"]["color"]["scale"]["domain"] == names
    assert len(colored["data"]["values"]) == 2 * charts.MOST_LINES
    # The line that is not drawn is in the table all the same.
    assert [row[0] for row in drawn.rows] == [60, 30]
    assert len(drawn.rows[0]) == len(drawn.columns) == charts.MOST_LINES + 2
    assert [cell.text for cell in charts.table(drawn, EN)[1]][:2] == ["30", "0.80"]
    [only] = [charts.lines_chart(lines[:1], EN, axis="days", unit="percent")]
    legends = [
        layer["encoding"]["color"]["legend"]
        for layer in only.spec["layer"]
        if "color" in layer["encoding"]
    ]
    assert legends == [None]
