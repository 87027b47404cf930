"""What people do about customers: tasks, alerts, playbooks, and what goes out.

Accounts live in the lake and are named by their id; an id that is gone leaves its
rows readable.
"""

from __future__ import annotations

from perennial.apps.work.models.alerts import Alert, RuleSetting
from perennial.apps.work.models.common import Priority
from perennial.apps.work.models.crew import Absence
from perennial.apps.work.models.mailings import Mailing
from perennial.apps.work.models.messages import (
    Channel,
    Message,
    Notice,
    Picture,
    Preference,
    WebhookSecret,
)
from perennial.apps.work.models.plans import Goal, Milestone, Objective, Plan, Vision
from perennial.apps.work.models.playbooks import (
    ManyStart,
    Match,
    Playbook,
    PlaybookVersion,
    Run,
    RunEntry,
    Skip,
)
from perennial.apps.work.models.tasks import Repeat, Task, TaskState

__all__ = [
    "Absence",
    "Alert",
    "Channel",
    "Goal",
    "Mailing",
    "ManyStart",
    "Match",
    "Message",
    "Milestone",
    "Notice",
    "Objective",
    "Picture",
    "Plan",
    "Playbook",
    "PlaybookVersion",
    "Preference",
    "Priority",
    "Repeat",
    "RuleSetting",
    "Run",
    "RunEntry",
    "Skip",
    "Task",
    "TaskState",
    "Vision",
    "WebhookSecret",
]
