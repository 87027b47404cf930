"""Guides, whom they were shown to, and what came of it."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from perennial.apps.team.models import User, Workspace
from perennial.apps.team.versions import Version

_ID_LENGTH = 254


class Guide(models.Model):
    """What is shown in the product: `document` is what people edit, `number` the
    version that is shown. `key` is what chance is drawn from."""

    class Form(models.TextChoices):
        WALKTHROUGH = "walkthrough", pgettext_lazy("form of a guide", "Walkthrough")
        TOOLTIP = "tooltip", pgettext_lazy("form of a guide", "Tooltip")
        MODAL = "modal", pgettext_lazy("form of a guide", "Dialog")
        ANNOUNCEMENT = "announcement", pgettext_lazy("form of a guide", "Announcement")
        BANNER = "banner", pgettext_lazy("form of a guide", "Banner")
        HOTSPOT = "hotspot", pgettext_lazy("form of a guide", "Hotspot")
        CHECKLIST = "checklist", pgettext_lazy("form of a guide", "Checklist")
        RESOURCES = (
            "resource_center",
            pgettext_lazy("form of a guide", "Resource center"),
        )

    class State(models.TextChoices):
        DRAFT = "draft", pgettext_lazy("state of a guide", "Draft")
        ON = "on", pgettext_lazy("state of a guide", "Live")
        PAUSED = "paused", pgettext_lazy("state of a guide", "Paused")
        ARCHIVED = "archived", pgettext_lazy("state of a guide", "Archived")

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="guides"
    )
    key = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=120)
    form = models.CharField(max_length=16, choices=Form.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    document = models.JSONField[dict[str, Any]]()
    number = models.PositiveIntegerField(default=0)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name"], name="guide_name_once"
            )
        ]

    def __str__(self) -> str:
        return self.name


class GuideVersion(Version):
    """A document as it was shown: numbered, and never changed."""

    guide = models.ForeignKey(Guide, on_delete=models.CASCADE, related_name="versions")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["guide", "number"], name="guide_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.guide}, version {self.number}"


class Showing(models.Model):
    """A guide before a person, or held back from them (`variant` "held_out").

    `times` counts how often it began anew, `began_on` is the local day it last did, and
    `claimed_at` the instant it first did; `seen_at` is when it first stood on a page.
    `step` is the last one seen of the showing that goes on, `lost_at` when it ended
    because an element was not there.
    """

    guide = models.ForeignKey(Guide, on_delete=models.CASCADE, related_name="showings")
    number = models.PositiveIntegerField()
    person = models.CharField(max_length=_ID_LENGTH)
    account_id = models.CharField(max_length=_ID_LENGTH, blank=True)
    variant = models.CharField(max_length=8)
    times = models.PositiveIntegerField(default=0)
    began_on = models.DateField()
    claimed_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    step = models.CharField(max_length=40, blank=True)
    finished_at = models.DateTimeField(null=True)
    dismissed_at = models.DateTimeField(null=True)
    lost_at = models.DateTimeField(null=True)
    snoozed_until = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["guide", "person"], name="showing_once")
        ]
        indexes = [
            models.Index(fields=["person"], name="showing_person"),
            models.Index(fields=["account_id"], name="showing_account"),
        ]

    def __str__(self) -> str:
        return f"{self.guide} before {self.person}"


class Told(models.Model):
    """What a browser told of a showing: each thing once, however often it is sent.

    `is_loaded`: it is an event in the lake, too.
    """

    class Did(models.TextChoices):
        SEEN = "seen", _("Seen")
        STEP = "step", _("Step")
        DONE = "done", _("Finished")
        DISMISSED = "dismissed", _("Closed")
        SNOOZED = "snoozed", _("Put off")
        LOST = "lost", _("Not found")
        CLICKED = "clicked", _("Clicked")

    showing = models.ForeignKey(Showing, on_delete=models.CASCADE, related_name="told")
    times = models.PositiveIntegerField()
    did = models.CharField(max_length=10, choices=Did.choices)
    step = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField()
    is_loaded = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["showing", "times", "did", "step"], name="told_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(is_loaded=False), name="told_not_loaded"
            )
        ]

    def __str__(self) -> str:
        return f"{self.did} {self.step} of {self.showing}"


class Invited(models.Model):
    """An account whose people a guide was chosen for, by hand or by a playbook."""

    guide = models.ForeignKey(Guide, on_delete=models.CASCADE, related_name="invited")
    account_id = models.CharField(max_length=_ID_LENGTH)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["guide", "account_id"], name="invited_once")
        ]

    def __str__(self) -> str:
        return f"{self.guide} for {self.account_id}"
