"""What customers want to reach, and what the company does."""

from __future__ import annotations

from typing import ClassVar, Self, TypeVar

from django.db import models
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import pgettext_lazy

from perennial.apps.team.models import User, Workspace
from perennial.apps.work.models.common import ID_LENGTH


class Plan(models.Model):
    """What a customer wants to reach, and who does what for it: a success plan.

    `token` opens it for the customer while `is_shared`; a new one ends the old link.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="plans"
    )
    account_id = models.CharField(max_length=ID_LENGTH)
    title = models.CharField(max_length=200)
    summary = models.TextField(max_length=5_000, blank=True)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    customer_owner = models.CharField(max_length=200, blank=True)
    is_shared = models.BooleanField(default=False)
    token = models.CharField(max_length=64, unique=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    archived_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "account_id"], name="plan_of_account")
        ]

    def __str__(self) -> str:
        return self.title


_Model = TypeVar("_Model", bound=models.Model)


class Standing(models.Manager[_Model]):
    """What was not taken out."""

    def get_queryset(self) -> models.QuerySet[_Model]:
        return super().get_queryset().filter(removed_at=None)


class Goal(models.Model):
    """A required outcome (O01): a measure from a baseline to a target by a day.

    `metric` is a key of the catalog whose value of the account is followed; without
    one, people say how far it is. `value` is the last one known. `kept`: values by
    instant of one that was taken out, to be put back with it.
    """

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="goals")
    title = models.CharField(max_length=200)
    metric = models.CharField(max_length=64, blank=True)
    baseline = models.FloatField()
    target = models.FloatField()
    starts_on = models.DateField()
    due_on = models.DateField()
    value = models.FloatField(null=True)
    measured_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    kept = models.JSONField[list[tuple[str, float]]](default=list)

    objects: ClassVar[Standing[Self]] = Standing()
    every: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        ordering: ClassVar = ["due_on", "pk"]

    def __str__(self) -> str:
        return self.title


class Milestone(models.Model):
    """A step of a plan, done by one side or the other."""

    class Side(models.TextChoices):
        OURS = "ours", pgettext_lazy("who does a milestone", "We")
        THEIRS = "theirs", pgettext_lazy("who does a milestone", "The customer")

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="milestones")
    title = models.CharField(max_length=200)
    side = models.CharField(max_length=8, choices=Side.choices, default=Side.OURS)
    due_on = models.DateField(null=True)
    done_on = models.DateField(null=True)
    removed_at = models.DateTimeField(null=True)

    objects: ClassVar[Standing[Self]] = Standing()
    every: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        ordering: ClassVar = [F("due_on").asc(nulls_last=True), "pk"]

    def __str__(self) -> str:
        return self.title


class Vision(models.Model):
    """What the company wants to be for its customers, in its own words."""

    workspace = models.OneToOneField(
        Workspace, on_delete=models.CASCADE, related_name="vision"
    )
    text = models.TextField(max_length=5_000, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    changed_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.text[:80]


class Objective(models.Model):
    """A metric of the whole company, from a baseline to a target by a day.

    `value` is that of the last full month, or of the day for stocks; in the metric's
    own unit.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="objectives"
    )
    title = models.CharField(max_length=200)
    metric = models.CharField(max_length=64)
    baseline = models.FloatField()
    target = models.FloatField()
    starts_on = models.DateField()
    due_on = models.DateField()
    value = models.FloatField(null=True)
    measured_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["due_on", "pk"]

    def __str__(self) -> str:
        return self.title
