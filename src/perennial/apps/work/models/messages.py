"""What leaves the house, what people are told, and how they want to be."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.work.models.common import ID_LENGTH
from perennial.apps.work.models.playbooks import Run


class Picture(models.Model):
    """A picture that mails show as `cid:` and its digest; those who get the same mail
    share it."""

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="pictures"
    )
    digest = models.CharField(max_length=64)
    png = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "digest"], name="picture_once")
        ]

    def __str__(self) -> str:
        return self.digest


class WebhookSecret(models.Model):
    """What the secret of a workspace follows from, beside the installation's key: the
    secret itself is kept nowhere."""

    workspace = models.OneToOneField(
        Workspace, on_delete=models.CASCADE, related_name="webhook_secret"
    )
    nonce = models.CharField(max_length=64)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"secret of {self.workspace} since {self.at}"


class Message(models.Model):
    """Something that leaves the house: written down first, then sent once.

    `key` names what it is about, so that a step done again writes no second one.
    A draft waits for a person. Where no mail server is set a message is kept, to be
    read in the outbox.
    """

    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        WEBHOOK = "webhook", _("Webhook")
        CHAT = "chat", _("Slack or Teams")

    class State(models.TextChoices):
        DRAFT = "draft", pgettext_lazy("state of a message", "Draft")
        QUEUED = "queued", pgettext_lazy("state of a message", "Waiting")
        SENDING = "sending", pgettext_lazy("state of a message", "Being sent")
        SENT = "sent", pgettext_lazy("state of a message", "Sent")
        KEPT = "kept", pgettext_lazy("state of a message", "Kept, not sent")
        FAILED = "failed", pgettext_lazy("state of a message", "Failed")
        UNSURE = "unsure", pgettext_lazy("state of a message", "Perhaps sent")
        DISCARDED = "dropped", pgettext_lazy("state of a message", "Discarded")

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="messages"
    )
    key = models.CharField(max_length=200)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    to = models.CharField(max_length=500)
    subject = models.CharField(max_length=300, blank=True)
    text = models.TextField()
    html = models.TextField(blank=True)
    #: Further headers of a mail.
    headers = models.JSONField[dict[str, str]](default=dict)
    pictures = models.ManyToManyField(Picture)
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    run = models.ForeignKey(
        Run, on_delete=models.SET_NULL, null=True, related_name="messages"
    )
    account_id = models.CharField(max_length=ID_LENGTH, blank=True)
    owner_email = models.CharField(max_length=254, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "key"], name="message_written_once"
            )
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="message_due")]

    def __str__(self) -> str:
        return f"{self.channel} to {self.shown_to}: {self.subject}"

    @property
    def shown_to(self) -> str:
        """Of an address on the web only the host: whoever knows all of it can write
        there."""
        if self.channel == self.Channel.EMAIL:
            return self.to
        return urlsplit(self.to).hostname or ""


class Preference(models.Model):
    """How a member wants to hear of one kind of thing; without one, as `kinds` say."""

    class Email(models.TextChoices):
        NEVER = "never", pgettext_lazy("how often a mail comes", "Never")
        NOW = "now", pgettext_lazy("how often a mail comes", "At once")
        DAILY = "daily", pgettext_lazy("how often a mail comes", "Every morning")
        WEEKLY = "weekly", pgettext_lazy("how often a mail comes", "Every Monday")

    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="preferences"
    )
    what = models.CharField(max_length=16)
    in_app = models.BooleanField(default=True)
    email = models.CharField(max_length=8, choices=Email.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "what"], name="preference_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.what}: {self.email}"


class Channel(models.Model):
    """An address that hears of some kinds of things: a member's, or the team's.

    What came before `since` is not told there.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="channels"
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, null=True, related_name="channels"
    )
    kind = models.CharField(
        max_length=8,
        choices=[
            (Message.Channel.CHAT.value, Message.Channel.CHAT.label),
            (Message.Channel.WEBHOOK.value, Message.Channel.WEBHOOK.label),
        ],
    )
    url = models.CharField(max_length=500)
    whats = models.JSONField[list[str]](default=list)
    by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "kind"],
                condition=models.Q(membership__isnull=False),
                name="channel_of_member",
            ),
            models.UniqueConstraint(
                fields=["workspace", "kind"],
                condition=models.Q(membership__isnull=True),
                name="channel_of_team",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.membership or self.workspace}"


class Notice(models.Model):
    """Something a person is told in the application, once.

    `key` names what it is of; the sentence is made from `facts` when it is shown.
    `is_mailed`: it was decided whether a mail goes out.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="notices"
    )
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    what = models.CharField(max_length=16)
    key = models.CharField(max_length=100)
    account_id = models.CharField(max_length=ID_LENGTH, blank=True)
    facts = models.JSONField[dict[str, Any]](default=dict)
    url = models.CharField(max_length=500)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    in_app = models.BooleanField(default=True)
    is_mailed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "user", "key"], name="notice_once"
            )
        ]
        indexes = [models.Index(fields=["user", "read_at"], name="notice_unread")]

    def __str__(self) -> str:
        return f"{self.what} for {self.user}"
