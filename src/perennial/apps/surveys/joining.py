"""What surveys add to the pages of customers (`customers.hooks`): what was answered,
at once, and what today's answers do to the health of tomorrow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import F, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from perennial.apps.customers import wording
from perennial.apps.customers.account import DETRACTOR, Account
from perennial.apps.customers.hooks import Belonging
from perennial.apps.customers.kept import kept
from perennial.apps.customers.timeline import Entry
from perennial.apps.jobs import actions as jobs
from perennial.apps.surveys import queries, results
from perennial.apps.surveys.models import Answer, Invite
from perennial.apps.team.access import TeamRequest
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.apps.team.roles import Role
from perennial.core.windows import DAY, day_start
from perennial.lake import healthbook, scorecards
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics import filters
from perennial.ui.formats import Regional

#: Answers of a card.
_FEW: Final = 4


@dataclass(frozen=True)
class Ahead:
    """The health an account will have tomorrow, with the answers of today."""

    score: float | None
    color: str


def panel(request: TeamRequest, account: Account) -> SafeString | str:
    """The last answers of an account; nothing where nobody ever answered here."""
    workspace, lake = request.workspace, lake_of(request.workspace)
    found = _answers(workspace, account).order_by("-answered_at")[:_FEW]
    mask = not wording.reads_all(request.membership)
    said = queries.said(workspace, list(found), mask=mask)
    if not said:
        return ""
    start = day_start(account.as_of, lake.settings.tz)
    is_new = any(each.answer.changed_at >= start for each in said)
    context = {
        "said": said,
        "account": account,
        "ahead": ahead(lake, account.account_id) if is_new else None,
        "may_edit": request.membership.covers(Role.MEMBER),
    }
    return render_to_string("surveys/account_panel.html", context, request)


def _answers(workspace: Workspace, account: Account) -> queries.Answers:
    return Answer.objects.filter(
        survey__workspace=workspace, account_id=account.account_id
    ).select_related("survey", "closed_by", "invite")


def ahead(lake: Lake, account_id: str) -> Ahead | None:
    """Tomorrow's health of an account; None where no part of it is what people say."""
    card = scorecards.active(lake).card
    keys = {source.key for source in card.metrics.values()}
    if not any(lake.entry(key).theme == "voice" for key in keys):
        return None
    score, color = _ahead(lake, account_id, scorecards.active(lake).number)
    return Ahead(score, color)


@kept(*results.TABLES, "user_days", shared=True)
def _ahead(lake: Lake, account_id: str, _version: int) -> tuple[float | None, str]:
    """Scored as if today were over, by the scorecard in force."""
    rows = healthbook.scores(
        results.through_today(lake),
        as_of=lake.today + DAY,
        where=f"account = {filters.text(account_id)}",
    )
    return (rows[0]["score"], rows[0]["color"] or "") if rows else (None, "")


def timeline(
    workspace: Workspace,
    account: Account,
    _regional: Regional,
    before: datetime,
    limit: int,
) -> Iterable[Entry]:
    """Answers of today; those before it are in the timeline with all others."""
    start = day_start(account.as_of, lake_of(workspace).settings.tz)
    found = _answers(workspace, account).filter(
        answered_at__gte=start, answered_at__lt=before
    )
    newest = list(found.order_by("-answered_at")[:limit])
    # The timeline hides what its reader may not see, whoever told it.
    for each in queries.said(workspace, newest, mask=False):
        answer = each.answer
        is_bad = answer.survey.kind == "nps" and answer.score <= DETRACTOR
        who = f", {each.who}" if each.who else ""
        kind = answer.survey.kind.upper()
        yield Entry(
            answer.answered_at,
            icon="mood-sad" if is_bad else "message",
            text=format_html("{} <b>{}</b>{}", kind, answer.score, who),
            quote=each.comment,
            kind="survey",
            url=reverse("surveys:survey", args=[answer.survey_id]),
        )


# --- where accounts are merged -----------------------------------------------


def belongings(workspace: Workspace) -> list[Belonging]:
    """Rests are a person's own, across accounts: they hold without going along."""
    mine = {"survey__workspace": workspace}
    asked, answered = Invite.objects.filter(**mine), Answer.objects.filter(**mine)
    return [
        Belonging(gettext_lazy("Survey invitations"), asked, retell=_bounced_again),
        Belonging(gettext_lazy("Answers to surveys"), answered, retell=_said_again),
    ]


def _bounced_again(invites: QuerySet[Invite], since: datetime) -> None:
    _load_again(invites.filter(bounced_at__gte=since))


def _said_again(answers: QuerySet[Answer], since: datetime) -> None:
    _load_again(answers.filter(changed_at__gte=since))


def _load_again(rows: QuerySet[Any]) -> None:
    """What was loaded meanwhile told the lake of the account it was at."""
    if rows.update(revision=F("revision") + 1):
        made = rows.select_related("survey__workspace")[0]
        jobs.soon("take_answers", made.survey.workspace)
