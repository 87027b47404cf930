"""Background work on what was sent: files and events."""

from __future__ import annotations

from django.utils.translation import gettext as _

from perennial.apps.customers import note_actions
from perennial.apps.intake import actions
from perennial.apps.intake.files import ImportOptions, import_file
from perennial.apps.intake.replay import replay
from perennial.apps.intake.stream import loader
from perennial.apps.intake.uploads import Unusable, Upload, upload_of
from perennial.apps.jobs import actions as jobs
from perennial.apps.jobs.registry import Report
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import User, Workspace
from perennial.core.errors import BadValue

#: Share of the progress that loading takes; the rest is the refresh.
_LOADING = 0.5


def refresh_workspace(workspace: str, report: Report) -> None:
    """What waits in the inbox, then roll-ups and health, as far as they lag behind."""
    where = Workspace.objects.get(key=workspace)
    loader.drain(where)
    note_actions.tell_notes(where)
    lake_of(where).refresh(progress=report)
    jobs.run_now("follow_up", where)


def check_file(workspace: str, report: Report, *, upload: str, table: str) -> None:
    found = upload_of(workspace, upload)
    if found is not None:  # else it was canceled
        where = Workspace.objects.get(key=workspace)
        actions.check(where, found, table, progress=report)


def import_uploaded(workspace: str, report: Report, *, upload: str, table: str) -> None:
    """Load the file, bring everything derived up to date, remove the upload.

    Safe to run twice: a file imported again changes nothing.
    """
    where = Workspace.objects.get(key=workspace)
    found = upload_of(workspace, upload)
    if found is not None:
        _load(where, found, table, report)
    lake_of(where).refresh(
        progress=lambda share, _step: report(
            _LOADING + share * (1 - _LOADING), _("Bringing the numbers up to date")
        )
    )
    if found is not None:
        found.remove()
    _warm(where)
    jobs.run_now("follow_up", where)


def _load(where: Workspace, found: Upload, table: str, report: Report) -> None:
    lake = lake_of(where)
    options = ImportOptions(timezone=lake.settings.timezone)
    report(0.0, _("Loading the file"))
    try:
        import_file(
            lake.lake,
            table,
            found.path,
            options,
            progress=lambda share: report(share * _LOADING, _("Loading the file")),
        )
    except BadValue as error:
        raise Unusable(str(error)) from error


def apply_definitions(workspace: str, report: Report, *, version: int) -> None:
    """Derive again what depends on what event names mean.

    `version` of the definitions is for telling runs apart: the newest counts.
    """
    where = Workspace.objects.get(key=workspace)
    lake_of(where).refresh(
        progress=lambda share, _step: report(
            share, _("Bringing the numbers up to date")
        )
    )
    _warm(where)
    jobs.run_now("follow_up", where)


def replay_rejects(workspace: str, report: Report, *, code: str, person: int) -> None:
    """Send rejected calls again: of one reason, or all. `person` asked for it."""
    report(0.0, _("Sending rejected calls again"))
    where = Workspace.objects.get(key=workspace)
    replay(where, code=code or None, by=User.objects.filter(pk=person).first())


def _warm(where: Workspace) -> None:
    """Nobody waits for what the next visit would have to compute."""
    for name in ("warm_home", "warm_metrics"):
        jobs.run_now(name, where)
