"""What the page Data reads: tables, how fresh they are, imports, the last refresh."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from perennial.apps.customers.kept import kept
from perennial.apps.intake.words import TABLE_NAMES, about_text
from perennial.apps.jobs import queries as jobs
from perennial.apps.jobs.models import JobRun, State
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.lake.tables import FACTS
from perennial.lake.workspace import Workspace as Lake
from perennial.ui import formats
from perennial.ui.formats import Regional

#: Events older than this are late.
LATE = timedelta(hours=24)
#: Tables whose rows say how far the data reach, and in which column.
_DATED = {"events": "timestamp", "usage": "date"}
#: Where the newest event is looked for first.
_RECENT = timedelta(days=62)


@dataclass(frozen=True)
class Freshness:
    """How far the data reach."""

    at: datetime
    said: str
    exact: str
    is_late: bool
    late_by: timedelta


@dataclass(frozen=True)
class TableLine:
    name: str
    title: str | Promise
    about: str
    rows: int
    changed_at: datetime | None


@dataclass(frozen=True)
class Refreshed:
    """The last refresh: when it ended, and how long it took where that is known."""

    at: datetime | None
    took: timedelta | None
    run: JobRun | None


def freshness(workspace: Workspace) -> Freshness | None:
    """The newest event that is not in the future; None without events."""
    lake = lake_of(workspace)
    newest = _newest_event(lake)
    if newest is None:
        return None
    settings = lake.settings
    regional = Regional("en", settings.currency, settings.timezone)
    age = lake.now - newest
    return Freshness(
        newest, _said(newest, lake), formats.exact(newest, regional), age > LATE, age
    )


def _said(at: datetime, lake: Lake) -> str:
    """ "06:40 today", "22 Nov"."""
    local, today = at.astimezone(lake.settings.tz), lake.today
    if local.date() == today:
        return _("%(time)s today") % {"time": f"{local:%H:%M}"}
    if local.date() == today - timedelta(days=1):
        return _("%(time)s yesterday") % {"time": f"{local:%H:%M}"}
    return formats.day(local, Regional("en", timezone=lake.settings.timezone), today)


@kept("events", shared=True)
def _newest_event(lake: Lake) -> datetime | None:
    events = lake.table("events")
    now = lake.now
    past = events.filter(events.timestamp <= now)
    for rows in (past.filter(past.timestamp > now - _RECENT), past):
        found = lake.engine.run(rows.agg(at=rows.timestamp.max()))["at"][0]
        if found is not None:
            return cast("datetime", found).astimezone(UTC)
    return None


def tables(workspace: Workspace) -> list[TableLine]:
    """Every fact table, those with rows first."""
    lake = lake_of(workspace)
    lines = [
        TableLine(
            table.name,
            TABLE_NAMES.get(table.name, table.name.replace("_", " ").capitalize()),
            about_text(table.about),
            lake.lake.count(table.name),
            changed_at(lake, table.name),
        )
        for table in FACTS.values()
    ]
    return sorted(lines, key=lambda line: line.rows == 0)


def changed_at(lake: Lake, name: str) -> datetime | None:
    """When the newest commit of a table was made; None where it has none.

    Read from the file of the commit: opening the history takes far longer.
    """
    version = lake.lake.snapshot(name).version
    if version < 0:
        return None
    commit = Path(lake.lake.uri(name)) / "_delta_log" / f"{version:020d}.json"
    try:
        return datetime.fromtimestamp(commit.stat().st_mtime, UTC)
    except OSError:  # the lake is not a folder, or the log was cleaned up
        return None


def last_refresh(workspace: Workspace) -> Refreshed:
    run = jobs.latest(workspace, "refresh")
    at = changed_at(lake_of(workspace), "account_measures")
    done = workspace.job_runs.filter(name="refresh", state=State.DONE)
    last = done.order_by("-pk").first()
    if last and last.finished_at and (at is None or last.finished_at >= at):
        return Refreshed(last.finished_at, last.duration, run)
    return Refreshed(at, None, run)
