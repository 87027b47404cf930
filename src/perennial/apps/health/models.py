from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now

from perennial.apps.team.models import User, Workspace


class Draft(models.Model):
    """A scorecard somebody works on; nothing is scored by it before it is published.

    `document` is what the YAML file says; `based_on` the version it was begun from.
    `verdict` is the last back-test, `judged` the digest of the document it is of.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="scorecard_drafts"
    )
    document = models.JSONField[dict[str, Any]]()
    based_on = models.PositiveIntegerField()
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    changed_at = models.DateTimeField(db_default=Now())
    verdict = models.JSONField[dict[str, Any]](null=True)
    judged = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return str(self.document.get("name", ""))


class Override(models.Model):
    """A score a person sets in place of the computed one, for at most 90 days."""

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="health_overrides"
    )
    account_id = models.CharField(max_length=254)
    score = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    author = models.CharField(max_length=254)
    starts_on = models.DateField()
    ends_on = models.DateField()
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(score__lte=100), name="override_score_to_100"
            ),
            models.CheckConstraint(
                condition=~models.Q(reason=""), name="override_has_reason"
            ),
        ]
        indexes = [models.Index(fields=["workspace", "account_id"], name="override_of")]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.score}"


class Pulse(models.Model):
    """What a person says of the relationship with an account, 0 to 100."""

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="health_pulses"
    )
    account_id = models.CharField(max_length=254)
    value = models.PositiveSmallIntegerField()
    note = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    author = models.CharField(max_length=254)
    date = models.DateField()
    said_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(value__lte=100), name="pulse_to_100"
            )
        ]
        indexes = [models.Index(fields=["workspace", "account_id"], name="pulse_of")]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.value}"
