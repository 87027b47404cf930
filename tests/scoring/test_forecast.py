"""What today's customers will pay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.scoring import forecast
from perennial.scoring.forecast import Hindsight


def test_fc_1() -> None:
    found = forecast.expected([0.9, 0.5, 0.8, 1.0], [1000, 500, 200, 300])
    assert found.logos == pytest.approx(3.2)
    assert found.mrr == pytest.approx(1610.0)
    assert found.grr == pytest.approx(0.805)
    assert found.sd == pytest.approx(398.622629, abs=1e-5)


accounts = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 1e5)), min_size=1, max_size=12
)


@given(accounts)
def test_between_the_least_and_the_most(rows: list[tuple[float, float]]) -> None:
    p, mrr = zip(*rows, strict=True)
    found = forecast.expected(p, mrr, futures=200)
    assert min(p) * sum(mrr) - 1e-6 <= found.mrr <= max(p) * sum(mrr) + 1e-6
    assert 0 <= found.lower <= found.upper <= sum(mrr) + 1e-6
    assert found.mrr_net == pytest.approx(found.mrr)


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=9))
def test_nothing_is_uncertain_where_everything_is_known(p: list[float]) -> None:
    found = forecast.expected(p, [10.0] * len(p))
    assert found.sd == 0
    assert found.lower == found.upper == found.mrr


def test_four_futures_in_five_lie_within_the_range() -> None:
    """Of many alike it is that of the normal they come near to."""
    found = forecast.expected([0.8] * 400, [100.0] * 400)
    wide = 1.2816 * found.sd
    assert found.upper - found.mrr == pytest.approx(wide, rel=0.1)
    assert found.mrr - found.lower == pytest.approx(wide, rel=0.1)


def test_growth_is_of_those_who_stay() -> None:
    found = forecast.expected([0.5, 1.0], [100, 100], [1.2, 1.1])
    assert found.mrr_net == pytest.approx(0.5 * 120 + 110)
    assert found.nrr == pytest.approx(0.85)
    assert found.grr == pytest.approx(0.75)


def test_nobody_pays_nothing_and_has_no_rate() -> None:
    found = forecast.expected([], [])
    assert (found.mrr, found.lower, found.upper) == (0, 0, 0)
    assert found.grr is None


@pytest.mark.parametrize(
    ("horizon", "due", "term", "decisions"),
    [
        (90, 120, 365, 0),  # not due within the horizon
        (90, 90, 365, 1),
        (90, 0, 365, 1),
        (90, -5, 365, 1),  # overdue
        (365, -5, 365, 2),  # and due again within the year
        (365, 10, 92, 4),  # quarterly: after 10, 102, 194 and 286 days
        (90, 12, 30, 3),
        (92, None, 30, 3),  # no date: a term from now, and so on
        (20, None, 30, 0),
    ],
)
def test_every_decision_within_the_horizon_counts(
    horizon: float, due: float | None, term: float, decisions: int
) -> None:
    found = forecast.staying(
        0.9, horizon_days=horizon, days_to_renewal=due, term_days=term
    )
    assert found == pytest.approx(0.9**decisions)


def test_errors_are_weighed_by_what_happened() -> None:
    found = [
        Hindsight("2026-01-01", 110, 100, 120, 100),
        Hindsight("2026-04-01", 280, 270, 290, 300),
    ]
    assert forecast.wape(found) == pytest.approx(30 / 400)
    assert [h.is_inside for h in found] == [True, False]
    assert forecast.wape([]) is None
