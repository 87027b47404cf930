"""Mailings that are due are written into the outbox, which sends each once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from perennial.apps.team.addresses import absolute, unsubscribing
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.work import outbox
from perennial.apps.work.mailings import schedule
from perennial.apps.work.mailings.composing import Composed, compose
from perennial.apps.work.models import Mailing, Message
from perennial.apps.work.telling.notices import regional_of
from perennial.core.errors import PerennialError

logger = logging.getLogger(__name__)

_SALT = "mailing"
People = Mapping[str, Membership]


def send_due(workspace: Workspace) -> int:
    """Write the mails of mailings that are due; how many mailings that were."""
    now = lake_of(workspace).now
    live = workspace.mailings.filter(is_paused=False).select_related("by", "board")
    return sum(_send(mailing, now) for mailing in live)


def _send(mailing: Mailing, now: datetime) -> bool:
    zone = lake_of(mailing.workspace).settings.tz
    moment = schedule.last_moment(mailing.every, now, zone)
    if not schedule.is_due(moment, now, since=mailing.since, sent_for=mailing.sent_for):
        return False
    try:
        write(mailing, moment.date().isoformat(), mailing.readers)
    except PerennialError as error:
        _pause(mailing, str(error))
        return False
    Mailing.objects.filter(pk=mailing.pk).update(sent_for=moment, trouble="")
    return True


def _pause(mailing: Mailing, trouble: str) -> None:
    """What cannot be told stops, and says why; one that fails takes no other along."""
    logger.warning("mailing %s is paused: %s", mailing.pk, trouble)
    Mailing.objects.filter(pk=mailing.pk).update(is_paused=True, trouble=trouble[:300])


def write(mailing: Mailing, moment: str, to: list[str]) -> None:
    """One message for each address, of a moment; again it writes none.

    Each in the reader's language, as far as the reader is known here.
    """
    people = _people(mailing.workspace)
    by = people.get(mailing.by.email)
    if by is None:
        raise PerennialError(_("Whoever set it up has left the workspace."))
    made: dict[tuple[str, str], Composed] = {}
    mails: list[tuple[str, str, Composed]] = []
    for email in to:
        member = people.get(email, by)
        language, regional = member.user.language or "en", regional_of(member)
        key = (language, regional.timezone)
        if key not in made:
            with override(language):
                made[key] = compose(mailing, by, regional)
        mails.append((email, language, made[key]))
    # To compose takes seconds, in which others want to write.
    with transaction.atomic():
        for email, language, mail in mails:
            with override(language):
                _write(mailing, moment, email, mail)


def _people(workspace: Workspace) -> People:
    members = workspace.memberships.filter(user__is_active=True)
    every = members.select_related("user", "workspace")
    return {member.user.email: member for member in every}


def _write(mailing: Mailing, moment: str, email: str, mail: Composed) -> None:
    leave = absolute(reverse("work:leave_mailing", args=[token(mailing, email)]))
    outbox.write(
        mailing.workspace,
        key=f"mailing:{mailing.pk}:{moment}:{email}"[:200],
        channel=Message.Channel.EMAIL,
        to=email,
        subject=mail.subject,
        text=mail.rendered("txt", leave),
        html=mail.rendered("html", leave),
        pictures=mail.pictures,
        headers=unsubscribing(leave),
    )


def token(mailing: Mailing, email: str) -> str:
    """What the address that ends a mailing carries; it opens nothing else."""
    return signing.dumps([mailing.pk, email], salt=_SALT)


def of_token(text: str) -> tuple[Mailing, str] | None:
    """The mailing and the reader of such an address; None where it is not ours."""
    try:
        pk, email = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        return None
    found = Mailing.objects.filter(pk=pk).select_related("workspace").first()
    return (found, email) if found else None
