"""Two groups compared, and chances held against outcomes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.scoring import statistics

few = st.lists(st.integers(0, 5), min_size=1, max_size=12)


@given(few, few)
def test_auc_counts_pairs(more: list[int], less: list[int]) -> None:
    pairs = [(a > b) + 0.5 * (a == b) for a in more for b in less]
    assert statistics.auc(more, less) == pytest.approx(sum(pairs) / len(pairs))


def test_auc_of_nobody_is_unknown() -> None:
    assert statistics.auc([], [1.0]) is None
    assert statistics.auc([1.0], []) is None


def test_an_auc_of_many_is_surer_than_one_of_few() -> None:
    few_low, few_high = statistics.auc_interval(0.7, 20, 20)
    low, high = statistics.auc_interval(0.7, 200, 200)
    assert 0 < few_low < low < 0.7 < high < few_high < 1
    assert statistics.auc_interval(1.0, 5, 5)[1] == 1.0


def test_the_interval_of_an_auc_holds_it_19_times_in_20() -> None:
    random = np.random.default_rng(1)
    truth, held = 0.7602, 0  # of two normals one standard deviation apart
    for _ in range(400):
        a, b = random.normal(1, 1, 60), random.normal(0, 1, 40)
        area = statistics.auc(a, b)
        assert area is not None
        low, high = statistics.auc_interval(area, 60, 40)
        held += low <= truth <= high
    assert 0.91 < held / 400 < 0.985


def test_wilson_1() -> None:
    assert statistics.wilson(20, 40) == pytest.approx((0.351993, 0.648007), abs=2e-6)


def test_cal_1() -> None:
    told = statistics.quality([0.9, 0.8, 0.3, 0.6], [1, 1, 0, 0])
    assert told.brier == pytest.approx(0.125)
    assert told.brier_base == pytest.approx(0.25)
    assert told.skill == pytest.approx(0.5)
    assert told.auc == 1.0
    # Every case is a group of its own.
    assert told.ece == pytest.approx((0.1 + 0.2 + 0.3 + 0.6) / 4)


def test_psi_1() -> None:
    assert statistics.psi([0.25] * 4, [0.4, 0.3, 0.2, 0.1]) == pytest.approx(
        0.228217, abs=2e-6
    )


def test_pava_1() -> None:
    assert statistics.rising([0.6, 0.5, 0.8], [40, 60, 50]) == pytest.approx(
        [0.54, 0.54, 0.8]
    )


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 50)), min_size=1, max_size=8))
def test_pooled_values_never_fall_and_keep_their_weight(
    rows: list[tuple[float, int]],
) -> None:
    values, weights = zip(*rows, strict=True)
    fitted = statistics.rising(values, [float(w) for w in weights])
    assert all(b >= a - 1e-12 for a, b in pairwise(fitted))
    before = sum(v * w for v, w in rows)
    after = sum(v * w for v, w in zip(fitted, weights, strict=True))
    assert after == pytest.approx(before, abs=1e-9)


def test_q_values_by_hand() -> None:
    # p times number over rank, from the largest down never rising.
    assert statistics.q_values([0.01, 0.04, 0.03, 0.5]) == pytest.approx(
        [0.04, 0.16 / 3, 0.16 / 3, 0.5]
    )
    assert statistics.q_values([]) == []


def test_equal_groups_do_not_differ() -> None:
    assert statistics.differs([1.0, 1.0], [1.0, 1.0, 1.0]) == 1.0


def test_groups_are_of_equal_size_lowest_first() -> None:
    chances = np.linspace(0.01, 0.99, 95)
    found = statistics.groups(chances, (chances > 0.5).astype(float))
    assert [g.n for g in found] == [10, 10, 10, 10, 10, 9, 9, 9, 9, 9]
    assert [g.said for g in found] == sorted(g.said for g in found)
    assert found[0].happened == 0.0
    assert found[-1].happened == 1.0
