"""Rules of alerts as plain conditions over accounts."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from perennial.apps.work.alerts.rules import BY_KEY, Day

TODAY = date(2026, 6, 1)


def test_other_rules_raise_no_alert_but_a_renewal_that_comes_near_does() -> None:
    """Red or orange, renewal in 60 days. Colored so by another model 10 days ago, it is
    no news; by one 100 days ago, the renewal was far then, and its coming near is."""
    day, rule = Day(TODAY, "UTC"), BY_KEY["renewal_at_risk"]
    frame = pl.DataFrame(
        {
            "account_id": ["score", "model", "long ago", "well"],
            "health_color": ["orange", "orange", "orange", "yellow"],
            "renewal_on": [TODAY + timedelta(days=60)] * 4,
            "recolored_on": [
                None,
                TODAY - timedelta(days=10),
                TODAY - timedelta(days=100),
                None,
            ],
        }
    )
    held = frame.filter(rule.holds(day, 90).fill_null(value=False))
    assert held["account_id"].to_list() == ["score", "long ago"]


def test_seats_that_stagnate_are_news_before_the_renewal() -> None:
    """Told by the trend of a year (U11), 90 days before the renewal; where health is
    bad, that is the news."""
    day, rule = Day(TODAY, "UTC"), BY_KEY["seats_level"]
    days = {"soon": 90, "late": 91, "grows": 60, "unknown": 60, "red": 60}
    frame = pl.DataFrame(
        {
            "account_id": list(days),
            "seat_signal": ["plateau", "plateau", "none", None, "plateau"],
            "health_color": ["green", "green", "green", None, "red"],
            "renewal_on": [TODAY + timedelta(days=n) for n in days.values()],
        }
    )
    held = frame.filter(rule.holds(day, 90).fill_null(value=False))
    assert held["account_id"].to_list() == ["soon"]
