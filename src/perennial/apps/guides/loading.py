"""What became of guides into the lake: events of the system, which make nobody active.

Each under an id of what it says, so that a load that died half-way is done again and
nothing is there twice.
"""

from __future__ import annotations

import json
from typing import Any, Final

import pyarrow as pa

from perennial.apps.guides.models import Showing, Told
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.event_names import GUIDE_EVENTS
from perennial.core.ids import digest
from perennial.lake.guided import SOURCE
from perennial.lake.tables import TABLES

_AT_ONCE: Final = 2_000
_TABLE: Final = TABLES["events"]


def load_waiting() -> None:
    """What browsers told since, of all workspaces."""
    waiting = Told.objects.filter(is_loaded=False)
    if waiting.exists():
        wanted = waiting.values("showing__guide__workspace")
        for workspace in Workspace.objects.filter(pk__in=wanted):
            load(workspace)


def load(workspace: Workspace) -> int:
    """Bring what is behind into the lake; how much it was."""
    lake, loaded = lake_of(workspace).lake, 0
    behind = Told.objects.filter(is_loaded=False, showing__guide__workspace=workspace)
    behind = behind.select_related("showing__guide").order_by("pk")
    with lake.lock("guide_events"):
        while found := list(behind[:_AT_ONCE]):
            rows = [_row(each) for each in found]
            lake.write("events", pa.Table.from_pylist(rows, schema=_TABLE.schema()))
            done = Told.objects.filter(pk__in=[each.pk for each in found])
            loaded += done.update(is_loaded=True)
    return loaded


def _row(told: Told) -> dict[str, Any]:
    showing = told.showing
    guide = showing.guide
    what = (guide.key, showing.person, str(told.times), told.did, told.step)
    return {
        **dict.fromkeys(_TABLE.names),
        "source_id": SOURCE,
        "event_id": digest(*what),
        "event": GUIDE_EVENTS[told.did],
        "timestamp": told.at,
        "received_at": told.at,
        "user_id": showing.person,
        "account_id": showing.account_id or None,
        "properties": json.dumps(_properties(told, showing)),
    }


def _properties(told: Told, showing: Showing) -> dict[str, str]:
    found = {
        "guide_id": str(showing.guide.pk),
        "guide": showing.guide.name,
        "form": showing.guide.form,
        "variant": showing.variant,
    }
    return found | ({"step": told.step} if told.step else {})
