from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from perennial.apps.team.models import Workspace


class State(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class JobRun(models.Model):
    """One run of a job, with its retries: what is shown, and what is claimed.

    The queue of django-tasks carries only the id of a run; the truth about it is
    here. `slot` is the minute the schedule meant, once per job and workspace;
    `worker` and `heartbeat_at` tell whether the one who runs it still lives.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="job_runs"
    )
    name = models.CharField(max_length=64)
    arguments = models.JSONField(default=dict)
    state = models.CharField(
        max_length=16, choices=State.choices, default=State.WAITING
    )
    slot = models.DateTimeField(null=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True
    )
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    progress = models.FloatField(default=0.0)
    message = models.CharField(max_length=254, blank=True)
    error = models.CharField(max_length=500, blank=True)
    traceback = models.TextField(blank=True)
    worker = models.CharField(max_length=128, blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    task_id = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name", "slot"], name="job_slot_once"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=State.values), name="job_state_known"
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "name", "-id"], name="job_by_name"),
            models.Index(fields=["state", "heartbeat_at"], name="job_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.pk} ({self.state})"

    @property
    def is_active(self) -> bool:
        return self.state in {State.WAITING, State.RUNNING}

    @property
    def duration(self) -> timedelta | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at
