"""Python as the contract shows it: answers that draw and print themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import perennial
from perennial.core.errors import BadValue
from tests.builders import Case


@pytest.fixture
def ws(tmp_path: Path) -> perennial.notebook.Workspace:
    case = Case(tmp_path / "lake" / "default")
    case.events(
        ("u", "A", "2026-01-10T10:00"),
        ("v", "B", "2026-01-11T10:00"),
        ("u", "A", "2026-02-10T10:00"),
    )
    case.facts("accounts", {"account_id": "A", "segment": "small"})
    case.roll_up()
    return perennial.open(tmp_path)


def test_an_answer_in_every_shape(ws: perennial.notebook.Workspace) -> None:
    answer = ws.metric("mau", start="2026-01-01", end="2026-03-01", grain="month")
    assert answer.to_polars()["value"].to_list() == [2.0, 1.0]
    assert answer.to_pandas()["value"].tolist() == [2.0, 1.0]
    assert answer.to_arrow().column("value").to_pylist() == [2.0, 1.0]
    assert "presence" in answer.sql()
    assert answer.explain()["formula"].startswith("distinct users")


def test_health_of_accounts_of_which_only_the_last_is_scored(
    ws: perennial.notebook.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = {"name": "depth", "value": None}
    rows = [{"account_id": f"a{n}", "score": None, "parts": [part]} for n in range(101)]
    rows.append({"account_id": "b", "score": 1.5, "parts": [part | {"value": 2.5}]})
    monkeypatch.setattr("perennial.lake.healthbook.scores", lambda *_, **__: rows)
    assert ws.health().to_dicts() == rows


def test_an_answer_draws_itself(ws: perennial.notebook.Workspace) -> None:
    asked = {"start": "2026-01-01", "end": "2026-03-01", "grain": "month"}
    drawn = ws.metric("mau", **asked).chart().to_dict()
    assert "Monthly active users" in str(drawn)
    values = (
        [row for data in drawn["datasets"].values() for row in data]
        if "datasets" in drawn
        else drawn["data"]["values"]
    )
    assert len(values) == 2


def test_groups_have_a_line_each(ws: perennial.notebook.Workspace) -> None:
    asked = {"start": "2026-01-01", "end": "2026-03-01"}
    answer = ws.metric("mau", by=["account"], grain="month", **asked)
    drawn = answer.chart().to_dict()
    groups = set(answer.to_polars()["account"].fill_null("none"))
    assert {row["name"] for row in drawn["datasets"]["rows"]} == groups
    assert drawn["layer"][0]["mark"]["type"] == "line"
    bars = ws.metric("mau", by=["account"], **asked).chart().to_dict()
    assert bars["layer"][0]["mark"]["type"] == "bar"


def test_more_groups_than_colors_are_the_largest(
    ws: perennial.notebook.Workspace,
) -> None:
    answer = ws.metric("mau", start="2026-01-01", end="2026-03-01", by=["account"])
    one = answer.rows.head(1)
    rows = [
        one.with_columns(account=pl.lit(f"a{n}"), value=pl.lit(n)) for n in range(9)
    ]
    many = replace(answer, rows=pl.concat(rows))
    drawn = many.chart().to_dict()
    assert drawn["title"] == "Monthly active users, the 5 largest of 9"
    shown = [row["name"] for row in drawn["datasets"]["rows"]]
    assert shown == ["a8", "a7", "a6", "a5", "a4"]


def test_an_answer_prints_itself(ws: perennial.notebook.Workspace) -> None:
    html = ws.metric(
        "mau", start="2026-01-01", end="2026-03-01", grain="month"
    )._repr_html_()
    assert "Monthly active users" in html
    assert "<table" in html


def test_tables_and_health(ws: perennial.notebook.Workspace) -> None:
    assert ws.table("events").count().execute() == 3
    assert isinstance(ws.health(as_of="2026-02-20"), pl.DataFrame)


def test_the_same_lake_without_its_folder(
    ws: perennial.notebook.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = perennial.connect(lake=ws.lake.root)
    assert beside.metric("mau", as_of="2026-01-12").value == 2
    with pytest.raises(BadValue, match="unknown engine"):
        perennial.connect(lake=ws.lake.root, engine="excel")
    with pytest.raises(BadValue, match="perennial init"):
        perennial.open("/nonexistent")
    monkeypatch.setattr("perennial.lake.opening.find_spec", lambda name: None)
    with pytest.raises(BadValue, match=r"pip install 'perennial\[spark\]'"):
        perennial.connect(lake=ws.lake.root, engine="sc://nowhere")
