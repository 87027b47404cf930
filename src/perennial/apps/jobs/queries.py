"""What the page of background jobs reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from perennial.apps.jobs import registry, schedule
from perennial.apps.jobs.models import JobRun, State
from perennial.apps.jobs.registry import Job, Lane
from perennial.apps.team.models import Workspace


@dataclass(frozen=True)
class JobLine:
    """One job with its latest run and its next minute."""

    job: Job
    last: JobRun | None
    next_at: datetime | None


@dataclass(frozen=True)
class LaneLines:
    """The jobs of a lane, what of them runs, and how many runs are due and wait."""

    lane: Lane
    lines: Sequence[JobLine]
    running: Sequence[Job]
    waiting: int


def lanes(workspace: Workspace) -> list[LaneLines]:
    every, now = lines(workspace), timezone.now()
    active = workspace.job_runs.filter(state=State.RUNNING)
    due = workspace.job_runs.filter(state=State.WAITING, due_at__lte=now)
    running, waiting = (
        list(runs.values_list("name", flat=True)) for runs in (active, due)
    )
    found = []
    for lane in Lane:
        mine = [line for line in every if line.job.lane is lane]
        jobs = [line.job for line in mine]
        found.append(
            LaneLines(
                lane,
                mine,
                [each for each in jobs if each.name in running],
                sum(waiting.count(each.name) for each in jobs),
            )
        )
    return found


def lines(workspace: Workspace) -> list[JobLine]:
    now = timezone.now()
    zone = workspace.timezone
    return [
        JobLine(
            known,
            latest(workspace, known.name),
            schedule.next_slot(known.cron, zone, now),
        )
        for known in registry.JOBS
    ]


def latest(workspace: Workspace, name: str) -> JobRun | None:
    return workspace.job_runs.filter(name=name).order_by("-pk").first()


def runs(workspace: Workspace) -> QuerySet[JobRun]:
    return workspace.job_runs.select_related("by").order_by("-pk")


def failed_count(workspace: Workspace) -> int:
    return workspace.job_runs.filter(state=State.FAILED).count()
