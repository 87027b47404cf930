"""Whom to call first: H05."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from perennial.scoring.explanation import Part
from perennial.scoring.outreach import (
    Case,
    gap_to_green,
    ordered,
    urgency,
    value_at_risk,
)

TODAY = date(2026, 6, 1)


def case(name: str, color: str, p: float | None, mrr: float, days: int | None) -> Case:
    return Case(
        name, color, mrr, p, None if days is None else TODAY + timedelta(days=days)
    )


def test_color_first_then_value_at_risk() -> None:
    """PRI-1."""
    cases = [
        case("C", "green", 0.9, 10_000, 0),
        case("B", "red", 0.2, 500, 120),
        case("A", "red", 0.5, 1000, 30),
    ]
    at_risk = {c.account_id: value_at_risk(c, TODAY) for c in cases}
    assert at_risk == pytest.approx({"A": 833.333333333, "B": 400.0, "C": 2000.0})
    assert [c.account_id for c in ordered(cases, TODAY)] == ["A", "B", "C"]


def test_without_a_model_the_largest_come_first() -> None:
    cases = [
        case("grey", "", None, 9000, 1),
        case("small", "orange", None, 100, 1),
        case("large", "orange", None, 200, 300),
        case("later", "orange", None, 100, 5),
    ]
    found = [c.account_id for c in ordered(cases, TODAY)]
    assert found == ["large", "small", "later", "grey"]


@pytest.mark.parametrize(
    ("days", "expected"), [(None, 1), (200, 1), (90, 1), (45, 1.5), (0, 2), (-30, 2)]
)
def test_urgency(days: int | None, expected: float) -> None:
    assert urgency(days) == expected


def test_the_gap_to_green_by_part() -> None:
    parts = [
        Part("a", 50.0, 0.5, None),
        Part("b", 90.0, 0.3, None),
        Part("c", None, 0.2, None),
    ]
    shares = {"a": 0.5, "b": 0.3, "c": 0.2}
    found = gap_to_green(parts, shares, 65.0, 80.0)
    assert found == pytest.approx({"a": 31.25, "b": 3.75})
    assert list(found) == ["a", "b"]
    assert gap_to_green(parts, shares, 80.0, 80.0) == {}
