from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from perennial.apps.team.models import User, Workspace


class Segment(models.Model):
    """A condition on accounts with a name; `document` is what the YAML says.

    The lake knows it by its key (`perennial.lake.segments`), which never changes.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="segments"
    )
    key = models.SlugField(max_length=64)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=500, blank=True)
    document = models.JSONField[dict[str, Any]]()
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    changed_at = models.DateTimeField(db_default=Now())
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="segment_key")
        ]

    def __str__(self) -> str:
        return self.name


class Attribute(models.Model):
    """An attribute of accounts that this team gave a type; `choices` for a choice.

    Its values lie with the account's own, under its key.
    """

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        NUMBER = "number", _("Number")
        DATE = "date", _("Date")
        CHOICE = "choice", _("Choice")
        FLAG = "flag", _("Yes or no")
        PERSON = "person", _("Person")

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="account_attributes"
    )
    key = models.CharField(max_length=64)
    title = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    choices = models.JSONField[list[str]](default=list)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="attribute_key")
        ]

    def __str__(self) -> str:
        return self.title


class Stage(models.Model):
    """A lifecycle stage; whoever meets its rule gets it, unless a person decided."""

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="stages"
    )
    name = models.CharField(max_length=64)
    position = models.PositiveSmallIntegerField()
    rule = models.JSONField[dict[str, Any] | None](null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="stage_name")
        ]
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class Edit(models.Model):
    """One change of an attribute, of one account or of many, that can be undone.

    Without a person it was a rule.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="account_edits"
    )
    name = models.CharField(max_length=64)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    author = models.CharField(max_length=254, blank=True)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} by {self.author}"


class Decision(models.Model):
    """What an edit made of one account; in force until another one, or released."""

    edit = models.ForeignKey(Edit, on_delete=models.CASCADE, related_name="decisions")
    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="account_decisions"
    )
    account_id = models.CharField(max_length=254)
    name = models.CharField(max_length=64)
    value = models.JSONField[Any](null=True)
    before = models.JSONField[Any](null=True)
    was_decided = models.BooleanField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["workspace", "account_id", "name"], name="decision_of"
            ),
            models.Index(fields=["edit"], name="decision_by_edit"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "account_id", "name"],
                condition=models.Q(ended_at=None),
                name="decision_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.name}"


class Merge(models.Model):
    """An account that counts as another one since somebody said so.

    `moved`: what went along, keys by the label of its model; `ended`: what of that
    could not go on beside the other account's, as it was before. `edits` made the
    attributes that were chosen.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="account_merges"
    )
    account_id = models.CharField(max_length=254)
    into_id = models.CharField(max_length=254)
    name = models.CharField(max_length=254)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    author = models.CharField(max_length=254)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    moved = models.JSONField[dict[str, list[int]]](default=dict)
    ended = models.JSONField[dict[str, list[dict[str, Any]]]](default=dict)
    edits = models.ManyToManyField(Edit, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "account_id"],
                condition=models.Q(undone_at=None),
                name="merged_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} into {self.into_id}"


class Note(models.Model):
    """What somebody wrote down of an account: a note, a call, a meeting, an e-mail.

    `key` comes with the form, so that one sent twice is one note. Contacts are
    touchpoints in the lake, too.
    """

    class Kind(models.TextChoices):
        NOTE = "note", pgettext_lazy("kind of contact", "Note")
        CALL = "call", pgettext_lazy("kind of contact", "Call")
        MEETING = "meeting", pgettext_lazy("kind of contact", "Meeting")
        EMAIL = "e-mail", pgettext_lazy("kind of contact", "E-mail")

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="notes"
    )
    key = models.UUIDField(unique=True)
    account_id = models.CharField(max_length=254)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    body = models.TextField()
    at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(null=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    author = models.CharField(max_length=254)
    is_pinned = models.BooleanField(default=False)
    written_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "account_id", "-at"], name="note_of")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.account_id}"

    @property
    def is_contact(self) -> bool:
        return self.kind != self.Kind.NOTE


class NoteVersion(models.Model):
    """What a note said before it was changed."""

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="versions")
    body = models.TextField()
    author = models.CharField(max_length=254)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.note} until {self.until}"


class Mention(models.Model):
    """A teammate a note speaks to."""

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="mentions")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="mentions")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["note", "user"], name="mention_once")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.note}"


class Attachment(models.Model):
    """A file of a note; it lies below the media folder under its key."""

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="attachments")
    key = models.UUIDField(unique=True)
    name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return self.name


class View(models.Model):
    """A view of the list of accounts that somebody saved: its address as it was.

    Others see it once it is shared.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="account_views"
    )
    owner = models.ForeignKey(User, on_delete=models.CASCADE)
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=1000)
    is_shared = models.BooleanField(default=False)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """A person at a customer: what part they play. `user_id` is empty for those who do
    not use the product; name and address of the others are the users' own."""

    class Role(models.TextChoices):
        CHAMPION = "champion", _("Champion")
        DECISION_MAKER = "decision_maker", _("Decision maker")
        ECONOMIC_BUYER = "economic_buyer", _("Economic buyer")
        SPONSOR = "executive_sponsor", _("Executive sponsor")
        INFLUENCER = "influencer", _("Influencer")
        BLOCKER = "blocker", _("Blocker")

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="contacts"
    )
    account_id = models.CharField(max_length=254)
    user_id = models.CharField(max_length=254, blank=True)
    name = models.CharField(max_length=120, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    role = models.CharField(max_length=24, choices=Role.choices, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "account_id", "user_id"],
                condition=~models.Q(user_id=""),
                name="contact_of_user",
            )
        ]
        indexes = [models.Index(fields=["workspace", "role"], name="contact_by_role")]

    def __str__(self) -> str:
        return self.name or self.user_id
