"""Verbs of mailings. Who set one up changes it; admins change all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from perennial.apps.reports.models import Board
from perennial.apps.team.actions import NotAllowed, must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership
from perennial.apps.team.roles import Role
from perennial.apps.work.mailings import sending
from perennial.apps.work.models import Mailing
from perennial.core.errors import BadValue

MOST_READERS = 50


@dataclass(frozen=True)
class Of:
    """What a mailing shows: a metric, a board, or the board everybody has."""

    title: str
    query: str = ""
    metric: str = ""
    board: Board | None = None


def visible(member: Membership) -> QuerySet[Mailing]:
    """The own ones; of an admin all."""
    found = member.workspace.mailings.select_related("by", "board").order_by("title")
    return found if member.covers(Role.ADMIN) else found.filter(by=member.user)


@transaction.atomic
def add(by: Membership, of: Of, *, every: str, to: Sequence[str]) -> Mailing:
    must_cover(by, Role.MEMBER)
    mailing = Mailing.objects.create(
        workspace=by.workspace,
        by=by.user,
        title=of.title[:200],
        board=of.board,
        metric=of.metric,
        query=of.query[:500],
        every=_every(every),
        to=_readers(to),
        since=lake_of(by.workspace).now,
    )
    _record(by, "mailing.added", mailing)
    return mailing


@transaction.atomic
def change(mailing: Mailing, by: Membership, *, every: str, to: Sequence[str]) -> None:
    """How often, and to whom; who left stays away unless named again."""
    _must_own(mailing, by)
    readers = _readers(to)
    come_back = set(readers) - set(mailing.to)
    mailing.left = [email for email in mailing.left if email not in come_back]
    mailing.every, mailing.to = _every(every), readers
    mailing.save(update_fields=["every", "to", "left"])
    _record(by, "mailing.changed", mailing)


@transaction.atomic
def pause(mailing: Mailing, by: Membership, *, is_paused: bool) -> None:
    """Taken up again it goes on with the next moment: what was missed is not sent."""
    _must_own(mailing, by)
    mailing.is_paused, mailing.trouble = is_paused, ""
    mailing.since = lake_of(by.workspace).now
    mailing.save(update_fields=["is_paused", "trouble", "since"])
    _record(by, "mailing.paused" if is_paused else "mailing.resumed", mailing)


@transaction.atomic
def delete(mailing: Mailing, by: Membership) -> None:
    _must_own(mailing, by)
    _record(by, "mailing.deleted", mailing)
    mailing.delete()


def send_now(mailing: Mailing, by: Membership) -> None:
    """One at once, to oneself alone."""
    _must_own(mailing, by)
    now = lake_of(by.workspace).now
    sending.write(mailing, now.isoformat(timespec="seconds"), [by.user.email])


def leave(mailing: Mailing, email: str) -> None:
    """A reader ends it for that address; nobody needs to sign in for that."""
    if email in mailing.readers:
        mailing.left = [*mailing.left, email]
        mailing.save(update_fields=["left"])
        record(mailing.workspace, None, "mailing.left", mailing.title, reader=email)


def _must_own(mailing: Mailing, by: Membership) -> None:
    must_cover(by, Role.MEMBER)
    if mailing.by_id != by.user.pk and not by.covers(Role.ADMIN):
        raise NotAllowed(_("Only its owner or an admin changes it."))


def _record(by: Membership, verb: str, mailing: Mailing) -> None:
    record(by.workspace, by.user, verb, mailing.title, to=", ".join(mailing.to)[:500])


def _every(given: str) -> str:
    if given not in Mailing.Every.values:
        raise BadValue(_("Choose how often it comes."))
    return given


def _readers(given: Sequence[str]) -> list[str]:
    """Addresses, each once; they may be of people without an account here."""
    found = list(dict.fromkeys(text.strip().lower() for text in given if text.strip()))
    for email in found:
        try:
            validate_email(email)
        except ValidationError:
            said = _("“%(value)s” is not an e-mail address.")
            raise BadValue(said % {"value": email}) from None
    if not found:
        raise BadValue(_("Name at least one reader."))
    if len(found) > MOST_READERS:
        raise BadValue(_("At most %(n)s readers.") % {"n": MOST_READERS})
    return found
