"""The sentence under each title: the answer of the page, computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from perennial.apps.intake.arriving import Arrival
from perennial.apps.intake.catalog import Line
from perennial.apps.intake.imports import Import
from perennial.apps.intake.live import Arrived, Asked
from perennial.apps.intake.queries import Freshness, TableLine
from perennial.apps.intake.rejected import Group
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


def sources(found: Sequence[Arrival]) -> Headline:
    """Does every source send?"""
    if not found:
        return Headline(_("Nothing sends events yet."))
    late = [one for one in found if one.state == "late"]
    heard = [one for one in found if one.state in ("live", "quiet")]
    if late:
        lead = _("%(name)s has been silent for %(age)s.")
        silent = late[0].now - (late[0].last_at or late[0].now)
        return Headline(
            lead % {"name": late[0].source.name, "age": short_age(silent)},
            _("It sent in most of the hours before."),
        )
    waiting_ = [one for one in found if one.state == "never"]
    lead = ngettext(
        "%(n)s source sends events.", "%(n)s sources send events.", len(heard)
    ) % {"n": len(heard)}
    if not waiting_:
        return Headline(lead)
    rest = ngettext(
        "%(n)s waits for its first.", "%(n)s wait for their first.", len(waiting_)
    )
    return Headline(lead, rest % {"n": len(waiting_)})


def source(one: Arrival) -> Headline:
    if one.source.archived_at:
        return Headline(_("This source is archived."), _("Its events stay."))
    if one.state == "closed":
        return Headline(_("No key lets this source send."), _("Make a new one."))
    if one.last_at is None:
        return Headline(
            _("No event has come yet."), _("The set-up shows the lines to copy.")
        )
    age = short_age(one.now - one.last_at)
    return Headline(_("The last event came %(age)s ago.") % {"age": age})


def short_age(age: timedelta) -> str:
    """ "12 s", "5 min", then hours and days."""
    seconds = max(int(age.total_seconds()), 0)
    if seconds < 60:
        return _("%(n)s s") % {"n": seconds}
    if seconds < 3600:
        return _("%(n)s min") % {"n": seconds // 60}
    return age_text(age)


def live(rows: Sequence[Arrived], asked: Asked, *, is_paused: bool) -> Headline:
    if is_paused:
        return Headline(_("Paused."), _("Events go on being taken."))
    if not rows:
        return Headline(
            _("Nothing that matches came in the last minutes.")
            if asked.is_set
            else _("Nothing came in the last minutes.")
        )
    refused = sum(1 for row in rows if row.code)
    rest = ngettext(
        "%(n)s of these could not be taken.",
        "%(n)s of these could not be taken.",
        refused,
    ) % {"n": refused}
    return Headline(_("Events are arriving."), rest if refused else "")


def rejects(groups: Sequence[Group], regional: Regional) -> Headline:
    total = sum(group.total for group in groups)
    if not total:
        return Headline(_("Every call of the last 30 days was taken."))
    lead = ngettext(
        "%(n)s call could not be taken in 30 days.",
        "%(n)s calls could not be taken in 30 days.",
        total,
    ) % {"n": formats.number(total, regional)}
    today = sum(group.day for group in groups)
    rest = _("%(n)s of them in the last 24 hours. None is lost: each is kept.")
    return Headline(lead, rest % {"n": formats.number(today, regional)})


def catalog(found: Sequence[Line], regional: Regional) -> Headline:
    if not found:
        return Headline(_("No event has come yet."))
    guesses = sum(1 for one in found if one.definition.is_guess)
    lead = ngettext("%(n)s event is known.", "%(n)s events are known.", len(found)) % {
        "n": formats.number(len(found), regional)
    }
    if not guesses:
        return Headline(lead, _("What each means was said by a person."))
    rest = ngettext(
        "What %(n)s of them means is a guess, until a person confirms it.",
        "What %(n)s of them mean is a guess, until a person confirms it.",
        guesses,
    )
    return Headline(lead, rest % {"n": formats.number(guesses, regional)})


def event(line: Line, regional: Regional) -> Headline:
    seen = line.seen
    if not seen.events:
        return Headline(_("It has a definition, but never came."))
    lead = ngettext(
        "%(n)s event in the last 30 days,",
        "%(n)s events in the last 30 days,",
        seen.recent,
    ) % {"n": formats.number(seen.recent, regional)}
    rest = ngettext(
        "of %(users)s user on the busiest day.",
        "of %(users)s users on the busiest day.",
        seen.users,
    )
    return Headline(lead, rest % {"users": formats.number(seen.users, regional)})
