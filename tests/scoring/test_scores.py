"""Points, weights and contributions: published examples, and sums without a rest."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.scoring import explanation, scales, scores
from perennial.scoring import scorecard_text as text
from perennial.scoring.scorecard import (
    Bands,
    Linear,
    Percentile,
    Scale,
    Scorecard,
    Target,
)
from perennial.scoring.scorecard_reading import read

CARDS = Path(__file__).parent / "cards"
DAY = date(2026, 6, 1)


def pulses(weights: dict[str, float], **more: Any) -> Scorecard:
    """A card whose components are given as points."""
    components = [{"name": n, "weight": w, "pulse": True} for n, w in weights.items()]
    document = {"name": "Any", "normalize_weights": True, "components": components}
    return read({**document, **more})


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    """Measured accounts: `raw__` columns as given, everything else as usual."""
    usual = {
        "date": DAY, "account_id": "a", "is_live": True, "is_onboarding": False,
        "measured_days": 28, "profile": 0, "override": None,
        "active_days": 9.0, "minutes": 60.0, "active_users": 12, "seats": 20,
        "key_features_used": 4, "key_features": 8, "key_events_per_session": 3.0,
        "active_users_before": 10, "mrr_e4": 100, "mrr_90d_e4": 100,
    }  # fmt: skip
    floats = {name: pl.Float64 for row in rows for name in row if "raw__" in name}
    types = {**floats, "override": pl.Float64}
    return pl.DataFrame([{**usual, **row} for row in rows], schema_overrides=types)


def score(card: Scorecard, **raw: Any) -> dict[str, Any]:
    given = {f"raw__{n}" if n in card.names else n: v for n, v in raw.items()}
    return scores.scored(frame(given), card).to_dicts()[0]


# Published examples


@pytest.mark.parametrize(
    ("weights", "points", "expected"),
    [
        ({"a": 20, "b": 15, "c": 22}, {"a": 47, "b": 59, "c": 21}, 40.122807017),
        ({"a": 50, "b": 50}, {"a": 75, "b": 90}, 82.5),
        (
            {"a": 20, "b": 40, "c": 20, "d": 20},
            {"a": 75, "b": 90, "c": 50, "d": 50}, 71.0,
        ),
        ({"a": 20, "b": 30, "c": 50}, {"a": 20, "b": 30, "c": 50}, 38.0),
        ({"a": 50, "b": 30, "c": 20}, {"a": 80, "b": 60, "c": None}, 72.5),
        (
            {"a": 7, "b": 5, "c": 8, "d": 3},
            {"a": 83, "b": 71, "c": 78, "d": 54}, 74.869565217,
        ),
    ],
)  # fmt: skip
def test_weighted_means_as_vendors_publish_them(
    weights: dict[str, float], points: dict[str, float], expected: float
) -> None:
    """Weights of any size; what has no value leaves numerator and denominator."""
    assert score(pulses(weights), **points)["score"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("age", "color"), [(90, "green"), (210, "yellow"), (365, "red")]
)
def test_license_use_of_60_percent_by_age(age: int, color: str) -> None:
    card = text.parse((CARDS / "gitlab_license_use.yaml").read_text())
    profile = (age >= 183) + (age >= 274)
    row = score(card, license_use=0.6, profile=profile)
    assert row["color"] == color
    assert row["profile"] == card.profiles[profile].name


def test_adoption_of_a_published_card() -> None:
    card = text.parse((CARDS / "gainsight_adoption.yaml").read_text())
    assert score(card, depth=0.5, breadth=0.8)["color"] == "green"
    assert score(card, depth=0.2, breadth=0.2)["score"] == 37.5
    assert score(card, depth=0.09, breadth=0.0)["color"] == "red"


# Scales


@pytest.mark.parametrize(
    ("scale", "direction", "expected"),
    [
        (Target(4), "up", [0, 25, 100, 100, None]),
        (Target(4), "down", [100, 100, 100, 50, None]),
        (Linear(0, 8), "up", [0, 12.5, 50, 100, None]),
        (Linear(8, 0), "down", [100, 87.5, 50, 0, None]),
        (Linear(2, 6), "up", [0, 0, 50, 100, None]),
        (Bands((1, 4), (0, 30, 100)), "up", [0, 30, 100, 100, None]),
        (Bands((1, 4), (0, 30, 100), "upper"), "up", [0, 0, 30, 100, None]),
        (Percentile(), "up", [12.5, 37.5, 62.5, 87.5, None]),
        (Percentile(), "down", [87.5, 62.5, 37.5, 12.5, None]),
        (Percentile("segment"), "up", [25, 75, 25, 75, None]),
    ],
)
def test_scales(scale: Scale, direction: Any, expected: list[float | None]) -> None:
    """Values 0, 1, 4, 8 and nothing; the first two are of one segment."""
    rows = pl.DataFrame(
        {
            "x": [0.0, 1.0, 4.0, 8.0, None],
            "date": [DAY] * 5,
            scales.RANKED: [True] * 5,
            "within__segment": ["s", "s", "t", "t", "t"],
        }
    )
    found = rows.select(scales.points(pl.col("x"), scale, direction)).to_series()
    assert found.to_list() == expected


def test_who_is_not_scored_is_no_rank() -> None:
    rows = pl.DataFrame(
        {"x": [1.0, 2.0, 3.0], "date": [DAY] * 3, scales.RANKED: [True, True, False]}
    )
    found = rows.select(scales.points(pl.col("x"), Percentile(), "up")).to_series()
    assert found.to_list()[:2] == [25, 75]


# What is missing


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("leave_out", ("ok", 80, 0.6)),
        ("zero", ("ok", 48, 1.0)),
        ("insufficient", ("insufficient", None, 0.6)),
    ],
)
def test_rules_for_what_is_missing(
    rule: str, expected: tuple[str, float | None, float]
) -> None:
    row = score(pulses({"a": 60, "b": 40}, missing=rule), a=80.0, b=None)
    assert (row["status"], row["score"], row["coverage"]) == expected


def test_less_than_the_minimum_coverage_is_no_score() -> None:
    card = pulses({"a": 60, "b": 40}, min_coverage=0.61)
    row = score(card, a=80.0, b=None)
    assert (row["status"], row["score"], row["color"]) == ("insufficient", None, None)
    assert score(pulses({"a": 60, "b": 40}), a=None, b=None)["score"] is None


def test_onboarding_has_no_score_unless_the_card_says_so() -> None:
    card = pulses({"a": 100})
    assert score(card, a=80.0, is_onboarding=True)["status"] == "onboarding"
    early = pulses({"a": 100}, onboarding="score")
    assert score(early, a=80.0, is_onboarding=True)["score"] == 80
    assert score(early, a=80.0, is_live=False)["status"] == "inactive"


def test_days_without_events_lower_the_targets_of_the_window() -> None:
    """Three quarters of the days: nine active days of nine, not of twelve."""
    card = read(
        {"name": "F", "components": [
            {"name": "f", "weight": 100, "measure": "frequency"}]}
    )  # fmt: skip
    assert score(card)["score"] == 62.5
    assert score(card, measured_days=21)["score"] == pytest.approx(
        50 * (1 + 60 / 90), abs=1e-9
    )


# Overrides


def test_an_override_is_a_part_that_makes_up_the_difference() -> None:
    row = score(pulses({"a": 60, "b": 40}), a=80.0, b=71.3, override=30.0)
    assert (row["score"], row["color"]) == (30, "red")
    assert row["computed_score"] == pytest.approx(76.52)
    found = explanation.parts(row["parts"])
    assert found[-1].name == "override"
    given = [p.contribution for p in found if p.contribution is not None]
    assert explanation.total(given) == 30


def test_an_override_gives_a_score_where_there_was_none_but_not_to_who_left() -> None:
    card = pulses({"a": 100})
    waiting = score(card, a=None, override=55.0)
    assert (waiting["score"], waiting["computed_score"]) == (55, None)
    gone = score(card, a=50.0, override=55.0, is_live=False)
    assert (gone["score"], gone["status"]) == (None, "inactive")


# Explanations add up


points = st.none() | st.floats(0, 100)
names = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=6, unique=True)
weight = st.floats(0.001, 1000)
override = st.none() | st.integers(0, 100).map(float)


@st.composite
def scored_rows(draw: st.DrawFn) -> dict[str, Any]:
    """A score by any card of any parts: weights, values and gaps differ each time."""
    card = pulses({n: draw(weight) for n in draw(names)}, min_coverage=0)
    values = {name: draw(points) for name in card.names}
    return score(card, **values, override=draw(override))


@given(scored_rows(), scored_rows())
def test_parts_add_up_to_the_score_and_to_each_change(
    now: dict[str, Any], before: dict[str, Any]
) -> None:
    """Exactly, also when weights, parts and overrides are others than before."""
    both = []
    for row in (now, before):
        found = explanation.parts(row["parts"])
        given = [p.contribution for p in found if p.contribution is not None]
        if row["score"] is not None:
            assert explanation.total(given) == Decimal(row["score"])
            assert sum(map(float, given)) == row["score"], "in floating point as well"
            assert sum(map(float, given[::-1])) == row["score"], "and in any order"
            assert 0 <= row["score"] <= 100 + 1e-9
        both.append(found)
    moved = explanation.changes(both[0], both[1])
    after, earlier = Decimal(now["score"] or 0), Decimal(before["score"] or 0)
    change = explanation.total([after, earlier.copy_negate()])
    assert explanation.total([*moved.values()]) == change
    assert set(dict(explanation.drivers(both[0], both[1]))) <= set(moved)


def test_drivers_go_the_way_of_the_score_first() -> None:
    card = pulses({"a": 50, "b": 30, "c": 20})
    before = explanation.parts(score(card, a=80.0, b=80.0, c=50.0)["parts"])
    now = explanation.parts(score(card, a=60.0, b=10.0, c=90.0)["parts"])
    assert [name for name, _ in explanation.drivers(now, before)] == ["b", "a", "c"]
    assert explanation.drivers(before, before) == []


def test_old_snapshots_without_parts_add_up_too() -> None:
    values = {"frequency": 33.3, "breadth": None, "depth": 77.7, "growth": 10.1}
    weights = {"frequency": 0.3, "breadth": 0.25, "depth": 0.3, "growth": 0.15}
    mean = (33.3 * 0.3 + 77.7 * 0.3 + 10.1 * 0.15) / 0.75
    found = explanation.former_parts(values, weights, mean)
    given = [p.contribution for p in found if p.contribution is not None]
    assert explanation.total(given) == Decimal(mean)
    assert [
        p.contribution for p in explanation.former_parts(values, weights, None)
    ] == ([None] * 4)
