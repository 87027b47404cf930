"""What customers who buy freely will still buy: examples, and published fits."""

from __future__ import annotations

import csv
from datetime import date, datetime
from math import isclose
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.scoring.lifetime import (
    BgNbd,
    Buyer,
    GammaGamma,
    buyers,
    fit_bgnbd,
    fit_gamma_gamma,
    outlook,
    value_correlation,
)

CDNOW = Path(__file__).parents[3] / "shared" / "data" / "cdnow"
PUBLISHED = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)


def test_expected_purchases() -> None:
    """BG-1: published as 1.226 in the 39 weeks to come."""
    buyer = Buyer(repeats=2, recency=30.43, age=38.86)
    assert PUBLISHED.expected(buyer, 39) == pytest.approx(1.226, abs=6e-4)
    assert PUBLISHED.p_alive(buyer) == pytest.approx(0.7266, abs=6e-4)
    assert PUBLISHED.expected(buyer, 0) == 0


def test_without_a_repeat_everybody_is_alive() -> None:
    """BG-2."""
    assert PUBLISHED.p_alive(Buyer(0, 0, 38.86)) == 1.0


def test_expected_value() -> None:
    """GG-1."""
    model = GammaGamma(p=6.25, q=3.74, v=15.44)
    found = model.expected(Buyer(2, 30, 39, value=22.35))
    assert found == pytest.approx(24.6637, abs=5e-4)
    everybody = model.expected(Buyer(0, 0, 39))
    assert everybody == pytest.approx(6.25 * 15.44 / 2.74)
    assert GammaGamma(p=6.25, q=1.0, v=15.44).expected(Buyer(2, 30, 39, 22.35)) is None


def test_no_worth_where_how_often_and_how_much_go_together() -> None:
    found = [Buyer(n, 10.0, 30.0, 10.0 * n) for n in range(1, 6)]
    spending = GammaGamma(p=6.25, q=3.74, v=15.44)
    ahead = outlook(found, PUBLISHED, spending, 52)
    assert ahead.worth is None
    assert ahead.purchases > 0
    alike = [Buyer(2, 10.0, 30.0, 10.0)] * 3
    assert outlook(alike, PUBLISHED, spending, 52).worth is not None


def test_purchases_of_a_day_are_one() -> None:
    days = [(1, 10.0), (8, 20.0), (8, 4.0), (15, 30.0), (29, 99.0)]
    bought = [("c", date(2026, 1, day), amount) for day, amount in days]
    found = buyers([*bought, ("once", date(2026, 1, 22), 5)], end=date(2026, 1, 29))
    assert found == {
        "c": Buyer(repeats=2, recency=2, age=27 / 7, value=27),
        "once": Buyer(repeats=0, recency=0, age=6 / 7, value=0),
    }


def test_nothing_to_fit() -> None:
    once = [Buyer(0, 0, 10), Buyer(0, 0, 20)]
    assert fit_bgnbd(once) is None
    assert fit_gamma_gamma(once) is None
    assert value_correlation(once) is None


@pytest.mark.skipif(not CDNOW.is_dir(), reason=f"no data at {CDNOW}")
def test_published_parameters_come_out() -> None:
    """CDNOW, the first 39 weeks: Fader, Hardie and Lee 2005; Fader and Hardie 2013."""
    with (CDNOW / "cdnow_sample.csv").open() as file:
        bought = [
            (row["sample_id"], _day(row["date"]), float(row["value"]))
            for row in csv.DictReader(file)
        ]
    found = buyers(bought, end=date(1997, 10, 1))
    with (CDNOW / "cdnow_customers_summary.csv").open() as file:
        for row in csv.DictReader(file):
            buyer = found[row["ID"].zfill(4)]
            assert buyer.repeats == int(row["frequency"])
            assert isclose(buyer.recency, float(row["recency"]), abs_tol=0.006)
            assert isclose(buyer.age, float(row["T"]), abs_tol=0.006)
    model = fit_bgnbd(found.values())
    assert model is not None
    fitted = (model.r, model.alpha, model.a, model.b)
    assert fitted == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=5e-4)
    spent = fit_gamma_gamma(found.values())
    assert spent is not None
    assert (spent.p, spent.q, spent.v) == pytest.approx((6.25, 3.74, 15.44), abs=5e-3)
    correlation = value_correlation(found.values())
    assert correlation == pytest.approx(0.114, abs=1e-3)
    # Repeats of all 78 weeks, of which half were held back: told 5 % too few.
    later = {(customer, day) for customer, day, _ in bought if day >= date(1997, 10, 1)}
    ahead = outlook([*found.values()], model, spent, 39)
    so_far = sum(buyer.repeats for buyer in found.values())
    assert so_far + ahead.purchases == pytest.approx(so_far + len(later), rel=0.06)
    assert ahead.worth is not None
    assert 30 < ahead.worth / ahead.purchases < 50
    assert (
        0 < ahead.alive < ahead.repeated == sum(b.repeats > 0 for b in found.values())
    )


def _day(text: str) -> date:
    return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007


positive = st.floats(0.05, 20)


@given(
    st.builds(BgNbd, positive, positive, positive, positive),
    st.integers(0, 30),
    st.floats(0, 1),
    st.floats(0.1, 200),
    st.floats(0.1, 100),
)
def test_chances_and_counts(
    model: BgNbd, repeats: int, share: float, age: float, weeks: float
) -> None:
    """13: P(alive) in (0, 1]; more weeks bring no fewer purchases."""
    buyer = Buyer(repeats, age * share if repeats else 0.0, age)
    assert 0 < model.p_alive(buyer) <= 1
    some, more = model.expected(buyer, weeks), model.expected(buyer, weeks * 2)
    assert -1e-6 <= some <= more + 1e-6
