"""The Kaplan-Meier curve: the reference's examples, and against its definition."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.core.survival import Spell, curve, median, quantile, survival_at


def spells(durations: list[int], observed: list[int]) -> list[Spell]:
    return [Spell(d, bool(o)) for d, o in zip(durations, observed, strict=True)]


def test_the_median_may_not_be_reached() -> None:
    """TTA-1."""
    steps = curve(spells([1, 2, 3, 30, 30, 30, 30], [1, 1, 1, 0, 0, 0, 0]))
    assert [step.survival for step in steps] == pytest.approx([6 / 7, 5 / 7, 4 / 7])
    assert median(steps) is None


def test_those_who_leave_are_at_risk_until_then() -> None:
    """TTA-2, TTV-1 and the curve of KM-1."""
    assert median(curve(spells([2, 4, 4, 7, 3, 10], [1, 1, 1, 1, 0, 0]))) == 4
    assert median(curve(spells([3, 10, 5, 20, 4], [1, 1, 1, 0, 0]))) == 10
    steps = curve(spells([1, 2, 2, 3, 4, 5], [1, 1, 0, 1, 0, 0]))
    shares = [survival_at(steps, time) for time in range(5)]
    assert shares == pytest.approx([1, 5 / 6, 4 / 6, 4 / 9, 4 / 9])


def test_a_half_is_reached_exactly() -> None:
    """Products of fractions would miss it: 5/6 · 4/5 · 3/4."""
    for n in range(2, 40, 2):
        steps = curve([Spell(day, ended=True) for day in range(n)])
        assert median(steps) == n // 2 - 1


def test_entries_and_counts() -> None:
    """Those who enter late tell nothing of the time before."""
    late = [Spell(5, ended=True, entry=3), Spell(9, ended=False)]
    assert [(s.time, s.at_risk) for s in curve(late)] == [(5, 2)]
    early = [Spell(2, ended=True), *late]
    assert [(s.time, s.at_risk) for s in curve(early)] == [(2, 2), (5, 2)]
    assert curve([Spell(3, ended=True, entry=3)]) == ()
    assert curve([]) == ()
    many = [Spell(1, ended=True, count=30), Spell(4, ended=False, count=70)]
    assert survival_at(curve(many), 1) == pytest.approx(0.7)
    assert quantile(curve(many), 0.3) == 1
    assert quantile(curve(many), 0.31) is None


SPELLS = st.lists(
    st.builds(
        Spell,
        st.integers(0, 12),
        st.booleans(),
        st.integers(0, 6),
        st.integers(1, 3),
    ),
    max_size=15,
)


@given(SPELLS)
def test_by_its_definition(given_spells: list[Spell]) -> None:
    """Non-increasing from 1, and the product over all times of 1 − ended / at risk."""
    steps = curve(given_spells)
    shares = [1.0, *(step.survival for step in steps)]
    assert all(0 <= after <= before for before, after in pairwise(shares))
    survival = 1.0
    for time in range(13):
        at_risk = sum(
            s.count for s in given_spells if (s.entry or -1) < time <= s.duration
        )
        ended = sum(
            s.count
            for s in given_spells
            if s.ended and s.duration == time and (s.entry or -1) < time
        )
        if ended:
            survival *= 1 - ended / at_risk
        assert survival_at(steps, time) == pytest.approx(survival, abs=1e-12)
