"""What people did with guides, as conditions on accounts ask for it.

A field is called `guide:finished/12`: what was done, and the guide's number. Its name
may change. The rows are events of the system (`core.event_names`), written by the
application alone, so their properties are text of one form.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Final

import ibis.expr.types as ir

from perennial.core.errors import UnknownName
from perennial.core.windows import DAY, day_start
from perennial.metrics.conditions import Row

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

#: The source these events are of.
SOURCE: Final = "guides"
#: What a condition can speak of, and the event it is.
DID: Final[Mapping[str, str]] = {
    did: f"$guide_{did}" for did in ("seen", "finished", "dismissed", "lost")
}


def count(workspace: Workspace, row: Row, day: date, is_past: bool) -> ir.Table:
    """How often people of an account did it on the days before `day`."""
    did, _slash, guide = row.name.partition("/")
    if did not in DID:
        raise UnknownName("guide event", did, list(DID))
    tz = workspace.settings.tz
    events = _events(workspace)
    mine = events.filter(
        events.event == DID[did],
        events.timestamp >= day_start(day - DAY * (row.days or 0), tz),
        events.timestamp < day_start(day, tz),
        events.properties.contains(json.dumps({"guide_id": guide})[1:-1]),
    )
    return mine.group_by("account_id").agg(value=mine.count())


def _events(workspace: Workspace) -> ir.Table:
    events = workspace.engine.table("events")
    return events.filter(events.source_id == SOURCE)
