"""Events over HTTP, in the order they happened."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import ibis
import ibis.expr.types as ir
from ninja import Router, Schema
from pydantic import Field

from perennial.api import paging
from perennial.api.problems import ERRORS
from perennial.apps.customers import wording
from perennial.apps.team import tokens
from perennial.apps.team.access import TokenRequest
from perennial.apps.team.lake import lake_of
from perennial.core.errors import BadValue
from perennial.core.windows import DAY, day_start, zone
from perennial.lake.workspace import Workspace as Lake

router = Router(auth=tokens.READ, tags=["events"])

#: Days that are listed where none are asked for.
_USUAL = 7


class EventOut(Schema):
    """What somebody did, as it was sent."""

    event_id: str
    event: str
    timestamp: datetime
    received_at: datetime | None
    user_id: str | None
    anonymous_id: str | None
    account_id: str | None
    properties: dict[str, Any] | None = Field(
        description="May name people: null for tokens that only read."
    )


@router.get("/events", response={200: paging.Page[EventOut], **ERRORS})
def list_events(
    request: TokenRequest,
    start: date | None = None,
    end: date | None = None,
    account_id: str = "",
    user_id: str = "",
    event: str = "",
    limit: paging.Limit = paging.USUAL,
    cursor: str | None = None,
) -> paging.Page[EventOut]:
    """Events by time: of local days from start to before end, else of the last 7."""
    lake = lake_of(request.auth.workspace)
    found = _within(lake, lake.table("events"), start, end)
    asked = {"account_id": account_id, "user_id": user_id, "event": event}
    for name, text in asked.items():
        found = found.filter(found[name] == text) if text else found
    found = found.mutate(source_id=found.source_id.fill_null(""))
    last = paging.after(cursor)
    if last is not None:
        found = found.filter(_later(found, last))
    ordered = found.order_by("timestamp", "source_id", "event_id").limit(limit + 1)
    rows = list(lake.engine.run(ordered).iter_rows(named=True))
    more = paging.cursor(_key(rows[limit - 1])) if len(rows) > limit else None
    is_open = wording.reads_all(request.auth)
    items = [_event(row, is_open=is_open) for row in rows[:limit]]
    return paging.Page(items=items, next_cursor=more)


def _within(
    lake: Lake, events: ir.Table, start: date | None, end: date | None
) -> ir.Table:
    end = lake.day(end) or lake.today + DAY
    start = lake.day(start) or end - _USUAL * DAY
    if start >= end:
        raise BadValue(f"end must be after start: {start}..{end}")
    tz = zone(lake.settings.timezone)
    first, last = (ibis.timestamp(day_start(day, tz)) for day in (start, end))
    return events.filter((events.timestamp >= first) & (events.timestamp < last))


def _key(row: dict[str, Any]) -> str:
    return json.dumps([row["timestamp"].isoformat(), row["source_id"], row["event_id"]])


def _later(events: ir.Table, last: str) -> ir.BooleanValue:
    """Those after the last one of the page before."""
    try:
        at, source, key = json.loads(last)
        moment = ibis.timestamp(datetime.fromisoformat(at).astimezone(UTC))
    except (ValueError, TypeError):
        raise BadValue("not a cursor of events") from None
    is_next = (events.source_id > str(source)) | (
        (events.source_id == str(source)) & (events.event_id > str(key))
    )
    return (events.timestamp > moment) | ((events.timestamp == moment) & is_next)


def _event(row: dict[str, Any], *, is_open: bool) -> EventOut:
    same = {name: row[name] for name in EventOut.model_fields if name != "properties"}
    properties = row["properties"] if is_open else None
    return EventOut(**same, properties=json.loads(properties) if properties else None)
