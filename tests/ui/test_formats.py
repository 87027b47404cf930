from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from perennial.ui import formats
from perennial.ui.formats import Number, Regional

EN = Regional("en", "EUR", "Europe/Berlin")
DE = Regional("de", "EUR", "Europe/Berlin")
SV = Regional("sv", "SEK", "Europe/Stockholm")
TODAY = date(2026, 5, 12)


@pytest.mark.parametrize(
    ("value", "regional", "said"),
    [
        (684210, EN, "€684,210"),
        (99.5, EN, "€99.50"),
        (Decimal("100.49"), EN, "€100"),
        (12, EN, "€12"),
        (-2400, EN, "−€2,400"),
        (None, EN, "–"),
        (684210, DE, "684.210\u00a0€"),
        (-99.5, DE, "−99,50\u00a0€"),
        (684210, SV, "684\u00a0210\u00a0kr"),
        (1234, Regional("en", "USD"), "$1,234"),
        (1234, Regional("en", "CHF"), "CHF\u00a01,234"),
    ],
)
def test_money(value: Number | None, regional: Regional, said: str) -> None:
    assert formats.money(value, regional) == said


@pytest.mark.parametrize(
    ("value", "places", "said"),
    [
        (1234.5, 0, "1,235"),
        (2.5, 0, "3"),
        (-0.4, 0, "0"),
        (-3.25, 1, "−3.3"),
        (None, 0, "–"),
    ],
)
def test_number(value: Number | None, places: int, said: str) -> None:
    assert formats.number(value, EN, places) == said


def test_percent() -> None:
    assert formats.percent(0.895, EN) == "89.5%"
    assert formats.percent(0.895, DE) == "89,5\u00a0%"
    assert formats.percent(0.31, EN, 0) == "31%"


def test_money_without_its_sign_for_columns() -> None:
    assert formats.money_plain(6900, EN) == "6,900"
    assert formats.currency_symbol(EN) == "€"


def test_days() -> None:
    assert formats.day(date(2026, 6, 22), EN, TODAY) == "22 Jun"
    assert formats.day(date(2027, 1, 31), EN, TODAY) == "31 Jan ’27"
    assert formats.day(date(2026, 6, 22), DE, TODAY) == "22. Juni"
    assert formats.day(None, EN, TODAY) == "–"


def test_a_moment_falls_on_the_day_of_the_workspace() -> None:
    late = datetime(2026, 6, 21, 22, 30, tzinfo=UTC)
    assert formats.day(late, EN, TODAY) == "22 Jun"
    assert formats.days_between(late, datetime(2026, 6, 22, 10, tzinfo=UTC), EN) == 0
    assert formats.exact(late, EN) == "Mon 22 Jun 2026, 00:30 CEST"
    assert formats.exact(date(2026, 6, 22), EN) == "Mon 22 Jun 2026"
    assert formats.clock(late, EN) == "00:30"


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Maja Lindqvist", "ML"),
        ("jonas@aldermoor.example", "J"),
        ("maja.lindqvist@x.example", "ML"),
        ("Åsa", "Å"),
        ("", "?"),
        ("…", "?"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert formats.initials(name) == letters
