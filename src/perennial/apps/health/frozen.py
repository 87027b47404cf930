"""Scores that are carried over because tracking broke, said on every page."""

from __future__ import annotations

from django.utils.translation import gettext as _

from perennial.apps.customers.kept import kept
from perennial.core.windows import DAY
from perennial.lake import incidents
from perennial.lake.workspace import Workspace as Lake
from perennial.ui import formats
from perennial.ui.formats import Regional


def notice(lake: Lake, regional: Regional) -> str:
    """What is wrong and what is safe; empty where events arrive as they do."""
    found = _last(lake)
    if found is None:
        return ""
    events, usual = found
    return _(
        "Yesterday only %(events)s events arrived, usual are %(usual)s. Scores are "
        "those of the day before: nobody turned red because tracking broke."
    ) % {
        "events": formats.number(events, regional),
        "usual": formats.number(usual, regional),
    }


@kept("account_measures", incidents.NAME, size=64)
def _last(lake: Lake) -> tuple[int, float] | None:
    """Events and what is usual, where the last day scored was an outage."""
    table = lake.table("account_measures")
    as_of = lake.engine.run(table.agg(as_of=table.as_of.max()))["as_of"][0]
    rows = lake.lake.read(incidents.NAME).to_pylist()
    found = [row for row in rows if as_of and row["date"] == as_of - DAY]
    return (found[0]["events"], found[0]["expected"]) if found else None
