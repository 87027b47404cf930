"""Background work of surveys. Run again, it changes nothing."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from perennial.apps.jobs import actions as jobs
from perennial.apps.jobs.registry import Report
from perennial.apps.surveys import feedback, joining, loading, mailing, queries, results
from perennial.apps.surveys.models import Answer, Survey
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.windows import day_start
from perennial.lake import comments

#: Accounts whose health of tomorrow is looked at after answers came.
_MOST: Final = 20


def take_answers(workspace: str, report: Report) -> None:
    """Answers into the lake, then what is made of them, then who is told."""
    where = Workspace.objects.get(key=workspace)
    report(0.0, _("Loading answers"))
    loading.load(where)
    # Also where nothing was left to load: a run that died may have been at this point.
    lake_of(where).refresh(progress=report)
    jobs.soon("follow_up", where)
    _look_ahead(where)


def _look_ahead(where: Workspace) -> None:
    """Tomorrow's health of those who answered today, before anybody asks for it."""
    lake = lake_of(where)
    start = day_start(lake.today, lake.settings.tz)
    lately = Answer.objects.filter(survey__workspace=where, changed_at__gte=start)
    accounts = lately.exclude(account_id="").order_by("-changed_at")
    for account in dict.fromkeys(accounts.values_list("account_id", flat=True)[:_MOST]):
        joining.ahead(lake, account)


def read_comments(workspace: str, report: Report) -> None:
    """Comments again, by the topics in force."""
    report(0.0, _("Reading comments"))
    where = Workspace.objects.get(key=workspace)
    comments.take(lake_of(where))
    feedback.warm(lake_of(where))


def send_surveys(workspace: str, report: Report) -> None:
    """Invitations and reminders by mail, and what came back."""
    where = Workspace.objects.get(key=workspace)
    mailing.note_bounces(where)
    report(0.1, _("Inviting by mail"))
    written = mailing.invite(where) + mailing.remind(where)
    loading.load(where)
    if written:
        jobs.soon("follow_up", where)
    jobs.soon("warm_surveys", where)


def warm_surveys(workspace: str, report: Report) -> None:
    """Pages of running surveys, ready before anybody opens them: as they open."""
    where = Workspace.objects.get(key=workspace)
    running = queries.surveys(where).filter(state=Survey.State.ON)
    results.warm(lake_of(where), [(each.kind, each.name) for each in running])
    feedback.warm(lake_of(where))
