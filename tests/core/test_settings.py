"""What settings there are, how people write them, and what does not fit."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.core.errors import BadValue, UnknownName
from perennial.core.settings import Settings, groups, written


def test_every_setting_is_in_one_group() -> None:
    named = [name for names in groups().values() for name in names]
    assert sorted([*named, "health"]) == sorted(f.name for f in fields(Settings))


def test_the_defaults_are_read_as_they_are_written() -> None:
    named = [name for names in groups().values() for name in names]
    said = {name: written(getattr(Settings(), name)) for name in named}
    assert Settings().with_values(dict(said)) == Settings()


@given(st.lists(st.sampled_from(["a.example", "b.example", "c.example"]), max_size=3))
def test_lists_are_written_with_commas_or_lines(domains: list[str]) -> None:
    for between in (", ", ",", "\n"):
        made = Settings().with_values({"internal_domains": between.join(domains)})
        assert made.internal_domains == tuple(domains)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mau_days", "0"),
        ("mau_days", "many"),
        ("mad_z", "nan"),
        ("mad_z", "inf"),
        ("clv_discount_month", "-0.1"),
        ("dip_threshold", "-1.5"),
        ("month_close_days", "-2"),
        ("week_start", "8"),
        ("fiscal_year_start", "13"),
        ("timezone", "Mars/Olympus"),
        ("currency", "money"),
        ("business_hours", "17:00-09:00"),
        ("holidays", "2026-12-25, some day"),
        ("customers_known_from", "long ago"),
        ("churn_recognition", "at will"),
        ("band_cuts", "0.5, 0.4, 0.9"),
        ("band_cuts", "0.5, 0.6"),
        ("band_cuts", "low, middle, high"),
        ("freq_frequent", "17"),
    ],
)
def test_what_does_not_fit_is_refused(key: str, value: str) -> None:
    with pytest.raises(BadValue):
        Settings().with_values({key: value})


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownName):
        Settings().with_values({"mau": "30"})
