"""Playbooks, and what becomes of them for accounts."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import pgettext_lazy

from perennial.apps.team.models import User, Workspace
from perennial.apps.team.versions import Version
from perennial.apps.work.models.common import ID_LENGTH


class Playbook(models.Model):
    """A way to act, that starts by itself where its conditions hold.

    `document` is what people edit; runs follow the version they began with.
    `number` is the version in force, 0 before the first.
    """

    class State(models.TextChoices):
        DRAFT = "draft", pgettext_lazy("state of a playbook", "Draft")
        ON = "on", pgettext_lazy("state of a playbook", "On")
        OFF = "off", pgettext_lazy("state of a playbook", "Off")

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="playbooks"
    )
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    document = models.JSONField[dict[str, Any]]()
    number = models.PositiveIntegerField(default=0)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    changed_at = models.DateTimeField(db_default=Now())
    turned_on_on = models.DateField(null=True)
    problem = models.CharField(max_length=500, blank=True)
    tried = models.JSONField[dict[str, Any]](null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name"], name="playbook_name_once"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def version_in_force(self) -> PlaybookVersion:
        return self.versions.get(number=self.number)


class PlaybookVersion(Version):
    """What a playbook said when it was turned on; never changed."""

    playbook = models.ForeignKey(
        Playbook, on_delete=models.CASCADE, related_name="versions"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["playbook", "number"], name="playbook_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.playbook} v{self.number}"


class Match(models.Model):
    """An account that a playbook's conditions hold for, since a local day."""

    playbook = models.ForeignKey(
        Playbook, on_delete=models.CASCADE, related_name="matches"
    )
    account_id = models.CharField(max_length=ID_LENGTH)
    since = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["playbook", "account_id"], name="match_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.playbook}: {self.account_id}"


class Run(models.Model):
    """A playbook at work for one account.

    `position` is the step that comes next, `due_at` when; `facts` is what held when
    it started. Held out: it would have started, and is watched for comparison; that
    stays said when the watch has ended.
    """

    class State(models.TextChoices):
        RUNNING = "running", pgettext_lazy("state of a run", "Running")
        HELD_OUT = "held_out", pgettext_lazy("state of a run", "Held out")
        DONE = "done", pgettext_lazy("state of a run", "Done")
        ENDED = "ended", pgettext_lazy("state of a run", "Ended early")
        FAILED = "failed", pgettext_lazy("state of a run", "Failed")

    playbook = models.ForeignKey(
        Playbook, on_delete=models.CASCADE, related_name="runs"
    )
    version = models.ForeignKey(PlaybookVersion, on_delete=models.RESTRICT)
    account_id = models.CharField(max_length=ID_LENGTH)
    state = models.CharField(max_length=8, choices=State.choices)
    is_held_out = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    owner_email = models.CharField(max_length=254, blank=True)
    facts = models.JSONField[dict[str, Any]](default=dict)
    position = models.CharField(max_length=64, blank=True)
    due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["playbook", "account_id"],
                condition=Q(state__in=["running", "held_out"]),
                name="one_run_of_a_playbook",
            )
        ]
        indexes = [
            models.Index(fields=["state", "due_at"], name="run_due"),
            models.Index(fields=["playbook", "-started_at"], name="run_by_time"),
            models.Index(fields=["account_id"], name="run_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.playbook}: {self.account_id} ({self.state})"


class ManyStart(models.Model):
    """A playbook that a person starts for more accounts than anybody waits for.

    `done` is how many of `accounts` were asked; how many of them started is told by
    their runs.
    """

    playbook = models.ForeignKey(
        Playbook, on_delete=models.CASCADE, related_name="many_starts"
    )
    by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    accounts = models.JSONField[list[str]]()
    done = models.PositiveIntegerField(default=0)
    started = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.playbook} for {len(self.accounts)} accounts"

    @property
    def share(self) -> float:
        return self.done / len(self.accounts)


class RunEntry(models.Model):
    """What one step of a run did, or why the run ended."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="entries")
    at = models.DateTimeField()
    step = models.CharField(max_length=64, blank=True)
    what = models.CharField(max_length=32)
    details = models.JSONField[dict[str, Any]](default=dict)

    class Meta:
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.step}: {self.what}"


class Skip(models.Model):
    """A day on which an account matched, and why its playbook did not start."""

    playbook = models.ForeignKey(
        Playbook, on_delete=models.CASCADE, related_name="skips"
    )
    account_id = models.CharField(max_length=ID_LENGTH)
    reason = models.CharField(max_length=32)
    first_on = models.DateField()
    last_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["playbook", "account_id", "reason"], name="skip_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.playbook}: {self.account_id}, {self.reason}"
