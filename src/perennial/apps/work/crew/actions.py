"""Verbs about people's work: away with a stand-in, and hand-over of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from perennial.apps.customers.attributes import OWNER
from perennial.apps.customers.edit_actions import edit_accounts
from perennial.apps.customers.models import Edit
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership
from perennial.apps.team.roles import Role
from perennial.apps.work.crew.queries import owned
from perennial.apps.work.models import Absence
from perennial.apps.work.tasks.queries import ACTIVE
from perennial.core.errors import BadValue

MOST_DAYS = 365


@dataclass(frozen=True)
class HandedOver:
    """How much changed hands; `edit` gives the accounts back."""

    edit: Edit | None
    accounts: int
    tasks: int


@transaction.atomic
def hand_over(by: Membership, owner: str, *, to: Membership) -> HandedOver:
    """Everything of a person goes to another one: accounts, open tasks, success plans.
    Admins do it, also for owners who are no members, by their address."""
    must_cover(by, Role.ADMIN)
    workspace = by.workspace
    if to.workspace_id != workspace.pk or not to.covers(Role.MEMBER):
        raise BadValue(_("Only people of this workspace can take over."))
    if to.user.email == owner:
        raise BadValue(_("Somebody else has to take over."))
    ids = owned(workspace, owner)
    tasks = workspace.tasks.filter(owner__email=owner, state__in=ACTIVE)
    count = tasks.update(owner=to.user)
    if not ids and not count:
        raise BadValue(_("There is nothing to hand over."))
    workspace.plans.filter(owner__email=owner, archived_at=None).update(owner=to.user)
    values = dict.fromkeys(ids, to.user.email)
    edit = edit_accounts(by, OWNER, values) if ids else None
    record(
        workspace,
        by.user,
        "team.handed_over",
        owner,
        to=to.user.email,
        accounts=len(ids),
        tasks=count,
    )
    return HandedOver(edit, len(ids), count)


@transaction.atomic
def go_away(
    by: Membership, who: Membership, *, stand_in: Membership, ends_on: date
) -> Absence:
    """Away from today until a day: what becomes due before then goes to the stand-in,
    and so do new tasks of playbooks. Everybody says it of themselves, admins of all."""
    must_cover(by, Role.MEMBER if by.pk == who.pk else Role.ADMIN)
    today = lake_of(by.workspace).today
    if stand_in.pk == who.pk or stand_in.workspace_id != who.workspace_id:
        raise BadValue(_("Somebody else has to stand in."))
    if not today < ends_on <= today + timedelta(days=MOST_DAYS):
        raise BadValue(_("An absence ends within a year."))
    who.absences.filter(ends_on__gt=today).delete()
    absence = Absence.objects.create(
        membership=who, stand_in=stand_in, starts_on=today, ends_on=ends_on
    )
    due = by.workspace.tasks.filter(
        owner=who.user, state__in=ACTIVE, due_on__lt=ends_on
    )
    moved = due.update(owner=stand_in.user)
    record(
        by.workspace,
        by.user,
        "team.away",
        who.user.email,
        until=ends_on.isoformat(),
        stand_in=stand_in.user.email,
        tasks=moved,
    )
    return absence


@transaction.atomic
def come_back(by: Membership, absence: Absence) -> None:
    """Here again; tasks stay with whoever has them now."""
    is_own = absence.membership_id == by.pk
    must_cover(by, Role.MEMBER if is_own else Role.ADMIN)
    record(by.workspace, by.user, "team.back", absence.membership.user.email)
    absence.delete()
