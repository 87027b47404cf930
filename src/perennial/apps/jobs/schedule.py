"""When a schedule last meant to run, and when it will next."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from croniter import croniter


def last_slot(cron: str, zone: str, now: datetime) -> datetime | None:
    """The latest minute at or before `now`; in UTC, so that it compares."""
    if not cron:
        return None
    local = now.astimezone(ZoneInfo(zone)).replace(second=0, microsecond=0)
    if croniter.match(cron, local):
        return local.astimezone(UTC)
    return croniter(cron, local).get_prev(datetime).astimezone(UTC)


def next_slot(cron: str, zone: str, now: datetime) -> datetime | None:
    if not cron:
        return None
    local = now.astimezone(ZoneInfo(zone))
    return croniter(cron, local).get_next(datetime).astimezone(UTC)
