"""Background work of surveys. Run again, it changes nothing."""

from __future__ import annotations

from django.utils.translation import gettext as _

from perennial.apps.jobs import actions as jobs
from perennial.apps.jobs.registry import Report
from perennial.apps.surveys import loading, mailing
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace


def take_answers(workspace: str, report: Report) -> None:
    """Answers into the lake, then what is made of them, then who is told."""
    where = Workspace.objects.get(key=workspace)
    report(0.0, _("Loading answers"))
    if not loading.load(where):
        return
    lake_of(where).refresh(progress=report)
    jobs.soon("follow_up", where)


def send_surveys(workspace: str, report: Report) -> None:
    """Invitations and reminders by mail, and what came back."""
    where = Workspace.objects.get(key=workspace)
    mailing.note_bounces(where)
    report(0.1, _("Inviting by mail"))
    written = mailing.invite(where) + mailing.remind(where)
    loading.load(where)
    if written:
        jobs.soon("follow_up", where)
