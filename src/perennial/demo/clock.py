"""Time in the demo: days counted from the first day of the window.

A day is a number: 0 is the first day covered, negative days lie before it, and a
fraction is a time of that day. All instants are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from perennial.demo import truths
from perennial.demo.arrow import Dates, Floats, Ints
from perennial.demo.names import COUNTRIES, ZONES

DAY_US = 86_400_000_000

#: Share of a working day's activity, Monday to Sunday.
WEEK = np.array([1.0, 1.04, 1.05, 1.0, 0.86, 0.12, 0.07])

#: Activity between Christmas and New Year.
_CHRISTMAS = 0.65


def add_months(day: date, months: int) -> date:
    """The same day of another month, or its last day where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return min(
        date(year, month + 1, 1) + timedelta(day.day - 1), following - timedelta(1)
    )


@dataclass(frozen=True)
class Window:
    """The days [start, end) that are covered."""

    start: date
    end: date

    @classmethod
    def before(cls, end: date, months: int) -> Window:
        """The months that end the day before `end`."""
        return cls(add_months(end, -months), end)

    @property
    def days(self) -> int:
        """How many days are covered."""
        return (self.end - self.start).days

    def at(self, day: float | Ints | Floats) -> Dates:
        """Instants of days; NaN and infinity have none."""
        days = np.asarray(day, dtype=float)
        known = np.isfinite(days)
        us = np.rint(np.where(known, days, 0) * DAY_US).astype("m8[us]")
        instants = np.datetime64(self.start, "us") + us
        return np.where(known, instants, np.datetime64("NaT", "us"))[()]

    def dates(self, day: float | Ints | Floats) -> Dates:
        """Dates of days."""
        return self.at(np.floor(day)).astype("M8[D]")

    def day_of(self, dates: Dates) -> Ints:
        """The reverse of `dates`."""
        return (dates.astype("M8[D]") - np.datetime64(self.start)).astype(np.int64)

    def add_months(self, day: Ints, months: Ints) -> Ints:
        """Days moved by calendar months; the day of the month must be 28 or less."""
        dates = self.dates(day)
        first = dates.astype("M8[M]")
        moved = (first + np.asarray(months).astype("m8[M]")).astype("M8[D]")
        return self.day_of(moved + (dates - first.astype("M8[D]")))

    def clamp_month_day(self, day: Ints) -> Ints:
        """Days moved back to the 28th where they are the 29th or later."""
        dates = self.dates(day)
        late = (dates - dates.astype("M8[M]").astype("M8[D]")).astype(np.int64) - 27
        return np.asarray(day - np.maximum(late, 0), dtype=np.int64)

    @cached_property
    def month_starts(self) -> Ints:
        """First days of the calendar months that the window touches."""
        first = np.datetime64(self.start, "M")
        last = np.datetime64(self.end - timedelta(1), "M")
        return self.day_of(np.arange(first, last + 1))

    @cached_property
    def weekdays(self) -> Ints:
        """0 is Monday, for each day of the window."""
        return (self.start.weekday() + np.arange(self.days)) % 7

    @cached_property
    def offsets(self) -> npt.NDArray[np.int32]:
        """Minutes from UTC to local time, by zone (of `names.ZONES`) and day."""
        table = np.empty((len(ZONES), self.days), dtype=np.int32)
        for z, name in enumerate(ZONES):
            zone = ZoneInfo(name)
            for d in range(self.days):
                noon = datetime(
                    self.start.year, self.start.month, self.start.day, 12, tzinfo=UTC
                ) + timedelta(d)
                offset = noon.astimezone(zone).utcoffset()
                table[z, d] = (offset or timedelta()).total_seconds() // 60
        return table

    @cached_property
    def seasons(self) -> Floats:
        """Activity by country (of `names.COUNTRIES`) and day, without weekdays."""
        dates = np.datetime64(self.start) + np.arange(self.days)
        year = dates.astype("M8[Y]")
        of_year = (dates - year.astype("M8[D]")).astype(float)
        dip = -truths.effect("summer_dip")
        quiet = np.where((of_year >= 356) | (of_year <= 2), _CHRISTMAS, 1.0)
        return np.stack(
            [
                quiet
                * (1 - dip * c.depth * np.exp(-(((of_year - c.summer) / 17) ** 2)))
                for c in COUNTRIES
            ]
        )
