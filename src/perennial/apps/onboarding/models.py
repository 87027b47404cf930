"""Onboarding flows as people write them. What is published, and who got how far, is
in the lake (`lake.flowbook`)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import pgettext_lazy

from perennial.apps.team.models import User, Workspace


class Flow(models.Model):
    """A flow: `document` is what people edit, `number` the version in force. The name
    stays from then on: the lake and guides know its steps by it."""

    class State(models.TextChoices):
        DRAFT = "draft", pgettext_lazy("state of a flow", "Draft")
        ON = "on", pgettext_lazy("state of a flow", "Running")
        OFF = "off", pgettext_lazy("state of a flow", "Stopped")

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="onboarding_flows"
    )
    name = models.CharField(max_length=80)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    document = models.JSONField[dict[str, Any]]()
    number = models.PositiveIntegerField(default=0)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name"], name="onboarding_flow_once"
            )
        ]

    def __str__(self) -> str:
        return self.name
