"""A score judged by what happened."""

from __future__ import annotations

import pytest

from perennial.scoring import backtest


def test_a_score_that_knows_everything() -> None:
    scores = [*range(20), *range(50, 130)]
    renewed = [False] * 20 + [True] * 80
    colors = ["red"] * 20 + ["green"] * 80
    found = backtest.judge(
        scores, renewed, colors=colors, warnings=[60] * 12 + [None] * 8
    )
    assert found.auc == 1.0
    assert found.lift == pytest.approx(5.0)  # the lowest tenth, all of a fifth
    assert (found.precision, found.red) == (1.0, 20)
    assert (found.warning_days, found.warned) == (60, 12)


def test_a_score_that_knows_nothing() -> None:
    renewed = [n % 4 != 0 for n in range(200)]
    found = backtest.judge([50] * 200, renewed)
    assert found.auc == 0.5
    assert found.lift == pytest.approx(1.0)
    assert found.precision is None
    assert found.auc_low is not None
    assert found.auc_high is not None
    assert found.auc_low < 0.5 < found.auc_high


def test_four_losses_tell_nothing() -> None:
    found = backtest.judge(range(50), [False] * 4 + [True] * 46)
    assert (found.auc, found.lift, found.left) == (None, None, 4)
