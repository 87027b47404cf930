"""Health by the chance of renewal, or by the band: one score, one color, exact parts."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.core.errors import BadValue
from perennial.core.settings import Settings
from perennial.lake import chances, healthbook, models, modes, settings_store
from perennial.lake.workspace import Workspace
from perennial.scoring import explanation
from perennial.scoring.review import Review
from tests.builders import Case
from tests.insights import company

FIRST, SECOND, THIRD = (date(2026, 6, day) for day in (1, 2, 3))


def goes_by(case: Case, mode: str, at: str) -> Workspace:
    """The workspace after a refresh by another mode."""
    case.at(f"{at}T06:00")
    ws = case.workspace
    settings_store.change(ws.lake, {"health_mode": mode}, by="a@x", at=ws.now)
    ws.refresh()
    return ws


@pytest.fixture(scope="module")
def switched(tmp_path_factory: pytest.TempPathFactory, learned: Review) -> Case:
    """Three days: by the scorecard, by the chance of renewal, by the band."""
    case = company.build(tmp_path_factory.mktemp("modes") / "lake" / "default")
    ws = case.workspace
    models.propose(ws, learned)
    models.decide(ws, 1, approve=True, by="a@x.example")
    ws.refresh()
    goes_by(case, "calibrated", "2026-06-02")
    goes_by(case, "band", "2026-06-03")
    return case


def on(case: Case, day: date) -> pl.DataFrame:
    rows = pl.DataFrame(case.table("health_snapshots"), infer_schema_length=None)
    return rows.filter((pl.col("date") == day) & (pl.col("status") == "ok"))


def test_health_is_the_chance_and_its_reasons_add_up(switched: Case) -> None:
    rows = on(switched, SECOND)
    told = chances.of_day(switched.workspace, SECOND).select("account_id", "p")
    both = rows.join(told, "account_id")
    assert len(both) == len(rows) > 50
    assert set(rows["mode"]) == {"calibrated"}
    assert set(rows["model"]) == {1}
    for row in both.to_dicts():
        assert row["score"] == pytest.approx(100 * row["p"], abs=1e-6)
        parts = explanation.parts(row["parts"])
        given_ = [p.contribution for p in parts if p.contribution is not None]
        assert explanation.total(given_) == Decimal(row["score"])
        assert parts[0].name == modes.USUAL
        edges = json.loads(row["cuts"])
        assert edges == [55, 65, 75]
        rank = sum(row["score"] >= edge for edge in edges)
        assert row["color"] == ("red", "orange", "yellow", "green")[rank]


def test_the_scorecard_stands_beside_and_the_past_stays(switched: Case) -> None:
    assert set(on(switched, FIRST)["mode"]) == {"composite"}
    found = {r["account_id"]: r for r in healthbook.scores(
        switched.workspace, as_of=SECOND, explain=True
    )}  # fmt: skip
    stored = {r["account_id"]: r for r in on(switched, SECOND).to_dicts()}
    before = {r["account_id"]: r for r in on(switched, FIRST).to_dicts()}
    for account, row in stored.items():
        told = found[account]
        assert told["mode"] == "calibrated"
        assert told["composite"]["score"] == row["composite_score"]
        assert told["composite"]["score"] == pytest.approx(
            before[account]["score"], abs=25
        )
        assert told["calibrated"]["color"] == told["color"]


def test_by_the_band(switched: Case) -> None:
    rows = on(switched, THIRD)
    told = chances.of_day(switched.workspace, THIRD)
    both = rows.join(told.select("account_id", "band_color", "band_p"), "account_id")
    assert set(rows["mode"]) == {"band"}
    assert both["color"].to_list() == both["band_color"].to_list()
    off = both["score"] - 100 * both["band_p"].fill_null(0.0)
    assert float(off.abs().max() or 0) < 1e-6  # type: ignore[arg-type]


def test_another_mode_is_no_loss_of_health(switched: Case) -> None:
    """Whoever changes color with the mode is marked so, at once: nothing is raised."""
    turns = [
        r
        for r in switched.table("health_transitions")
        if r["date"] in (SECOND, THIRD)
        and "none" not in (r["from_color"], r["to_color"])
    ]
    assert turns
    assert {r["cause"] for r in turns} == {"model_change"}


def test_without_a_version_the_scorecard_counts(tmp_path: Path) -> None:
    case = company.build(tmp_path / "lake" / "default")
    ws = goes_by(case, "calibrated", "2026-06-01")
    assert set(on(case, FIRST)["mode"]) == {"composite"}
    assert models.active(ws) is None
    with pytest.raises(BadValue, match="composite or band or calibrated"):
        Settings().with_values({"health_mode": "mood"})


@given(
    st.lists(st.floats(-100, 100, allow_nan=False), min_size=1, max_size=18),
    st.lists(st.floats(-100, 100, allow_nan=False), min_size=1, max_size=18),
)
def test_parts_of_a_chance_add_up_and_so_do_changes(
    before: list[float], after: list[float]
) -> None:
    scores, parts = [], []
    for points in (before, after):
        score, told = modes._parts([(f"p{n}", p, None) for n, p in enumerate(points)])
        scores.append(Decimal(score))
        parts.append(explanation.parts(told))
    for score, of in zip(scores, parts, strict=True):
        assert explanation.total([p.contribution or Decimal(0) for p in of]) == score
    moved = explanation.changes(parts[1], parts[0])
    change = explanation.total([scores[1], scores[0].copy_negate()])
    assert explanation.total([*moved.values()]) == change
