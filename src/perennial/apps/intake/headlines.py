"""The sentence under each title: the answer of the page, computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from perennial.apps.intake.imports import Import
from perennial.apps.intake.queries import Freshness, TableLine
from perennial.apps.intake.uploads import Checked
from perennial.apps.jobs.models import JobRun, State
from perennial.ui import formats
from perennial.ui.formats import Regional


@dataclass(frozen=True)
class Headline:
    lead: str
    rest: str = ""


def data(
    tables: Sequence[TableLine], fresh: Freshness | None, regional: Regional
) -> Headline:
    """Does everything arrive?"""
    filled = sum(1 for table in tables if table.rows)
    rows = sum(table.rows for table in tables)
    rest = ngettext(
        "%(rows)s rows in %(n)s table.", "%(rows)s rows in %(n)s tables.", filled
    ) % {"rows": formats.number(rows, regional), "n": filled}
    if not filled:
        return Headline(_("Nothing has arrived yet."))
    if fresh is None:
        return Headline(_("No events have arrived yet."), rest)
    if fresh.is_late:
        lead = _("Events are late: the newest is %(age)s old.")
        return Headline(lead % {"age": age_text(fresh.late_by)}, rest)
    return Headline(
        _("Everything arrives: events up to %(at)s.") % {"at": fresh.said}, rest
    )


def age_text(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    if hours < 48:
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    return ngettext("%(n)s day", "%(n)s days", hours // 24) % {"n": hours // 24}


def uploaded(
    checked: Checked | None, run: JobRun | None, regional: Regional
) -> Headline:
    if run is not None:
        return _running(run)
    if checked is None:
        return Headline(_("The file is being checked."), _("Nothing is loaded yet."))
    if checked.error:
        return Headline(_("This file cannot be read."), _("Nothing was loaded."))
    good = formats.number(checked.good, regional)
    lead = ngettext("%(n)s row is good.", "%(n)s rows are good.", checked.good)
    rest = _("Nothing is loaded before you confirm.")
    if checked.rejected:
        bad = ngettext(
            "%(n)s cannot be taken.", "%(n)s cannot be taken.", checked.rejected
        ) % {"n": formats.number(checked.rejected, regional)}
        rest = f"{bad} {rest}"
    return Headline(lead % {"n": good}, rest)


def _running(run: JobRun) -> Headline:
    if run.state == State.DONE:
        return Headline(_("The file is imported."), _("All numbers are up to date."))
    if run.state == State.FAILED:
        return Headline(_("The import stopped."), run.error)
    return Headline(
        _("The file is being imported."), _("You may leave this page; it goes on.")
    )


def imported(found: Import, regional: Regional) -> Headline:
    loaded = formats.number(found.loaded, regional)
    lead = ngettext("%(n)s row was loaded.", "%(n)s rows were loaded.", found.loaded)
    facts = {
        "unchanged": formats.number(found.unchanged, regional),
        "rejected": formats.number(found.rejected, regional),
    }
    if found.finished_at is None:
        rest = _("The import was broken off; import the file again to finish it.")
    elif found.rejected:
        rest = _("%(unchanged)s were known already; %(rejected)s could not be taken.")
    else:
        rest = _("%(unchanged)s were known already; none was refused.")
    return Headline(lead % {"n": loaded}, rest % facts)
