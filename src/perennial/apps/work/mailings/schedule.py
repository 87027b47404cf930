"""When a mailing is due. Local mornings of the workspace; no clock of its own."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

#: Local hour from which mailings go out: the numbers of yesterday are there.
HOUR: Final = 7
#: Who was down for longer lets that morning go.
CATCH_UP: Final = timedelta(days=2)


def last_moment(every: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The newest moment of a schedule that is not in the future."""
    local = now.astimezone(zone)
    day = local.date() if local.hour >= HOUR else local.date() - timedelta(days=1)
    return _at(_begins(every, day), zone)


def next_moment(every: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The first moment of a schedule that is still to come."""
    last = last_moment(every, now, zone).date()
    step = {"day": 1, "week": 7, "month": 31}[every]
    return _at(_begins(every, last + timedelta(days=step)), zone)


def is_due(
    moment: datetime, now: datetime, *, since: datetime, sent_for: datetime | None
) -> bool:
    """Is this moment after the schedule began, not too long ago, and not sent?"""
    is_new = sent_for is None or sent_for < moment
    return is_new and moment > since and now - moment < CATCH_UP


def _begins(every: str, day: date) -> date:
    """The day a mail of a day's week or month goes out."""
    if every == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if every == "month" else day


def _at(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(HOUR), zone)
