"""Calendar arithmetic: the only place that does it.

Everything is half-open, `[start, end)`. Instants are UTC; days, weeks, months,
quarters and years belong to the workspace's time zone. A local day lasts 23, 24
or 25 hours, so days are never reached by adding seconds (G2 of the reference).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from perennial.core.errors import BadValue

DAY = timedelta(days=1)


class Grain(StrEnum):
    """How finely a span of time is cut."""

    TOTAL = "total"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, order=True)
class Period:
    """The local days `[start, end)`."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise BadValue(
                f"a period must end after it starts: {self.start}..{self.end}"
            )

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def __iter__(self) -> Iterator[date]:
        """Every local day, first to last."""
        return (self.start + DAY * n for n in range(self.days))

    def trailing(self, days: int) -> Period:
        """The `days` days that end with this period."""
        return Period(self.end - DAY * days, self.end)


@dataclass(frozen=True)
class Calendar:
    """Where weeks and fiscal years begin: an ISO weekday (Monday = 1), a month."""

    week_start: int = 1
    year_start: int = 1


ISO = Calendar()


@dataclass(frozen=True)
class Schedule:
    """When people work: weekdays (Monday = 1), local hours, and holidays.

    `opens` and `closes` are local times of a day, `closes` exclusive.
    """

    weekdays: frozenset[int]
    opens: time
    closes: time
    holidays: frozenset[date]

    @classmethod
    def of(
        cls, weekdays: Iterable[str], hours: str, holidays: Iterable[str]
    ) -> Schedule:
        """From the texts of settings, as "1" to "7", "09:00-17:00", "2026-12-24"."""
        try:
            opens, closes = (time.fromisoformat(t) for t in hours.split("-"))
            days = frozenset(int(day) for day in weekdays)
            free = frozenset(date.fromisoformat(day) for day in holidays)
        except ValueError as error:
            raise BadValue(
                f"business hours or holidays cannot be read: {error}"
            ) from None
        if opens >= closes or not days <= set(range(1, 8)):
            raise BadValue(
                "business hours need weekdays 1 to 7 and an end after the start"
            )
        return cls(days, opens, closes, free)

    def is_open(self, day: date) -> bool:
        return day.isoweekday() in self.weekdays and day not in self.holidays

    def hours(self, day: date, tz: ZoneInfo) -> tuple[datetime, datetime] | None:
        """First instant of work of a local day and the one after it (UTC)."""
        if not self.is_open(day):
            return None
        opens, closes = (
            datetime.combine(day, at, tzinfo=tz).astimezone(UTC)
            for at in (self.opens, self.closes)
        )
        return opens, closes


def zone(name: str) -> ZoneInfo:
    """The IANA zone `name`; raises `BadValue` when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError) as error:
        raise BadValue(f"unknown time zone {name!r}") from error


def local_date(instant: datetime, tz: ZoneInfo) -> date:
    """The local day an instant falls on."""
    return instant.astimezone(tz).date()


def day_start(day: date, tz: ZoneInfo) -> datetime:
    """First instant of a local day, in UTC.

    Where clocks jump over midnight the day begins with the first instant there
    is; where midnight comes twice, with the first of the two.
    """
    midnight = datetime.combine(day, time.min, tzinfo=tz).astimezone(UTC)
    if local_date(midnight, tz) < day:  # a gap: fold=0 points before it
        return _first_instant(day, tz, midnight)
    return midnight


def _first_instant(day: date, tz: ZoneInfo, before: datetime) -> datetime:
    """Bisect to the second for the first instant of `day` after `before`."""
    low, high = 0, 26 * 3600
    while high - low > 1:
        middle = (low + high) // 2
        if local_date(before + timedelta(seconds=middle), tz) < day:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)


def day_bounds(day: date, tz: ZoneInfo) -> tuple[datetime, datetime]:
    """First instant of a local day and of the next one, in UTC."""
    return day_start(day, tz), day_start(day + DAY, tz)


def floor(day: date, grain: Grain, calendar: Calendar = ISO) -> date:
    """First day of the period of `grain` that holds `day`."""
    months_into_year = (day.month - calendar.year_start) % 12
    match grain:
        case Grain.WEEK:
            return day - DAY * ((day.isoweekday() - calendar.week_start) % 7)
        case Grain.MONTH:
            return day.replace(day=1)
        case Grain.QUARTER:
            return add_months(day.replace(day=1), -(months_into_year % 3))
        case Grain.YEAR:
            return add_months(day.replace(day=1), -months_into_year)
        case _:
            return day


def following(first: date, grain: Grain) -> date:
    """First day of the period after the one that begins with `first`."""
    match grain:
        case Grain.WEEK:
            return first + DAY * 7
        case Grain.MONTH:
            return add_months(first, 1)
        case Grain.QUARTER:
            return add_months(first, 3)
        case Grain.YEAR:
            return add_months(first, 12)
        case _:
            return first + DAY


def add_months(day: date, months: int) -> date:
    """The same day `months` later, or the last day of a shorter month."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = (date(year + (month0 == 11), (month0 + 1) % 12 + 1, 1) - DAY).day
    return date(year, month0 + 1, min(day.day, last))


def month_end(day: date) -> date:
    """Last day of the month that holds `day`."""
    return add_months(day.replace(day=1), 1) - DAY


def periods(
    start: date, end: date, grain: Grain, calendar: Calendar = ISO
) -> tuple[Period, ...]:
    """`[start, end)` cut into whole periods of `grain`, the ends cut to fit."""
    if grain is Grain.TOTAL:
        return (Period(start, end),)
    cuts = []
    first = floor(start, grain, calendar)
    while first < end:
        after = following(first, grain)
        cuts.append(Period(max(first, start), min(after, end)))
        first = after
    return tuple(cuts)


def months_between(first: date, last: date) -> int:
    """Whole months from `first` to `last`; negative when `last` is earlier."""
    if last < first:
        return -months_between(last, first)
    months = (last.year - first.year) * 12 + last.month - first.month
    return months - (add_months(first, months) > last)


@dataclass(frozen=True)
class Offset:
    """From instant `since` on (UTC), local time is UTC plus `seconds`."""

    since: datetime
    seconds: int


@lru_cache(maxsize=64)
def offsets(tz: ZoneInfo, start: datetime, end: datetime) -> tuple[Offset, ...]:
    """Every UTC offset of a zone between two instants, oldest first.

    Engines disagree on time zones, so local days are computed from this table
    with integer arithmetic (measured: both cast forms silently stay in UTC).
    """
    step = timedelta(days=7)
    found = [Offset(start, _offset(start, tz))]
    at = start
    while at < end:
        after = min(at + step, end)
        if _offset(after, tz) != found[-1].seconds:
            after = _change(tz, at, after)
            found.append(Offset(after, _offset(after, tz)))
        at = after
    return tuple(found)


def _offset(instant: datetime, tz: ZoneInfo) -> int:
    offset = instant.astimezone(tz).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _change(tz: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """First instant in (low, high] with another offset than at `low`."""
    before = _offset(low, tz)
    span = int((high - low).total_seconds())
    left, right = 0, span
    while right - left > 1:
        middle = (left + right) // 2
        if _offset(low + timedelta(seconds=middle), tz) == before:
            left = middle
        else:
            right = middle
    return low + timedelta(seconds=right)
