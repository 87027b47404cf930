"""From an answer to its giver: a reply by mail, which closes the loop."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from perennial.apps.surveys import actions, inviting
from perennial.apps.surveys.hooks import outbox
from perennial.apps.surveys.models import Answer
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue
from perennial.lake import respondents

_LONGEST = 10_000


@transaction.atomic
def reply(answer: Answer, by: Membership, text: str) -> None:
    """Write to whoever answered, once; raises `BadValue` where nobody is known."""
    must_cover(by, Role.MEMBER)
    answer = Answer.objects.select_for_update().get(pk=answer.pk)
    text = text.strip()
    if not text or len(text) > _LONGEST:
        raise BadValue(_("Write something first."))
    if answer.reply:
        raise BadValue(_("Somebody replied already."))
    to = _address(answer)
    if not to:
        raise BadValue(_("No address is known of this person."))
    outbox().write_mail(
        by.workspace,
        key=f"reply:{answer.pk}",
        to=to,
        subject=f"Re: {_question(answer)}",
        text=f"{text}\n\n{by.user.display_name}\n{by.workspace.name}\n",
        headers={"Reply-To": by.user.email},
        account_id=answer.account_id,
    )
    answer.reply = text
    answer.save(update_fields=["reply"])
    record(by.workspace, by.user, "answer.replied", to, answer=answer.pk)
    actions.close(answer, by)


def _address(answer: Answer) -> str:
    if answer.invite and answer.invite.email:
        return answer.invite.email
    if not answer.person:
        return ""
    lake = lake_of(answer.survey.workspace)
    person = respondents.people(lake, [answer.person]).get(answer.person)
    return person.email if person else ""


def _question(answer: Answer) -> str:
    """What they were asked, in the language they answered in."""
    asks = inviting.asked_document(answer.survey).asks
    return asks.said(asks.ask, answer.language)
