"""What people do about customers: tasks, alerts, playbooks, and what goes out.

Accounts live in the lake and are named by their id; an id that is gone leaves its
rows readable.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from perennial.apps.customers.account import Account
from perennial.apps.team.models import Membership, User, Workspace

#: Ids of accounts, as the lake has them.
ID_LENGTH = 254


class Priority(models.IntegerChoices):
    """Most urgent first."""

    URGENT = 0, pgettext_lazy("priority", "Urgent")
    HIGH = 1, pgettext_lazy("priority", "High")
    NORMAL = 2, pgettext_lazy("priority", "Normal")
    LOW = 3, pgettext_lazy("priority", "Low")


class TaskState(models.TextChoices):
    OPEN = "open", pgettext_lazy("state of a task", "Open")
    STARTED = "started", pgettext_lazy("state of a task", "In progress")
    DONE = "done", pgettext_lazy("state of a task", "Done")
    DROPPED = "dropped", pgettext_lazy("state of a task", "Dropped")


class Repeat(models.TextChoices):
    NEVER = "", _("Never")
    WEEKLY = "week", _("Every week")
    MONTHLY = "month", _("Every month")
    QUARTERLY = "quarter", _("Every quarter")
    YEARLY = "year", _("Every year")


class Playbook(models.Model):
    """A way to act, that starts by itself where its conditions hold.

    `document` is what people edit; runs follow the version they began with.
    `number` is the version in force, 0 before the first.
    """

    class State(models.TextChoices):
        DRAFT = "draft", pgettext_lazy("state of a playbook", "Draft")
        ON = "on", pgettext_lazy("state of a playbook", "On")
        OFF = "off", pgettext_lazy("state of a playbook", "Off")

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="playbooks"
    )
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    document = models.JSONField[dict[str, Any]]()
    number = models.PositiveIntegerField(default=0)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    changed_at = models.DateTimeField(db_default=Now())
    turned_on_on = models.DateField(null=True)
    problem = models.CharField(max_length=500, blank=True)
    tried = models.JSONField[dict[str, Any]](null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name"], name="playbook_name_once"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def version_in_force(self) -> PlaybookVersion:
        return self.versions.get(number=self.number)


class PlaybookVersion(models.Model):
    """What a playbook said when it was turned on; never changed."""

    playbook = models.ForeignKey(
        Playbook, on_delete=models.CASCADE, related_name="versions"
    )
    number = models.PositiveIntegerField()
    document = models.JSONField[dict[str, Any]]()
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["playbook", "number"], name="playbook_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.playbook} v{self.number}"


class Match(models.Model):
    """An account that a playbook's conditions hold for, since a local day."""

    playbook = models.ForeignKey(
        Playbook, on_delete=models.CASCADE, related_name="matches"
    )
    account_id = models.CharField(max_length=ID_LENGTH)
    since = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["playbook", "account_id"], name="match_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.playbook}: {self.account_id}"


