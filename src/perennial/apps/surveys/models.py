"""Surveys, whom they asked, and what was answered.

Answers and invitations flow into the lake (`loading`), where metrics read them.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from perennial.apps.team.models import User, Workspace
from perennial.apps.team.versions import Version

_ID_LENGTH = 254


class SurveySettings(models.Model):
    """Rests across all surveys of a workspace, in days, and people asked a day.

    `takes_unsigned`: pages may say who their user is without a signature.
    """

    workspace = models.OneToOneField(
        Workspace, on_delete=models.CASCADE, related_name="survey_settings"
    )
    first_days = models.PositiveSmallIntegerField(default=30)
    answer_days = models.PositiveSmallIntegerField(default=90)
    refusal_days = models.PositiveSmallIntegerField(default=30)
    asked_days = models.PositiveSmallIntegerField(default=30)
    most_a_day = models.PositiveIntegerField(null=True)
    takes_unsigned = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"survey settings of {self.workspace}"


class Survey(models.Model):
    """What is asked, of whom and when: `document` is what people edit, `number` the
    version that is asked. `key` is in the address of its public link."""

    class Kind(models.TextChoices):
        NPS = "nps", _("Net Promoter Score")
        CSAT = "csat", _("Customer satisfaction")
        CES = "ces", _("Customer effort score")

    class State(models.TextChoices):
        DRAFT = "draft", pgettext_lazy("state of a survey", "Draft")
        ON = "on", pgettext_lazy("state of a survey", "Running")
        OFF = "off", pgettext_lazy("state of a survey", "Stopped")

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="surveys"
    )
    key = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    document = models.JSONField[dict[str, Any]]()
    number = models.PositiveIntegerField(default=0)
    started_on = models.DateField(null=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name"], name="survey_name_once"
            )
        ]

    def __str__(self) -> str:
        return self.name


class SurveyVersion(Version):
    """A document as it was asked: numbered, and never changed."""

    survey = models.ForeignKey(
        Survey, on_delete=models.CASCADE, related_name="versions"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["survey", "number"], name="survey_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.survey}, version {self.number}"


class Respondent(models.Model):
    """What became of asking a person, across all surveys: what the rests are from."""

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="respondents"
    )
    person = models.CharField(max_length=_ID_LENGTH)
    asked_on = models.DateField(null=True)
    answered_on = models.DateField(null=True)
    refused_on = models.DateField(null=True)
    unsubscribed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "person"], name="respondent_once"
            )
        ]

    def __str__(self) -> str:
        return self.person


class Channel(models.TextChoices):
    PRODUCT = "product", _("In the product")
    EMAIL = "email", _("E-mail")
    LINK = "link", _("Link")
    API = "api", _("API")


class Loadable(models.Model):
    """What the lake gets a copy of: behind while `loaded` is less than `revision`."""

    #: The id in the lake, where it is not made of the key.
    lake_id = models.CharField(max_length=64, blank=True)
    revision = models.PositiveIntegerField(default=1)
    loaded = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True


class Invite(Loadable):
    """A person who was asked: once in a wave, and about an occasion."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="invites")
    number = models.PositiveIntegerField()
    person = models.CharField(max_length=_ID_LENGTH)
    account_id = models.CharField(max_length=_ID_LENGTH, blank=True)
    email = models.CharField(max_length=254, blank=True)
    language = models.CharField(max_length=2)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    wave = models.PositiveIntegerField(default=1)
    occasion = models.CharField(max_length=_ID_LENGTH, blank=True)
    invited_at = models.DateTimeField()
    asked_on = models.DateField()
    refused_at = models.DateTimeField(null=True)
    bounced_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["survey", "wave", "occasion", "person"], name="asked_once"
            )
        ]
        indexes = [models.Index(fields=["survey", "asked_on"], name="invite_day")]

    def __str__(self) -> str:
        return f"{self.survey} to {self.person}"

    @property
    def id_in_lake(self) -> str:
        return self.lake_id or f"svi-{self.pk}"


class Answer(Loadable):
    """What a person answered: the last word of it. Without `invite`, by the public
    link; `person` is then known only where the link was signed for them.

    `closed_at`: somebody saw to it; `reply` is what they wrote back.
    """

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="answers")
    invite = models.OneToOneField(
        Invite, on_delete=models.CASCADE, null=True, related_name="answer"
    )
    number = models.PositiveIntegerField()
    person = models.CharField(max_length=_ID_LENGTH, blank=True)
    account_id = models.CharField(max_length=_ID_LENGTH, blank=True)
    score = models.SmallIntegerField()
    answers = models.JSONField[dict[str, str]](default=dict)
    comment = models.TextField(blank=True)
    language = models.CharField(max_length=2)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    wave = models.PositiveIntegerField(default=1)
    is_complete = models.BooleanField(default=False)
    answered_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    #: Of the client's address, where nobody is known: for the limit of answers.
    address = models.CharField(max_length=32, blank=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    reply = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["survey", "answered_at"], name="answer_at"),
            models.Index(fields=["address", "answered_at"], name="answer_address"),
        ]

    def __str__(self) -> str:
        return f"{self.score} to {self.survey}"

    @property
    def id_in_lake(self) -> str:
        return self.lake_id or f"svy-{self.pk}"
