"""Survival against another implementation, and worked by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from perennial.core.survival import Spell, curve, intervals, survival_at
from perennial.scoring.survival import differs, survival

spells = st.lists(
    st.builds(Spell, st.integers(1, 40), st.booleans()), min_size=2, max_size=60
)


def censored(group: list[Spell]) -> stats.CensoredData:
    return stats.CensoredData(
        uncensored=[s.duration for s in group if s.ended],
        right=[s.duration for s in group if not s.ended],
    )


@settings(max_examples=60)
@given(spells)
def test_curve_and_interval_are_those_of_scipy(group: list[Spell]) -> None:
    steps = curve(group)
    other = stats.ecdf(censored(group)).sf
    with warnings.catch_warnings():
        # Undefined where nobody, or everybody, has ended.
        warnings.simplefilter("ignore", RuntimeWarning)
        bounds = other.confidence_interval(method="log-log")
    for step, (low, high) in zip(steps, intervals(steps), strict=True):
        assert step.survival == pytest.approx(float(other.evaluate(step.time)))
        if 0 < step.survival < 1:
            assert low == pytest.approx(float(bounds.low.evaluate(step.time)))
            assert high == pytest.approx(float(bounds.high.evaluate(step.time)))
        assert low <= step.survival <= high


@settings(max_examples=60)
@given(spells, spells)
def test_the_log_rank_test_is_that_of_scipy(a: list[Spell], b: list[Spell]) -> None:
    if not any(s.ended for s in a + b):
        assert differs({"a": a, "b": b}) is None
        return
    # The same without a last time at which only one is left.
    with np.errstate(all="ignore"):
        other = stats.logrank(censored(a), censored(b)).pvalue
    if not np.isnan(other):
        assert differs({"a": a, "b": b}) == pytest.approx(float(other), abs=1e-9)


def test_three_groups_worked_by_hand() -> None:
    """One ends at each of 1, 2 and 3, all watched to 3: of n at risk each is as likely.

    Off by observed − expected: a: 1 − 1/3, b: 1 − (1/3 + 1/2); by pairs
    the variances are 2/9, 2/9 + 1/4 and the covariance −1/9.
    """
    groups = {"a": [Spell(1, True)], "b": [Spell(2, True)], "c": [Spell(3, True)]}
    off = np.array([2 / 3, 1 / 6])
    spread = np.array([[2 / 9, -1 / 9], [-1 / 9, 2 / 9 + 1 / 4]])
    statistic = off @ np.linalg.solve(spread, off)
    assert differs(groups) == pytest.approx(float(stats.chi2.sf(statistic, 2)))
    assert differs({"a": groups["a"]}) is None


def test_who_enters_late_is_at_risk_from_then_on() -> None:
    late = [Spell(6, True, entry=4), Spell(10, False)]
    alone = [Spell(2, True), Spell(10, False)]
    found = survival([*late, *alone], parts=2)
    assert [m.at_risk for m in found.months] == [3, 3, 2, 3, 2, 2]
    assert [round(m.share, 3) for m in found.months] == [
        *(1.0, 0.667, 0.667, 0.444, 0.444, 0.444)
    ]
    assert (found.n, found.ended, found.median) == (4, 2, 3.0)


def test_a_median_has_an_interval_or_an_open_end() -> None:
    group = [Spell(31 * k, True) for k in range(1, 41)]
    found = survival(group, parts=31)
    assert found.median == 20
    assert found.median_low is not None
    assert found.median_high is not None
    assert found.median_low < 20 < found.median_high
    # Brookmeyer and Crowley: the bounds of the curve at a half.
    steps = curve(group)
    bounds = dict(zip([s.time / 31 for s in steps], intervals(steps), strict=True))
    assert bounds[found.median_low][0] <= 0.5 < bounds[found.median_low - 1][0]
    assert bounds[found.median_high][1] <= 0.5 < bounds[found.median_high - 1][1]
    few = survival([Spell(31, True), *[Spell(62, False)] * 9], parts=31)
    assert (few.median, few.median_high) == (None, None)
    assert not few.is_enough


def test_nothing_gives_nothing() -> None:
    found = survival([], parts=31)
    assert (found.n, found.months, found.median) == (0, (), None)
    assert survival_at(curve([]), 5) == 1
