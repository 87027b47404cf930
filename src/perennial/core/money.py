"""Money: exact decimals, currencies, monthly normalization.

Amounts are kept in major units with four decimals and rounded to the currency's
minor unit only when shown (G1). Sums run on integers of 1/10,000, so that every
engine gives the same number.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from perennial.core.errors import BadValue

#: Integer units in one major unit.
SCALE: Final = 10_000

#: ISO 4217 currencies whose minor unit is not 1/100.
_DIGITS: Final = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
        ],
        0,
    ),
    **dict.fromkeys(["VUV", "XAF", "XOF", "XPF"], 0),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}

#: Months in one billing interval, as an exact fraction (R01).
MONTHS_PER_INTERVAL: Final = {
    "day": (12, 365),
    "week": (12, 52),
    "month": (1, 1),
    "quarter": (3, 1),
    "half_year": (6, 1),
    "year": (12, 1),
}


def currency(code: str) -> str:
    """`code` as an ISO 4217 code; raises `BadValue` when it is not shaped so."""
    cleaned = code.strip().upper()
    if len(cleaned) != 3 or not cleaned.isascii() or not cleaned.isalpha():
        raise BadValue(f"not a currency code: {code!r}")
    return cleaned


def digits(code: str) -> int:
    """Decimals of the currency's minor unit."""
    return _DIGITS.get(code, 2)


def rounded(amount: Decimal, code: str) -> Decimal:
    """`amount` in minor units of its currency, halves away from zero."""
    return amount.quantize(Decimal(1).scaleb(-digits(code)), rounding=ROUND_HALF_UP)


def monthly(amount: Decimal, interval: str, interval_count: int = 1) -> Decimal:
    """What `amount` per `interval_count` intervals is a month, to 4 decimals.

    Source: R01; day 365/12, week 52/12, quarter 1/3, half-year 1/6, year 1/12.
    """
    try:
        numerator, denominator = MONTHS_PER_INTERVAL[interval]
    except KeyError:
        raise BadValue(f"unknown billing interval {interval!r}") from None
    if interval_count < 1:
        raise BadValue(f"interval_count must be 1 or more, not {interval_count}")
    exact = amount * denominator / (numerator * interval_count)
    return exact.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)
