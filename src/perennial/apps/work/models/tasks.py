"""What people do, for accounts or without one."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from perennial.apps.customers.account import Account
from perennial.apps.team.models import User, Workspace
from perennial.apps.work.models.alerts import Alert
from perennial.apps.work.models.common import ID_LENGTH, Priority
from perennial.apps.work.models.playbooks import Run


class TaskState(models.TextChoices):
    OPEN = "open", pgettext_lazy("state of a task", "Open")
    STARTED = "started", pgettext_lazy("state of a task", "In progress")
    DONE = "done", pgettext_lazy("state of a task", "Done")
    DROPPED = "dropped", pgettext_lazy("state of a task", "Dropped")


class Repeat(models.TextChoices):
    NEVER = "", _("Never")
    WEEKLY = "week", _("Every week")
    MONTHLY = "month", _("Every month")
    QUARTERLY = "quarter", _("Every quarter")
    YEARLY = "year", _("Every year")


class Task(models.Model):
    """Something a person does, for an account or without one.

    `due_on` is a local day of the workspace; `reason` says why the task is there.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="tasks"
    )
    title = models.CharField(max_length=200)
    description = models.TextField(max_length=10_000, blank=True)
    account_id = models.CharField(max_length=ID_LENGTH, blank=True)
    owner = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="tasks"
    )
    due_on = models.DateField(null=True)
    priority = models.PositiveSmallIntegerField(
        choices=Priority.choices, default=Priority.NORMAL
    )
    state = models.CharField(
        max_length=8, choices=TaskState.choices, default=TaskState.OPEN
    )
    reason = models.CharField(max_length=300, blank=True)
    checklist = models.JSONField[list[dict[str, Any]]](default=list)
    waits_for = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="waiting"
    )
    repeats = models.CharField(
        max_length=8, choices=Repeat.choices, default=Repeat.NEVER, blank=True
    )
    alert = models.ForeignKey(
        Alert, on_delete=models.SET_NULL, null=True, related_name="tasks"
    )
    run = models.ForeignKey(
        Run, on_delete=models.SET_NULL, null=True, related_name="tasks"
    )
    step = models.CharField(max_length=64, blank=True)
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "step"],
                condition=Q(run__isnull=False),
                name="one_task_of_a_step",
            )
        ]
        indexes = [
            models.Index(
                fields=["workspace", "state", "due_on"], name="task_by_due_day"
            ),
            models.Index(fields=["workspace", "account_id"], name="task_of_account"),
        ]

    def __str__(self) -> str:
        return self.title

    #: Filled in where a page shows it: see `tasks.queries.as_read`.
    account: Account | None = None

    @property
    def is_active(self) -> bool:
        return self.state in {TaskState.OPEN, TaskState.STARTED}

    @property
    def is_blocked(self) -> bool:
        """It waits for a task that is not over."""
        return self.waits_for is not None and self.waits_for.is_active

    @property
    def checked(self) -> int:
        return sum(bool(item["done"]) for item in self.checklist)

    @property
    def priority_word(self) -> str | Promise:
        return Priority(self.priority).label
