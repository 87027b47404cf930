"""Calendar arithmetic over many zones, checked against the zone library itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.core import windows
from perennial.core.errors import BadValue
from perennial.core.windows import DAY, Calendar, Grain, Period

# Whole-day jumps over the date line (Samoa, Kwajalein) have no such local day.
_WITHOUT_A_DAY = {"Pacific/Apia", "Pacific/Fakaofo", "Pacific/Kwajalein", "Kwajalein"}
ZONES = sorted(z for z in available_timezones() - _WITHOUT_A_DAY if "/" in z)

zones = st.sampled_from(ZONES).map(ZoneInfo)
days = st.dates(date(1990, 1, 1), date(2037, 12, 30))
grains = st.sampled_from([g for g in Grain if g is not Grain.TOTAL])
calendars = st.builds(Calendar, st.integers(1, 7), st.integers(1, 12))


@given(day=days, tz=zones)
def test_a_day_begins_with_its_first_instant(day: date, tz: ZoneInfo) -> None:
    start = windows.day_start(day, tz)
    assert windows.local_date(start, tz) == day
    assert windows.local_date(start - timedelta(seconds=1), tz) < day


@given(day=days, tz=zones)
def test_days_follow_each_other(day: date, tz: ZoneInfo) -> None:
    start, end = windows.day_bounds(day, tz)
    assert timedelta(hours=20) <= end - start <= timedelta(hours=28)
    assert end == windows.day_start(day + DAY, tz)


def test_days_of_a_change_of_clocks() -> None:
    """TZ-1: 23 and 25 hours in Berlin."""
    berlin = ZoneInfo("Europe/Berlin")
    found = {
        day: windows.day_bounds(date.fromisoformat(day), berlin)
        for day in ("2026-03-29", "2026-10-25", "2026-07-01")
    }
    assert [(b - a) / timedelta(hours=1) for a, b in found.values()] == [23, 25, 24]
    assert found["2026-03-29"][0] == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert found["2026-10-25"][1] == datetime(2026, 10, 25, 23, tzinfo=UTC)


def test_the_week_of_new_year_belongs_to_the_old_year() -> None:
    """TZ-1: 1 January 2027 is in ISO week 2026-W53."""
    assert windows.floor(date(2027, 1, 1), Grain.WEEK) == date(2026, 12, 28)
    assert windows.floor(date(2027, 1, 4), Grain.WEEK) == date(2027, 1, 4)


@given(start=days, length=st.integers(1, 900), grain=grains, calendar=calendars)
def test_periods_cover_a_span_without_gap_or_overlap(
    start: date, length: int, grain: Grain, calendar: Calendar
) -> None:
    end = start + DAY * length
    cuts = windows.periods(start, end, grain, calendar)
    assert cuts[0].start == start
    assert cuts[-1].end == end
    assert all(a.end == b.start for a, b in pairwise(cuts))
    for cut in cuts[1:]:
        assert cut.start == windows.floor(cut.start, grain, calendar)


@pytest.mark.parametrize(
    ("grain", "first"),
    [(Grain.QUARTER, date(2026, 1, 1)), (Grain.YEAR, date(2025, 4, 1))],
)
def test_a_fiscal_year_from_april(grain: Grain, first: date) -> None:
    calendar = Calendar(year_start=4)
    assert windows.floor(date(2026, 3, 31), grain, calendar) == first
    april = date(2026, 4, 1)
    assert windows.floor(april, grain, calendar) == april


@given(day=days, grain=grains, calendar=calendars)
def test_a_period_holds_its_days(day: date, grain: Grain, calendar: Calendar) -> None:
    first = windows.floor(day, grain, calendar)
    assert first <= day < windows.following(first, grain)


@given(day=days, months=st.integers(-60, 60))
def test_adding_months_keeps_the_day_or_takes_the_last(day: date, months: int) -> None:
    moved = windows.add_months(day, months)
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day == day.day or (moved + DAY).day == 1


@given(one=days, other=days)
def test_whole_months_between(one: date, other: date) -> None:
    first, last = sorted((one, other))
    months = windows.months_between(first, last)
    assert windows.add_months(first, months) <= last
    assert windows.add_months(first, months + 1) > last
    assert windows.months_between(last, first) == -months


@given(tz=zones, start=days, length=st.integers(1, 800), at=st.floats(0, 1))
def test_offsets_give_the_local_day(
    tz: ZoneInfo, start: date, length: int, at: float
) -> None:
    low = datetime(start.year, start.month, start.day, tzinfo=UTC)
    high = low + DAY * length
    instant = low + (high - low) * at
    table = windows.offsets(tz, low, high)
    (offset,) = [o for o in table if o.since <= instant][-1:]
    local = instant + timedelta(seconds=offset.seconds)
    assert local.date() == windows.local_date(instant, tz)


def test_periods_must_end_after_they_start() -> None:
    with pytest.raises(BadValue):
        Period(date(2026, 1, 2), date(2026, 1, 2))
    with pytest.raises(BadValue, match="Mars"):
        windows.zone("Mars/Olympus")