class Run(models.Model):
    """A playbook at work for one account.

    `position` is the step that comes next, `due_at` when; `facts` is what held when
    it started. Held out: it would have started, and is watched for comparison.
    """

    class State(models.TextChoices):
        RUNNING = "running", pgettext_lazy("state of a run", "Running")
        HELD_OUT = "held_out", pgettext_lazy("state of a run", "Held out")
        DONE = "done", pgettext_lazy("state of a run", "Done")
        ENDED = "ended", pgettext_lazy("state of a run", "Ended early")
        FAILED = "failed", pgettext_lazy("state of a run", "Failed")

    playbook = models.ForeignKey(
        Playbook, on_delete=models.CASCADE, related_name="runs"
    )
    version = models.ForeignKey(PlaybookVersion, on_delete=models.RESTRICT)
    account_id = models.CharField(max_length=ID_LENGTH)
    state = models.CharField(max_length=8, choices=State.choices)
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    owner_email = models.CharField(max_length=254, blank=True)
    facts = models.JSONField[dict[str, Any]](default=dict)
    position = models.CharField(max_length=64, blank=True)
    due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["playbook", "account_id"],
                condition=Q(state__in=["running", "held_out"]),
                name="one_run_of_a_playbook",
            )
        ]
        indexes = [
            models.Index(fields=["state", "due_at"], name="run_due"),
            models.Index(fields=["playbook", "-started_at"], name="run_by_time"),
            models.Index(fields=["account_id"], name="run_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.playbook}: {self.account_id} ({self.state})"


class RunEntry(models.Model):
    """What one step of a run did, or why the run ended."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="entries")
    at = models.DateTimeField()
    step = models.CharField(max_length=64, blank=True)
    what = models.CharField(max_length=32)
    details = models.JSONField[dict[str, Any]](default=dict)

    class Meta:
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.step}: {self.what}"


class Skip(models.Model):
    """A day on which an account matched, and why its playbook did not start."""

    playbook = models.ForeignKey(
        Playbook, on_delete=models.CASCADE, related_name="skips"
    )
    account_id = models.CharField(max_length=ID_LENGTH)
    reason = models.CharField(max_length=32)
    first_on = models.DateField()
    last_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["playbook", "account_id", "reason"], name="skip_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.playbook}: {self.account_id}, {self.reason}"


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


class Task(models.Model):
    """Something a person does, for an account or without one.

    `due_on` is a local day of the workspace; `reason` says why the task is there.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="tasks"
    )
    title = models.CharField(max_length=200)
    description = models.TextField(max_length=10_000, blank=True)
    account_id = models.CharField(max_length=ID_LENGTH, blank=True)
    owner = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="tasks"
    )
    due_on = models.DateField(null=True)
    priority = models.PositiveSmallIntegerField(
        choices=Priority.choices, default=Priority.NORMAL
    )
    state = models.CharField(
        max_length=8, choices=TaskState.choices, default=TaskState.OPEN
    )
    reason = models.CharField(max_length=300, blank=True)
    checklist = models.JSONField[list[dict[str, Any]]](default=list)
    waits_for = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="waiting"
    )
    repeats = models.CharField(
        max_length=8, choices=Repeat.choices, default=Repeat.NEVER, blank=True
    )
    alert = models.ForeignKey(
        Alert, on_delete=models.SET_NULL, null=True, related_name="tasks"
    )
    run = models.ForeignKey(
        Run, on_delete=models.SET_NULL, null=True, related_name="tasks"
    )
    step = models.CharField(max_length=64, blank=True)
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "step"],
                condition=Q(run__isnull=False),
                name="one_task_of_a_step",
            )
        ]
        indexes = [
            models.Index(
                fields=["workspace", "state", "due_on"], name="task_by_due_day"
            ),
            models.Index(fields=["workspace", "account_id"], name="task_of_account"),
        ]

    def __str__(self) -> str:
        return self.title

    #: Filled in where a page shows it: see `tasks.queries.with_accounts`.
    account: Account | None = None

    @property
    def is_active(self) -> bool:
        return self.state in {TaskState.OPEN, TaskState.STARTED}

    @property
    def is_blocked(self) -> bool:
        """It waits for a task that is not over."""
        return self.waits_for is not None and self.waits_for.is_active

    @property
    def checked(self) -> int:
        return sum(bool(item["done"]) for item in self.checklist)

    @property
    def priority_word(self) -> str | Promise:
        return Priority(self.priority).label


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
    #: A picture the HTML shows as `cid:chart`.
    chart = models.BinaryField(null=True)
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
        return f"{self.channel} to {self.to}: {self.subject}"


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


class Absence(models.Model):
    """Days on which a member is away, and who stands in: `[starts_on, ends_on)`."""

    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="absences"
    )
    stand_in = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="standing_in"
    )
    starts_on = models.DateField()
    ends_on = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")), name="absence_has_days"
            ),
            models.CheckConstraint(
                condition=~Q(membership=F("stand_in")), name="absence_has_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership.user} until {self.ends_on}"


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


class Goal(models.Model):
    """A required outcome (O01): a measure from a baseline to a target by a day.

    `metric` is a key of the catalog whose value of the account is followed; without
    one, people say how far it is. `value` is the last one known.
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
