"""Points add up, weights are renormalized, and the way up does what it says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.apps.customers import explain, levers
from perennial.apps.customers.account import color_of, shown
from perennial.apps.customers.breakdown import (
    Measured,
    Snapshot,
    adding_up,
    biggest_move,
    breakdown,
    next_colors,
)
from perennial.core.settings import HealthTargets
from perennial.scoring import explanation, health
from perennial.scoring.scorecard import MEASURES, standard
from perennial.ui.formats import Regional

TARGETS = HealthTargets()
RULES = standard(TARGETS).rules[0]
CUTS = TARGETS.cuts
KESTREL = Measured(
    active_days=3.0,
    minutes=30.0,
    active_users=4,
    active_users_before=5,
    seats=10,
    key_features_used=1,
    key_features=2,
    key_events_per_session=2.0,
    mrr_e4=1_000_000,
    mrr_90d_e4=1_000_000,
)


def snapshot(measured: Measured = KESTREL, **components: float | None) -> Snapshot:
    found = {**levers.components(measured, TARGETS), **components}
    weights = dict(zip(health.COMPONENTS, TARGETS.weights, strict=True))
    known = {n: w for n, w in weights.items() if found[n] is not None}
    coverage = sum(known.values())
    score = sum(w * (found[n] or 0.0) for n, w in known.items()) / coverage
    parts = explanation.former_parts(found, weights, score)
    color = color_of(score, CUTS)
    return Snapshot(score, color, "ok", coverage, parts, measured, CUTS)


def formula(measured: Measured = KESTREL) -> levers.Formula:
    return levers.formula(RULES, snapshot(measured).parts)


def test_the_points_of_the_example() -> None:
    found = breakdown(snapshot(), None)
    assert found is not None
    points = [str(part.points) for part in found.parts]
    assert points == ["7.5", "12.5", "19.1", "3.7"]
    assert (found.total, found.shown_score) == (Decimal("42.8"), 43)
    assert [str(p.possible) for p in found.parts] == ["30.0", "25.0", "30.0", "15.0"]
    assert not found.is_renormalized
    assert found.change is None


def test_a_missing_part_gives_its_weight_to_the_others() -> None:
    found = breakdown(snapshot(growth=None), None)
    assert found is not None
    assert found.is_renormalized
    weights = [part.weight for part in found.parts]
    assert weights[:3] == pytest.approx([0.30 / 0.85, 0.25 / 0.85, 0.30 / 0.85])
    assert weights[3] is None
    assert found.parts[3].points is None
    assert sum(part.possible or 0 for part in found.parts) == 100
    assert sum(part.points or 0 for part in found.parts) == found.total


def test_changes_add_up_to_the_change_of_the_score() -> None:
    before = snapshot(Measured(9.0, 100.0, 8, 8, 10, 2, 2, 3.0, 1_000_000, 900_000))
    found = breakdown(snapshot(), before)
    assert found is not None
    assert found.change is not None
    assert found.change < 0
    assert sum(part.change or 0 for part in found.parts) == found.change
    assert biggest_move(snapshot(), before) is not None


def test_without_a_score_there_is_nothing_to_break_down() -> None:
    none = Snapshot(None, "", "onboarding", 1.0, (), KESTREL, CUTS)
    assert breakdown(none, None) is None


component = st.one_of(st.none(), st.floats(0, 100))


@given(st.tuples(component, component, component, component))
def test_shown_points_always_add_up(values: tuple[float | None, ...]) -> None:
    if all(value is None for value in values):
        return
    now = snapshot(**dict(zip(health.COMPONENTS, values, strict=True)))
    found = breakdown(now, None)
    assert found is not None
    assert sum(part.points or 0 for part in found.parts) == found.total
    for part in found.measured:
        exact = Decimal(str((part.weight or 0) * (part.value or 0)))
        assert part.points is not None
        assert abs(part.points - exact) < Decimal("0.21")


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6))
def test_rounded_values_add_up(values: list[float]) -> None:
    named = {str(n): value for n, value in enumerate(values)}
    total = Decimal(str(round(sum(values), 1)))
    assert sum(adding_up(named, total).values()) == total


@pytest.mark.parametrize(
    ("score", "places", "said"),
    [
        (79.96, 0, "79"),
        (79.96, 1, "79.9"),
        (80.0, 0, "80"),
        (39.6, 0, "39"),
        (46.5, 0, "47"),
        (45.94, 1, "45.9"),
        (99.7, 0, "100"),
    ],
)
def test_a_shown_score_stays_in_its_color(score: float, places: int, said: str) -> None:
    assert str(shown(score, CUTS, places)) == said


def test_the_points_missing_to_better_colors() -> None:
    assert next_colors(Decimal("42.8"), CUTS) == [
        ("yellow", Decimal("17.2")),
        ("green", Decimal("37.2")),
    ]
    assert next_colors(Decimal("80.0"), CUTS) == []


# --- the way up --------------------------------------------------------------


def test_the_quickest_way_of_the_example() -> None:
    """Four more users: breadth 100 (+12.5), growth 75 (+7.5); three are 0.3 short."""
    steps = levers.quickest(KESTREL, formula(), 17.2)
    assert [(s.lever, s.amount) for s in steps] == [("users", 4)]
    assert steps[0].points == pytest.approx(20.0)
    few = levers.quickest(KESTREL, formula(), 16.8)
    assert [(s.lever, s.amount) for s in few] == [("users", 3)]


def test_a_long_way_takes_several_measures() -> None:
    steps = levers.quickest(KESTREL, formula(), 37.2)
    assert len(steps) > 1
    assert sum(step.points for step in steps) >= 37.2


def test_there_may_be_no_way() -> None:
    best = Measured(12.0, 120.0, 8, 8, 10, 2, 2, 5.0, 500_000, 1_000_000)
    assert levers.quickest(best, formula(best), 8.0) == []


def test_the_way_in_words() -> None:
    regional = Regional()
    found = breakdown(snapshot(), None)
    assert found is not None
    way = explain.way_up(found, snapshot(), RULES, regional)
    assert way.missing == "17.2 points to yellow, 37.2 to green."
    assert way.steps == (
        "Quickest way to yellow, by arithmetic: four more active users (+20.0)."
    )
    assert (
        explain.sum_text(found, regional)
        == "7.5 + 12.5 + 19.1 + 3.7 = 42.8, shown as 43"
    )
    assert explain.title(found, regional) == "Why 43? Four parts add up to the score"


count = st.integers(0, 40)
maybe = st.one_of(st.none(), count)
measured = st.builds(
    Measured,
    active_days=st.one_of(st.none(), st.floats(0, 28)),
    minutes=st.one_of(st.none(), st.floats(0, 500)),
    active_users=maybe,
    active_users_before=maybe,
    seats=maybe,
    key_features_used=maybe,
    key_features=maybe,
    key_events_per_session=st.one_of(st.none(), st.floats(0, 20)),
    mrr_e4=maybe,
    mrr_90d_e4=maybe,
)


@given(st.lists(measured, min_size=1, max_size=8))
def test_the_arithmetic_is_the_engines(rows: list[Measured]) -> None:
    """The plain formula here and the one that scores every account agree."""
    fields = Measured.__dataclass_fields__
    floats = {"active_days", "minutes", "key_events_per_session"}
    frame = pl.DataFrame(
        [{n: getattr(m, n) for n in fields} for m in rows],
        schema={n: pl.Float64 if n in floats else pl.Int64 for n in fields},
    ).with_columns(measured_days=health.WINDOW)
    values = {
        key: health.component(key, {name: getattr(TARGETS, name) for name in targets})
        for key, targets in MEASURES.items()
    }
    for m, row in zip(rows, frame.select(**values).to_dicts(), strict=True):
        mine: Any = levers.components(m, TARGETS)
        for name in health.COMPONENTS:
            assert mine[name] == pytest.approx(row[name]), (name, m)
