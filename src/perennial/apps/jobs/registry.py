"""Every background job, in one list: what it is called, what runs, and when.

A function takes the key of a workspace, a `report(progress, message)` and its own
keyword arguments. It is safe to run twice: a worker may die half-way, and the
job is then given to another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Final, TypeAlias, cast

from django.db import models
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from perennial.core.errors import UnknownName

Report: TypeAlias = Callable[[float, str], None]
Argument: TypeAlias = str | int | float | bool | None
Function: TypeAlias = Callable[..., None]


class Lane(models.TextChoices):
    """A queue with a worker of its own, who takes one run after the other.

    Quick is what somebody waits for, or is told by, and takes seconds however large
    the company. What needs the newest numbers comes after a refresh in its lane.
    """

    QUICK = "quick", _("Quick jobs")
    LONG = "default", _("Long jobs")


@dataclass(frozen=True)
class Job:
    """`cron` is in the workspace's time zone; empty: only when asked for."""

    name: str
    path: str
    cron: str
    title: str | Promise
    description: str | Promise
    attempts: int = 3
    lane: Lane = Lane.LONG

    def function(self) -> Function:
        return cast("Function", import_string(self.path))

    @property
    def is_told_what(self) -> bool:
        """Has it to be told what to work on, and so cannot be run by its name alone?"""
        every = signature(self.function()).parameters.values()
        return any(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in every)


JOBS: Final[list[Job]] = [
    Job(
        "refresh",
        "perennial.apps.intake.jobs.refresh_workspace",
        "0 4 * * *",
        _("Refresh"),
        _("Brings usage, health and metrics up to date."),
    ),
    Job(
        "follow_rules",
        "perennial.apps.customers.jobs.follow_rules",
        "15 4 * * *",
        _("Lifecycle stages"),
        _("Gives accounts the stages whose rules they meet."),
    ),
    Job(
        "warm_home",
        "perennial.apps.customers.jobs.warm_home",
        "40 4 * * *",
        _("Home"),
        _("Computes the home page of everybody before they come."),
    ),
    Job(
        "maintain",
        "perennial.apps.jobs.jobs.maintain_lake",
        "0 3 * * *",
        _("Maintain the tables"),
        _("Joins small files and deletes those that nobody reads."),
    ),
    Job(
        "warm_metrics",
        "perennial.apps.reports.jobs.warm_metrics",
        "30 4 * * *",
        _("Metrics"),
        _("Computes the numbers of the board before anybody asks for them."),
    ),
    Job(
        "check_file",
        "perennial.apps.intake.jobs.check_file",
        "",
        _("Check a file"),
        _("Shows what is in a large file before it is imported."),
        lane=Lane.QUICK,
    ),
    Job(
        "import_file",
        "perennial.apps.intake.jobs.import_uploaded",
        "",
        _("Import a file"),
        _("Loads a file that was sent, then refreshes."),
    ),
    Job(
        "apply_definitions",
        "perennial.apps.intake.jobs.apply_definitions",
        "",
        _("Apply event definitions"),
        _("Derives again what depends on what an event means."),
    ),
    Job(
        "replay_rejects",
        "perennial.apps.intake.jobs.replay_rejects",
        "",
        _("Send rejects again"),
        _("Puts rejected calls back into the inbox."),
        lane=Lane.QUICK,
    ),
    Job(
        "backtest_scorecard",
        "perennial.apps.health.jobs.backtest_scorecard",
        "",
        _("Back-test a scorecard"),
        _("Computes how a draft would have told leavers from stayers."),
    ),
    Job(
        "review_models",
        "perennial.apps.insights.jobs.review_models",
        "0 5 5 1,4,7,10 *",
        _("Learn about renewals"),
        _(
            "Looks again at what separates stayers from leavers, and proposes what is "
            "new."
        ),
    ),
    Job(
        "answer_insights",
        "perennial.apps.insights.jobs.answer_insights",
        "20 4 * * *",
        _("Insights"),
        _("Computes usage patterns and lifetime values before anybody asks for them."),
    ),
    Job(
        "tell_past_forecasts",
        "perennial.apps.insights.jobs.tell_past_forecasts",
        "",
        _("Past forecasts"),
        _("Tells what would have been expected in past quarters."),
    ),
    Job(
        "follow_up",
        "perennial.apps.work.jobs.follow_up",
        "*/15 * * * *",
        _("Follow up"),
        _("Opens and closes alerts, and takes the next steps of playbooks."),
        lane=Lane.QUICK,
    ),
    Job(
        "start_playbook",
        "perennial.apps.work.jobs.start_playbook",
        "",
        _("Start a playbook for many"),
        _("Starts it for the accounts a person chose, some hundred at a time."),
        lane=Lane.QUICK,
    ),
    Job(
        "try_playbook",
        "perennial.apps.work.jobs.try_playbook",
        "",
        _("Dry run of a playbook"),
        _("Asks what a playbook would have done in the past 90 days."),
    ),
    Job(
        "take_answers",
        "perennial.apps.surveys.jobs.take_answers",
        "",
        _("Answers to surveys"),
        _("Brings answers into the numbers."),
    ),
    Job(
        "send_surveys",
        "perennial.apps.surveys.jobs.send_surveys",
        "5 * * * *",
        _("Survey mails"),
        _("Invites by mail whom the rules allow, and reminds."),
        lane=Lane.QUICK,
    ),
    Job(
        "warm_surveys",
        "perennial.apps.surveys.jobs.warm_surveys",
        "",
        _("Survey pages"),
        _("Computes the pages of running surveys before anybody opens them."),
    ),
    Job(
        "read_comments",
        "perennial.apps.surveys.jobs.read_comments",
        "",
        _("Themes"),
        _("Reads comments again by the topics in force."),
    ),
    Job(
        "derive_onboarding",
        "perennial.apps.onboarding.jobs.derive_onboarding",
        "",
        _("Onboarding"),
        _("Derives who got how far in the onboarding flows."),
    ),
    Job(
        "tidy",
        "perennial.apps.jobs.jobs.tidy",
        "30 3 * * *",
        _("Tidy"),
        _("Removes old job runs and expired sessions."),
    ),
]


def job(name: str) -> Job:
    for known in JOBS:
        if known.name == name:
            return known
    raise UnknownName("job", name, sorted(j.name for j in JOBS))
