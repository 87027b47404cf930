"""Alerts, and what a workspace changed about their rules."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from perennial.apps.team.models import User, Workspace
from perennial.apps.work.models.common import ID_LENGTH, Priority


class Alert(models.Model):
    """Something about an account that a person should know: open until it is over.

    `facts` are the numbers it rests on; the sentence is made from them when it is
    shown, in the reader's language. `is_quiet`: beyond what the owner is told a day.
    """

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("state of an alert", "Open")
        ACKNOWLEDGED = "seen", pgettext_lazy("state of an alert", "Acknowledged")
        SNOOZED = "snoozed", pgettext_lazy("state of an alert", "Snoozed")
        CLOSED = "closed", pgettext_lazy("state of an alert", "Closed")

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="alerts"
    )
    account_id = models.CharField(max_length=ID_LENGTH, blank=True)
    rule = models.CharField(max_length=32)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    facts = models.JSONField[dict[str, Any]](default=dict)
    owner_email = models.CharField(max_length=254, blank=True)
    is_quiet = models.BooleanField(default=False)
    opened_on = models.DateField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    snoozed_until = models.DateField(null=True)
    note = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    is_useful = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "account_id", "rule"],
                condition=~Q(state="closed"),
                name="one_alert_of_a_rule",
            )
        ]
        indexes = [
            models.Index(fields=["workspace", "state"], name="alert_by_state"),
            models.Index(fields=["workspace", "account_id"], name="alert_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.account_id}"


class RuleSetting(models.Model):
    """What a workspace changed about a rule of alerts."""

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="alert_rules"
    )
    rule = models.CharField(max_length=32)
    is_on = models.BooleanField(default=True)
    threshold = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "rule"], name="rule_setting_once"
            )
        ]

    def __str__(self) -> str:
        return self.rule
