"""What people say to a survey: answer, change their mind, refuse, unsubscribe.

The last word counts, what was said half is kept, and a job brings it to the lake.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from perennial.apps.jobs import actions as jobs
from perennial.apps.surveys.document import read
from perennial.apps.surveys.inviting import asked_document
from perennial.apps.surveys.models import (
    Answer,
    Channel,
    Invite,
    Respondent,
    Survey,
)
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.errors import BadValue
from perennial.core.questionnaire import Questionnaire

#: Answers of nobody known that an address may give in an hour, of all surveys.
MOST_ANONYMOUS: Final = 20
_HOUR: Final = timedelta(hours=1)


class TooMany(BadValue):
    """More answers than people give."""


class Over(BadValue):
    """A survey that takes no more answers."""


def questions_of(invite: Invite) -> Questionnaire:
    """What an invitation asked: its version stays, whatever is published later."""
    version = invite.survey.versions.filter(number=invite.number).first()
    return read(version.document if version else invite.survey.document).asks


@transaction.atomic
def answer(
    invite: Invite,
    score: int,
    answers: Mapping[str, str],
    *,
    is_complete: bool,
    language: str = "",
) -> Answer:
    """The answer of a person who was invited, new or changed. Raises `BadValue`."""
    survey, now = invite.survey, lake_of(invite.survey.workspace).now
    asks = questions_of(invite)
    kept = asks.checked(score, answers)
    # Two tabs at once write one after the other.
    Invite.objects.select_for_update().get(pk=invite.pk)
    found = Answer.objects.filter(invite=invite).first() or Answer(
        survey=survey,
        invite=invite,
        number=invite.number,
        person=invite.person,
        account_id=invite.account_id,
        channel=invite.channel,
        wave=invite.wave,
        answered_at=now,
        revision=0,
    )
    _say(found, asks, score, kept, is_complete=is_complete)
    found.language = language if language in asks.languages else invite.language
    found.changed_at = now
    found.save()
    Respondent.objects.update_or_create(
        workspace=survey.workspace,
        person=invite.person,
        defaults={"answered_on": lake_of(survey.workspace).today},
    )
    jobs.soon("take_answers", survey.workspace)
    return found


def _say(
    found: Answer,
    asks: Questionnaire,
    score: int,
    kept: dict[str, str],
    *,
    is_complete: bool,
) -> None:
    found.score, found.answers, found.comment = score, kept, asks.comment(kept)
    found.is_complete = is_complete
    found.revision += 1


@transaction.atomic
def answer_without_name(
    survey: Survey,
    score: int,
    answers: Mapping[str, str],
    *,
    language: str,
    address: str,
    is_complete: bool,
    pk: int | None = None,
) -> Answer:
    """An answer by the public link, of nobody known; `pk` goes on with one's own.

    Raises `BadValue`, `Over`, and `TooMany` for an address that answers too often.
    """
    if survey.state != Survey.State.ON:
        raise Over(_("This survey is over. Thank you all the same."))
    document, lake = asked_document(survey), lake_of(survey.workspace)
    kept = document.asks.checked(score, answers)
    found = survey.answers.filter(pk=pk, invite=None).first() if pk else None
    if found is None:
        _brake(address, survey)
        plan = document.plan(survey.key, survey.started_on or lake.today)
        found = Answer(
            survey=survey,
            number=survey.number,
            channel=Channel.LINK,
            wave=plan.wave(lake.today),
            answered_at=lake.now,
            address=address,
            revision=0,
        )
    _say(found, document.asks, score, kept, is_complete=is_complete)
    found.language, found.changed_at = language, lake.now
    found.save()
    jobs.soon("take_answers", survey.workspace)
    return found


def _brake(address: str, survey: Survey) -> None:
    since = lake_of(survey.workspace).now - _HOUR
    lately = Answer.objects.filter(address=address, answered_at__gt=since)
    if lately.count() >= MOST_ANONYMOUS:
        raise TooMany(_("Too many answers came from here. Try again in an hour."))


@transaction.atomic
def refuse(invite: Invite) -> None:
    """Closed without an answer: the person is left alone for a while."""
    lake = lake_of(invite.survey.workspace)
    if Answer.objects.filter(invite=invite).exists():
        return
    Invite.objects.filter(pk=invite.pk, refused_at=None).update(refused_at=lake.now)
    Respondent.objects.update_or_create(
        workspace=invite.survey.workspace,
        person=invite.person,
        defaults={"refused_on": lake.today},
    )


@transaction.atomic
def unsubscribe(workspace: Workspace, person: str) -> None:
    """Nothing more is asked of a person, by any channel. Done again it stays."""
    now = lake_of(workspace).now
    held, _new = Respondent.objects.get_or_create(workspace=workspace, person=person)
    if held.unsubscribed_at is None:
        held.unsubscribed_at = now
        held.save(update_fields=["unsubscribed_at"])


def subscribe(workspace: Workspace, person: str) -> None:
    """Unsubscribed by mistake."""
    Respondent.objects.filter(workspace=workspace, person=person).update(
        unsubscribed_at=None
    )


def bounced(invites: Mapping[int, Invite]) -> None:
    """Invitations that never arrived: they count in no response rate."""
    for invite in invites.values():
        Invite.objects.filter(pk=invite.pk, bounced_at=None).update(
            bounced_at=lake_of(invite.survey.workspace).now, revision=F("revision") + 1
        )
