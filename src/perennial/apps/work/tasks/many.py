"""The same task for many accounts, and taking that back.

Tasks that were added together have one author and one instant: that is their address.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from perennial.apps.customers import queries as customers
from perennial.apps.customers.hooks import BulkAction
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership
from perennial.apps.team.roles import Role
from perennial.apps.work.models import Task, TaskState
from perennial.apps.work.tasks import queries as tasks
from perennial.core.errors import BadValue

#: More than a team can do is a mistake.
MOST: Final = 1_000
_AT_ONCE: Final = 500


def bulk_action() -> BulkAction:
    return BulkAction(
        gettext_lazy("Add a task"), "checkbox", reverse("work:add_many_tasks")
    )


@transaction.atomic
def add(
    by: Membership,
    account_ids: Sequence[str],
    title: str,
    due_on: date | None,
    *,
    to_owners: bool = True,
) -> datetime:
    """A task for each account; the instant they all have. To the owners of the
    accounts, or all to oneself, as are those of accounts without an owner here."""
    must_cover(by, Role.MEMBER)
    title = " ".join(title.split())
    if not title or len(title) > 200:
        raise BadValue(_("A task has a title of at most 200 characters."))
    accounts = customers.some(by.workspace, tuple(dict.fromkeys(account_ids)))
    if not 0 < len(accounts) <= MOST:
        raise BadValue(_("Choose 1 to %(most)s accounts.") % {"most": MOST})
    workers = tasks.workers(by.workspace) if to_owners else []
    team = {member.user.email: member.user for member in workers}
    at = lake_of(by.workspace).now
    Task.objects.bulk_create(
        (
            Task(
                workspace=by.workspace,
                title=title,
                account_id=key,
                owner=team.get(account.owner_email or "", by.user),
                due_on=due_on,
                created_by=by.user,
                created_at=at,
            )
            for key, account in accounts.items()
        ),
        batch_size=_AT_ONCE,
    )
    record(by.workspace, by.user, "task.added_many", title, tasks=len(accounts))
    return at


def added(by: Membership, at: datetime) -> QuerySet[Task]:
    """What somebody added at an instant, for many accounts or for one."""
    mine = by.workspace.tasks.filter(created_by=by.user, created_at=at, run=None)
    return mine.select_related("owner").order_by("pk")


@transaction.atomic
def undo(by: Membership, at: datetime) -> int:
    """Drop those of them that nobody began; how many."""
    must_cover(by, Role.MEMBER)
    waiting = added(by, at).filter(state=TaskState.OPEN)
    title = waiting.values_list("title", flat=True).first()
    if title is None:
        return 0
    dropped = waiting.update(state=TaskState.DROPPED)
    record(by.workspace, by.user, "task.dropped_many", title, tasks=dropped)
    return dropped
