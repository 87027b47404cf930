"""Boards and metrics that go out by mail on a schedule."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import pgettext_lazy

from perennial.apps.reports.models import Board
from perennial.apps.team.models import User, Workspace


class Mailing(models.Model):
    """A board, or a metric, that people get by mail: as `by` may see it, and as the
    address `query` asks for it.

    `left` are addresses that ended it for themselves. `sent_for` is the moment of the
    schedule that went out last; moments before `since` do not count.
    """

    class Every(models.TextChoices):
        DAY = "day", pgettext_lazy("how often a mail comes", "Every day")
        WEEK = "week", pgettext_lazy("how often a mail comes", "Every Monday")
        MONTH = "month", pgettext_lazy("how often a mail comes", "On the first")

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="mailings"
    )
    by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="mailings")
    title = models.CharField(max_length=200)
    board = models.ForeignKey(Board, on_delete=models.CASCADE, null=True)
    metric = models.CharField(max_length=64, blank=True)
    query = models.CharField(max_length=500, blank=True)
    every = models.CharField(max_length=8, choices=Every.choices)
    to = models.JSONField[list[str]](default=list)
    left = models.JSONField[list[str]](default=list)
    is_paused = models.BooleanField(default=False)
    #: Why it paused by itself.
    trouble = models.CharField(max_length=300, blank=True)
    since = models.DateTimeField(db_default=Now())
    sent_for = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.title

    @property
    def readers(self) -> list[str]:
        return [email for email in self.to if email not in self.left]
