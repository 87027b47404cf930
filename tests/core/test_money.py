from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.core import money
from perennial.core.errors import BadValue

amounts = st.decimals(0, 1_000_000, places=2)


def test_monthly_amounts_of_every_interval() -> None:
    per = {
        "day": "365",
        "week": "52",
        "month": "12",
        "quarter": "4",
        "half_year": "2",
        "year": "1",
    }
    for interval, times in per.items():
        assert money.monthly(Decimal(120), interval) == Decimal(10) * Decimal(times)


@given(amount=amounts, count=st.integers(1, 24))
def test_billing_less_often_is_that_much_less_a_month(
    amount: Decimal, count: int
) -> None:
    exact = amount / count
    assert abs(money.monthly(amount, "month", count) - exact) <= Decimal("0.00005")


@given(amount=amounts)
def test_rounding_to_minor_units_is_half_up(amount: Decimal) -> None:
    assert money.rounded(amount + Decimal("0.005"), "EUR") == amount + Decimal("0.01")
    assert money.rounded(Decimal("2.5"), "JPY") == 3
    assert money.digits("KWD") == 3


def test_what_is_no_currency_or_interval() -> None:
    assert money.currency(" eur ") == "EUR"
    for text in ("", "EURO", "12A", "€"):
        with pytest.raises(BadValue):
            money.currency(text)
    with pytest.raises(BadValue, match="fortnight"):
        money.monthly(Decimal(1), "fortnight")
