"""Verbs of tasks. Each leaves an audit entry; a task is dropped, never deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from perennial.apps.customers import queries as customers
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.team.roles import Role
from perennial.apps.work.models import Repeat, Task, TaskState
from perennial.core.errors import BadValue
from perennial.core.windows import add_months

_MONTHS = {Repeat.MONTHLY: 1, Repeat.QUARTERLY: 3, Repeat.YEARLY: 12}
#: What a person may say of a task; the rest follows from verbs.
FIELDS = (
    "title",
    "description",
    "account_id",
    "owner",
    "due_on",
    "priority",
    "reason",
    "checklist",
    "waits_for",
    "repeats",
)
_OVER = (TaskState.DONE, TaskState.DROPPED)


@transaction.atomic
def add_task(by: Membership, values: Mapping[str, Any]) -> Task:
    """A task by a person; `values` are of `FIELDS`."""
    must_cover(by, Role.MEMBER)
    task = Task(workspace=by.workspace, created_by=by.user)
    _fill(task, values)
    task.save()
    record(by.workspace, by.user, "task.added", task.title, task=task.pk)
    return task


@transaction.atomic
def change_task(task: Task, by: Membership, values: Mapping[str, Any]) -> None:
    must_cover(by, Role.MEMBER)
    before = {name: getattr(task, name) for name in FIELDS}
    _fill(task, values)
    changed = [name for name in FIELDS if getattr(task, name) != before[name]]
    if changed:
        task.save(update_fields=changed)
        said = ", ".join(changed)
        record(
            by.workspace, by.user, "task.changed", task.title, task=task.pk, what=said
        )


def _fill(task: Task, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(task, name, value)
    if task.waits_for is not None and _waits_in_a_circle(task):
        raise BadValue(_("These tasks would wait for each other."))
    _must_belong(task)


def _waits_in_a_circle(task: Task) -> bool:
    seen, before = {task.pk}, task.waits_for
    while before is not None:
        if before.pk in seen:
            return True
        seen.add(before.pk)
        before = before.waits_for
    return False


def _must_belong(task: Task) -> None:
    """Owner, account and the task it waits for are of the task's workspace."""
    workspace = task.workspace
    if task.account_id and not customers.some(workspace, (task.account_id,)):
        raise BadValue(_("There is no such account."))
    if task.owner and not workspace.memberships.filter(user=task.owner).exists():
        raise BadValue(_("Only people of this workspace can own a task."))
    if task.waits_for and task.waits_for.workspace_id != workspace.pk:
        raise BadValue(_("There is no such task to wait for."))


@transaction.atomic
def move_task(task: Task, by: Membership, state: TaskState) -> Task | None:
    """Start, finish, drop or reopen a task; the next one of a task that repeats.

    A task already in the state is left alone: pressing twice does one thing.
    """
    must_cover(by, Role.MEMBER)
    task = Task.objects.select_for_update().get(pk=task.pk)
    if task.state == state:
        return None
    is_over = state in _OVER
    task.state = state
    task.done_at = timezone.now() if is_over else None
    task.done_by = by.user if is_over else None
    task.save(update_fields=["state", "done_at", "done_by"])
    record(by.workspace, by.user, f"task.{state}", task.title, task=task.pk)
    return _follow(task, by.user) if state == TaskState.DONE else None


def _follow(task: Task, by: User) -> Task | None:
    """The next task of one that repeats: due in the future, nothing ticked."""
    if not task.repeats:
        return None
    today = lake_of(task.workspace).today
    items = [{**item, "done": False} for item in task.checklist]
    following = Task.objects.create(
        workspace=task.workspace,
        title=task.title,
        description=task.description,
        account_id=task.account_id,
        owner=task.owner,
        priority=task.priority,
        reason=task.reason,
        checklist=items,
        repeats=task.repeats,
        due_on=next_due(task.due_on or today, Repeat(task.repeats), today),
        created_by=by,
    )
    # Reopened and done again, it must not be followed twice.
    task.repeats = Repeat.NEVER
    task.save(update_fields=["repeats"])
    return following


def next_due(due: date, repeats: Repeat, today: date) -> date:
    """The first day after `today` in the rhythm that `due` began.

    Counted from the first day, so that a 31st stays the last day of its month.
    """
    turn = 0
    while True:
        turn += 1
        if repeats == Repeat.WEEKLY:
            found = due + timedelta(days=7 * turn)
        else:
            found = add_months(due, _MONTHS[repeats] * turn)
        if found > today:
            return found


@transaction.atomic
def tick(task: Task, by: Membership, place: int) -> None:
    """Tick an item of the checklist, or take the tick away."""
    must_cover(by, Role.MEMBER)
    task = Task.objects.select_for_update().get(pk=task.pk)
    if not 0 <= place < len(task.checklist):
        raise BadValue(_("There is no such item."))
    task.checklist[place]["done"] = not task.checklist[place]["done"]
    task.save(update_fields=["checklist"])


@transaction.atomic
def reassign(tasks: Iterable[Task], by: Membership, owner: User) -> int:
    """Give tasks to another person; how many changed hands."""
    must_cover(by, Role.MEMBER)
    if not by.workspace.memberships.filter(user=owner).exists():
        raise BadValue(_("Only people of this workspace can own a task."))
    moved = [task for task in tasks if task.owner_id != owner.pk]
    Task.objects.filter(pk__in=[t.pk for t in moved]).update(owner=owner)
    if moved:
        record(by.workspace, by.user, "task.reassigned", owner.email, tasks=len(moved))
    return len(moved)


def hand_over(workspace: Workspace, leaving: User) -> None:
    """Open tasks of someone who leaves go to the accounts' owners, else to nobody."""
    mine = workspace.tasks.filter(owner=leaving).exclude(state__in=_OVER)
    ids = tuple(sorted({task.account_id for task in mine if task.account_id}))
    owners = {
        account.account_id: (account.owner_email or "").lower()
        for account in customers.some(workspace, ids).values()
    }
    rest = workspace.memberships.exclude(user=leaving).select_related("user")
    people = {member.user.email: member.user for member in rest}
    for task in mine:
        task.owner = people.get(owners.get(task.account_id, ""))
        task.save(update_fields=["owner"])
