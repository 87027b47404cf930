"""Surveys by mail: the first answer in it, a way out of it, each sent once.

An invitation and its mail are written in one transaction, and the outbox sends each
message once. Buttons are links to a page that asks to confirm: a scanner that opens
every link answers nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from perennial.apps.surveys import answering, inviting, tokens
from perennial.apps.surveys.document import Document
from perennial.apps.surveys.hooks import outbox
from perennial.apps.surveys.inviting import Candidate
from perennial.apps.surveys.models import Channel, Invite, Respondent, Survey
from perennial.apps.team.addresses import absolute, unsubscribing
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.asking import Reason
from perennial.core.errors import BadValue
from perennial.core.questionnaire import Questionnaire
from perennial.core.reading import direction

#: Local hours in which people are written to.
_FROM_HOUR: Final = 8
_TO_HOUR: Final = 18


@dataclass(frozen=True)
class Mail:
    subject: str
    text: str
    html: str


def running(
    workspace: Workspace, channel: Channel
) -> Iterator[tuple[Survey, Document]]:
    """Surveys that ask by a channel now, with what they ask."""
    today = lake_of(workspace).today
    every = workspace.surveys.filter(state=Survey.State.ON, archived_at=None)
    for survey in every.select_related("workspace").order_by("pk"):
        document = inviting.asked_document(survey)
        plan = inviting.plan_of(survey, document, today)
        if channel in document.when.channels and plan.is_open(today):
            yield survey, document


def can_send() -> bool:
    """Is there a mail server, and an address that links can lead to? Without them
    nobody is asked by mail: they would rest from what never reached them."""
    return bool(settings.EMAIL_HOST and settings.PUBLIC_URL)


def invite(workspace: Workspace) -> int:
    """Write the mails that are due now, in the hours in which people work."""
    if not can_send():
        return 0
    local = lake_of(workspace).now.astimezone(lake_of(workspace).settings.tz)
    if not _FROM_HOUR <= local.hour < _TO_HOUR:
        return 0
    return sum(
        _invite_all(survey, document)
        for survey, document in running(workspace, Channel.EMAIL)
    )


def _invite_all(survey: Survey, document: Document) -> int:
    written = 0
    for candidate in inviting.look(survey, document).ready:
        if not candidate.person.email:
            continue
        asked = invite_one(survey, document, candidate)
        if asked in {Reason.SURVEY_FULL, Reason.DAY_FULL}:
            break
        written += isinstance(asked, Invite)
    return written


@transaction.atomic
def invite_one(
    survey: Survey, document: Document, candidate: Candidate
) -> Invite | Reason:
    """Ask a person by mail, or say why not."""
    asked = inviting.ask(survey, document, candidate, Channel.EMAIL)
    if isinstance(asked, Invite):
        _write(asked, document.asks, candidate.person.name, "survey")
    return asked


def get_running(workspace: Workspace, name: str) -> tuple[Survey, Document]:
    """A survey that asks by mail now, by its name; raises `BadValue`."""
    for survey, document in running(workspace, Channel.EMAIL):
        if survey.name == name:
            return survey, document
    raise BadValue(
        _("No survey “%(name)s” is running that asks by mail.") % {"name": name}
    )


def invite_accounts(workspace: Workspace, name: str, ids: frozenset[str]) -> int:
    """Ask the people of some accounts, those whom the rules allow; how many.

    A survey that was stopped meanwhile asks nobody.
    """
    if not can_send():
        return 0
    try:
        survey, document = get_running(workspace, name)
    except BadValue:
        return 0
    lake = lake_of(workspace)
    people = inviting.everybody(lake, lake.today)
    asked = [
        invite_one(survey, document, Candidate(person))
        for person in people
        if person.account_id in ids and person.email
    ]
    return sum(isinstance(each, Invite) for each in asked)


def remind(workspace: Workspace) -> int:
    """Once more to those who said nothing, once each."""
    lake, written = lake_of(workspace), 0
    for survey, document in running(workspace, Channel.EMAIL):
        days = document.when.remind_days
        if days is None:
            continue
        silent = survey.invites.filter(
            channel=Channel.EMAIL,
            answer=None,
            refused_at=None,
            bounced_at=None,
            reminded_at=None,
            invited_at__lte=lake.now - timedelta(days=days),
            # Who was asked long before reminders were turned on is left alone.
            invited_at__gt=lake.now - timedelta(days=2 * days),
        )
        gone = Respondent.objects.filter(
            workspace=workspace, unsubscribed_at__isnull=False
        ).values("person")
        for one in silent.exclude(person__in=gone).select_related("survey__workspace"):
            written += _remind(one)
    return written


@transaction.atomic
def _remind(invite: Invite) -> bool:
    now = lake_of(invite.survey.workspace).now
    mine = Invite.objects.filter(pk=invite.pk, reminded_at=None, answer=None)
    if not mine.update(reminded_at=now):
        return False
    _write(invite, answering.questions_of(invite), "", "reminder")
    return True


def note_bounces(workspace: Workspace) -> None:
    """Invitations whose mails never arrived."""
    sent = Invite.objects.filter(
        survey__workspace=workspace,
        channel=Channel.EMAIL,
        answer=None,
        bounced_at=None,
        invited_at__gt=lake_of(workspace).now - timedelta(days=14),
    ).select_related("survey__workspace")
    keys = {_key(each, "survey"): each for each in sent}
    lost = outbox().failed(workspace, keys.keys())
    answering.bounced({keys[key].pk: keys[key] for key in lost})


def _key(invite: Invite, what: str) -> str:
    return f"{what}:{invite.pk}"


def _write(invite: Invite, asks: Questionnaire, name: str, what: str) -> None:
    workspace = invite.survey.workspace
    leaving = tokens.make(tokens.UNSUBSCRIBE, workspace.pk, invite.person)
    leave = absolute(reverse("surveys:leave", args=[leaving]))
    token = tokens.make(tokens.ANSWER, invite.pk)
    page = absolute(reverse("surveys:asked", args=[token]))
    mail = compose(asks, invite.language, workspace, page, leave, name=name)
    outbox().write_mail(
        workspace,
        key=_key(invite, what),
        to=invite.email,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        headers={**unsubscribing(leave), "Auto-Submitted": "auto-generated"},
        account_id=invite.account_id,
    )


def compose(
    asks: Questionnaire,
    language: str,
    workspace: Workspace,
    page: str,
    leave: str,
    *,
    name: str = "",
) -> Mail:
    """The mail as text and as HTML, in a language of the survey."""
    context: dict[str, Any] = {
        "workspace": workspace,
        "language": language,
        "direction": direction(language),
        "name": name,
        "intro": asks.said(asks.intro, language),
        "question": asks.said(asks.ask, language),
        "low": asks.said(asks.low, language),
        "high": asks.said(asks.high, language),
        "page": page,
        "leave": leave,
        # All look the same: a color would say which answer is wanted.
        "buttons": [(score, f"{page}?score={score}") for score in asks.scores],
    }
    with override(language):
        return Mail(
            subject=asks.said(asks.subject, language) or asks.said(asks.ask, language),
            text=render_to_string("surveys/mail/survey.txt", context),
            html=render_to_string("surveys/mail/survey.html", context),
        )
